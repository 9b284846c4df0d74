// How much work a join costs: more while many join, and more from where many have come.

/// Steps by load. The hardest one stays within reach: a slow phone computes about 150,000 hashes a second in script, so
/// 500,000 expected hashes take it 3.3 s on average and 6.7 s at most.
package struct EffortLadder: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        /// In force from this many joins a second on.
        package var joinsPerSecond: Int
        /// Hashes a solver computes on average.
        package var hashes: Int

        package init(joinsPerSecond: Int, hashes: Int) {
            self.joinsPerSecond = joinsPerSecond
            self.hashes = hashes
        }
    }

    package static let hashesRange = 1000...500_000
    package static let stepsMax = 8
    package static let slowPhoneHashesPerSecond = 150_000
    /// Remembered joins of one prefix from which on its next join is one, two … steps harder.
    package static let prefixMarks = [8.0, 32, 128]
    package static let standard = EffortLadder([
        Step(joinsPerSecond: 0, hashes: 25_000),
        Step(joinsPerSecond: 50, hashes: 100_000),
        Step(joinsPerSecond: 500, hashes: 400_000),
    ])

    /// From 1 to `stepsMax` steps, the easiest first.
    package let steps: [Step]

    package init(_ steps: [Step]) {
        self.steps = Array(steps.prefix(Self.stepsMax))
    }

    /// The hashes to ask for on average, never outside of `hashesRange`.
    package func hashes(joinsPerSecond: Double, prefixJoins: Double) -> Int {
        guard !steps.isEmpty else { return Self.hashesRange.lowerBound }
        let byLoad = steps.lastIndex { Double($0.joinsPerSecond) <= joinsPerSecond } ?? 0
        let byPrefix = Self.prefixMarks.count { prefixJoins >= $0 }
        let wanted = steps[min(byLoad + byPrefix, steps.count - 1)].hashes
        return min(max(wanted, Self.hashesRange.lowerBound), Self.hashesRange.upperBound)
    }

    /// The puzzle's `limit` for so many expected hashes.
    package static func limit(forHashes hashes: Int) -> UInt32 {
        min(UInt32(clamping: hashes * 2 - 1), Puzzle.limitMax)
    }
}

/// Events a second over the last seconds: the window before weighs by what of it is still within reach.
package struct JoinRate: Sendable, Equatable {
    package static let windowMS: Int64 = 4000

    private var window: Int64 = 0
    private var current = 0.0
    private var before = 0.0

    package init() {}

    package mutating func note(atMS now: Int64) {
        turn(to: now / Self.windowMS)
        current += 1
    }

    package func perSecond(atMS now: Int64) -> Double {
        var copy = self
        copy.turn(to: now / Self.windowMS)
        let passed = Double(now % Self.windowMS) / Double(Self.windowMS)
        return (copy.before * (1 - passed) + copy.current) * 1000 / Double(Self.windowMS)
    }

    private mutating func turn(to next: Int64) {
        guard next > window else { return }
        before = next == window + 1 ? current : 0
        current = 0
        window = next
    }
}
