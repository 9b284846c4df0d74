// When a gateway is overloaded, how much, and what it then gives up: decided from two measurements, without a clock.

/// What is given up, in this order; each level gives up what those before it do.
package enum OverloadLevel: UInt8, Sendable, Comparable, CaseIterable {
    case normal
    /// Connections are closed after their reply.
    case keepAlives
    /// Nobody new joins.
    case joins
    /// Places are not told.
    case polls
    /// What is only read of the shop is not served.
    case reads
    /// No connection is accepted.
    case connections

    package static func < (left: OverloadLevel, right: OverloadLevel) -> Bool { left.rawValue < right.rawValue }

    package var name: String { "\(self)" }
}

/// What a request is worth under load.
package enum RequestWorth: Sendable, Equatable, CaseIterable {
    case join
    case poll
    case read
    /// Of somebody who has been admitted, or who pays: never given up.
    case vital
}

extension OverloadLevel {
    /// Whether a request is refused at this level.
    package func sheds(_ worth: RequestWorth) -> Bool {
        switch worth {
        case .join: self >= .joins
        case .poll: self >= .polls
        case .read: self >= .reads
        case .vital: false
        }
    }

    /// Whether the connection ends after the reply. One that pays is left alone: at the highest level its visitor
    /// could not come back.
    package func endsConnection(after worth: RequestWorth) -> Bool { self >= .keepAlives && worth != .vital }
}

package struct OverloadPolicy: Sendable {
    package struct Measurement: Sendable, Equatable {
        /// How late the slowest event loop runs what is due, in milliseconds.
        package var lagMS: Double
        /// Memory in use, as a part of what may be used.
        package var memory: Double

        package init(lagMS: Double, memory: Double) {
            self.lagMS = lagMS
            self.memory = memory
        }
    }

    /// From where on each level after `normal` is in force.
    package struct Thresholds: Sendable, Equatable {
        package var memory: [Double] = [0.85, 0.92, 0.93, 0.94, 0.95]
        package var lagMS: [Double] = [50, 100, 200, 400, 800]
        /// A level ends once memory is that far below its threshold, and lag below that part of it.
        package var memoryMargin = 0.02
        package var lagRelease = 0.8

        package init() {}

        /// `lagMS` is the first level's; each further level takes twice that of the one before.
        package init(lagMS first: Double) {
            lagMS = (0..<5).map { first * Double(1 << $0) }
        }
    }

    /// So many measurements in a row must be late before lag counts: one long turn is no overload.
    package static let lateInARowMin = 2
    /// So many measurements in a row must be calm before the next lower level is taken.
    package static let calmInARowMin = 4

    package private(set) var level = OverloadLevel.normal
    private let thresholds: Thresholds
    private var lateInARow: [OverloadLevel] = []
    private var calmInARow = 0

    package init(_ thresholds: Thresholds = Thresholds()) {
        self.thresholds = thresholds
    }

    /// Takes one measurement. Goes up at once and by as many levels as it takes, goes down level by level.
    package mutating func take(_ measurement: Measurement) -> OverloadLevel {
        let byMemory = Self.level(measurement.memory, thresholds.memory)
        let byLag = Self.level(measurement.lagMS, thresholds.lagMS)
        lateInARow.append(byLag)
        if lateInARow.count > Self.lateInARowMin { lateInARow.removeFirst() }
        let lasting = lateInARow.count == Self.lateInARowMin ? lateInARow.min() ?? .normal : .normal
        let wanted = max(byMemory, lasting)
        if wanted > level {
            level = wanted
            calmInARow = 0
        } else if isCalm(measurement) {
            calmInARow += 1
            if calmInARow >= Self.calmInARowMin {
                calmInARow = 0
                level = OverloadLevel(rawValue: level.rawValue - 1) ?? .normal
            }
        } else {
            calmInARow = 0
        }
        return level
    }

    /// Whether the level in force has lost its reason, with a margin.
    private func isCalm(_ measurement: Measurement) -> Bool {
        guard level > .normal else { return false }
        let index = Int(level.rawValue) - 1
        return measurement.memory < thresholds.memory[index] - thresholds.memoryMargin
            && measurement.lagMS < thresholds.lagMS[index] * thresholds.lagRelease
    }

    private static func level(_ value: Double, _ thresholds: [Double]) -> OverloadLevel {
        let passed = thresholds.prefix { value >= $0 }.count
        return OverloadLevel(rawValue: UInt8(passed)) ?? .connections
    }
}
