// A small registry of numbers that only grow, numbers that move, and distributions, with their Prometheus text.

import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    package func increment(by amount: UInt64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
    package var count: UInt64 { value.load(ordering: .relaxed) }
}

/// A number that moves both ways.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// A distribution of seconds in fixed buckets.
package final class Timing: Sendable {
    static let boundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct State {
        var buckets = [UInt64](repeating: 0, count: Timing.boundaries.count)
        var count: UInt64 = 0
        var sum = 0.0
    }

    private let state = Mutex(State())

    package func record(_ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        state.withLock { state in
            state.count += 1
            state.sum += seconds
            if let index = Self.boundaries.firstIndex(where: { seconds <= $0 }) { state.buckets[index] += 1 }
        }
    }

    func lines(_ name: String, _ labels: String) -> [String] {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        let inner = labels.isEmpty ? "" : labels + ","
        var lines = zip(Self.boundaries, state.buckets).map { boundary, count in
            total += count
            return "\(name)_bucket{\(inner)le=\"\(boundary)\"} \(total)"
        }
        let outer = labels.isEmpty ? "" : "{\(labels)}"
        lines.append("\(name)_bucket{\(inner)le=\"+Inf\"} \(state.count)")
        lines.append("\(name)_sum\(outer) \(state.sum)")
        lines.append("\(name)_count\(outer) \(state.count)")
        return lines
    }
}

/// Every metric of a process. Metrics are made once at start; asking again for the same name and labels gives the
/// same one.
package final class MetricsRegistry: Sendable {
    private enum Metric: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case timing(Timing)
    }

    private struct Family: Sendable {
        var help: String
        var kind: String
        var members: [String: Metric] = [:]
    }

    /// A family takes at most so many label sets; the ones past it are counted but not shown, so that no client can
    /// make the page grow.
    package static let membersMax = 200
    private let families = Mutex<[String: Family]>([:])

    package init() {}

    package func counter(_ name: String, _ help: String, labels: [String: String] = [:]) -> Counter {
        let made = metric(name, help, "counter", labels) { .counter(Counter()) }
        guard case .counter(let counter) = made else { preconditionFailure("\(name) is no counter") }
        return counter
    }

    package func gauge(_ name: String, _ help: String, labels: [String: String] = [:]) -> Gauge {
        let made = metric(name, help, "gauge", labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = made else { preconditionFailure("\(name) is no gauge") }
        return gauge
    }

    package func timing(_ name: String, _ help: String, labels: [String: String] = [:]) -> Timing {
        let made = metric(name, help, "histogram", labels) { .timing(Timing()) }
        guard case .timing(let timing) = made else { preconditionFailure("\(name) is no timing") }
        return timing
    }

    private func metric(
        _ name: String,
        _ help: String,
        _ kind: String,
        _ labels: [String: String],
        make: () -> Metric
    ) -> Metric {
        let key = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            .joined(separator: ",")
        return families.withLock { families in
            var family = families[name] ?? Family(help: help, kind: kind)
            if let known = family.members[key] { return known }
            let made = make()
            if family.members.count < Self.membersMax { family.members[key] = made }
            families[name] = family
            return made
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// The page in Prometheus' text format, version 0.0.4.
    package func page() -> String {
        let families = families.withLock { $0 }
        var lines: [String] = []
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            lines.append("# HELP \(name) \(family.help)")
            lines.append("# TYPE \(name) \(family.kind)")
            for (labels, metric) in family.members.sorted(by: { $0.key < $1.key }) {
                let outer = labels.isEmpty ? "" : "{\(labels)}"
                switch metric {
                case .counter(let counter): lines.append("\(name)\(outer) \(counter.count)")
                case .gauge(let gauge): lines.append("\(name)\(outer) \(gauge.value)")
                case .timing(let timing): lines += timing.lines(name, labels)
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
