// Who has which rank, as the gateways would give it: by arrival, by the draw, or by the tie-breaks.
import Fairness
import Queueing

struct LineOrder {
    private static let room = "simulated"

    private let secret: [UInt8]
    /// Members (from 0) in order of arrival: element i has number i + 1.
    private var arrived: [UInt32] = []
    /// Member of each rank, from rank 1.
    private(set) var memberOfRank: [UInt32] = []
    private(set) var rankOfMember: [UInt32]

    init(count: Int, seed: UInt64) {
        var chance = Chance(seed: seed ^ 0x7365_6372_6574)
        secret = (0..<Commitment.secretLength).map { _ in UInt8(truncatingIfNeeded: chance.next() >> 32) }
        rankOfMember = [UInt32](repeating: 0, count: count)
        memberOfRank.reserveCapacity(count)
    }

    /// Ranks up to here are settled: the cursor may go so far.
    var rankedThrough: UInt64 { UInt64(memberOfRank.count) }

    var joined: Int { arrived.count }

    mutating func join(_ member: Int) { arrived.append(UInt32(member)) }

    /// All who have no rank yet come in order of arrival.
    mutating func rankByArrival() {
        while memberOfRank.count < arrived.count { rank(arrived[memberOfRank.count]) }
    }

    /// The first `count` are one cohort, drawn.
    mutating func draw(through count: Int) {
        guard count > 0, memberOfRank.isEmpty else { return }
        let seed = DrawSeed.of(
            room: Self.room,
            generation: 1,
            root: Digest.of(secret),
            count: UInt64(count),
            kind: .commitReveal,
            value: secret
        )
        enter(Shuffle.order(of: count, seed: seed))
    }

    /// All who have no rank yet arrived in one tie window.
    mutating func breakTie() {
        let first = memberOfRank.count
        let count = arrived.count - first
        guard count > 1 else { return rankByArrival() }
        let seed = TieBreak.seed(
            secret: secret,
            room: Self.room,
            first: UInt64(first + 1),
            count: UInt64(count)
        )
        enter(Shuffle.order(of: count, seed: seed))
    }

    private mutating func enter(_ order: [UInt32]) {
        let first = memberOfRank.count
        for index in order { rank(arrived[first + Int(index)]) }
    }

    private mutating func rank(_ member: UInt32) {
        memberOfRank.append(member)
        rankOfMember[Int(member)] = UInt32(memberOfRank.count)
    }
}
