// The level in force, as every event loop reads it: one atomic load for each request.
package import Operations
package import RateLimiting
import Synchronization

package final class Overload: Sendable {
    private let raw = Atomic<UInt8>(0)
    private let watchers = Mutex<[@Sendable (OverloadLevel) -> Void]>([])
    private let gauge: Gauge
    private let shed: [RequestWorth: Counter]

    package init(_ metrics: MetricsRegistry) {
        gauge = metrics.gauge(
            "usher_overload_level",
            "0 normal, then given up: 1 keep-alives, 2 joins, 3 polls, 4 reads, 5 new connections."
        )
        shed = Dictionary(
            uniqueKeysWithValues: RequestWorth.allCases.filter { $0 != .vital }.map { worth in
                let help = "Requests refused because of overload."
                return (worth, metrics.counter("usher_overload_shed_total", help, labels: ["worth": "\(worth)"]))
            }
        )
    }

    package var level: OverloadLevel {
        OverloadLevel(rawValue: raw.load(ordering: .relaxed)) ?? .connections
    }

    package func set(_ level: OverloadLevel) {
        raw.store(level.rawValue, ordering: .relaxed)
        gauge.set(Double(level.rawValue))
        for watcher in watchers.withLock({ $0 }) { watcher(level) }
    }

    /// The watcher is told the level now and at each change.
    func watch(_ watcher: @escaping @Sendable (OverloadLevel) -> Void) {
        watchers.withLock { $0.append(watcher) }
        watcher(level)
    }

    func noteShed(_ worth: RequestWorth) { shed[worth]?.increment() }
}
