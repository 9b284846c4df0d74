// What a visitor is like, drawn once from the run's seed: the same seed gives the same crowd.

/// Where somebody leaves without a word.
enum LeavingPoint: String, Sendable, CaseIterable, Codable {
    case waiting, called, holding, ordered
}

struct Crowd: Sendable, Equatable {
    var want: ClosedRange<Int>
    var abandonPercent: Double
    var declinePercent: Double
    var registerPercent: Double
    var think: Duration
    var seed: UInt64
}

struct Traits: Sendable, Equatable {
    var want: Int
    var leavesAt: LeavingPoint?
    var triesDeclinedCard: Bool
    var registers: Bool

    init(of index: Int, in crowd: Crowd) {
        var chance = SplitMix64(seed: crowd.seed &+ UInt64(index) &* 0x2545_f491_4f6c_dd1d)
        want = Int.random(in: crowd.want, using: &chance)
        let leaves = Double.random(in: 0..<100, using: &chance) < crowd.abandonPercent
        let point = LeavingPoint.allCases.randomElement(using: &chance)
        leavesAt = leaves ? point : nil
        triesDeclinedCard = Double.random(in: 0..<100, using: &chance) < crowd.declinePercent
        registers = Double.random(in: 0..<100, using: &chance) < crowd.registerPercent
    }
}
