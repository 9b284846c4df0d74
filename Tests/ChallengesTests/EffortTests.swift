import Testing

@testable import Challenges

struct EffortTests {
    @Test(
        arguments: [
            (0, 0, 25_000), (49.9, 0, 25_000), (50, 0, 100_000), (499, 0, 100_000), (500, 0, 400_000),
            (1e9, 0, 400_000), (0, 7, 25_000), (0, 8, 100_000), (0, 31, 100_000), (0, 32, 400_000), (50, 8, 400_000),
            (500, 1e9, 400_000), (0, 1e9, 400_000),
        ] as [(Double, Double, Int)]
    )
    func `the work grows with the crowd and with what a network took before, and has an end`(
        rate: Double,
        joins: Double,
        hashes: Int
    ) {
        #expect(EffortLadder.standard.hashes(joinsPerSecond: rate, prefixJoins: joins) == hashes)
    }

    @Test func `a slow phone solves the hardest puzzle in a few seconds`() {
        let phone = Double(EffortLadder.slowPhoneHashesPerSecond)
        #expect(Double(EffortLadder.hashesRange.upperBound) / phone < 4)
        #expect(Double(Puzzle.limitMax) / phone < 7)
        #expect(EffortLadder.limit(forHashes: EffortLadder.hashesRange.upperBound) <= Puzzle.limitMax)
        #expect(EffortLadder.limit(forHashes: .max / 4) == Puzzle.limitMax)
    }

    @Test func `waiting gives a network fewer places than a slow phone's work would`() {
        let shortest = Double(WaitTicket.secondsRange.lowerBound) / Double(PrefixHistory.waitsAtOnceMax)
        let phone = Double(EffortLadder.slowPhoneHashesPerSecond)
        #expect(shortest > Double(EffortLadder.hashesRange.upperBound) / phone)
    }

    @Test(arguments: [1000, 25_000, 100_000, 400_000])
    func `a puzzle of so many hashes takes so many on average`(hashes: Int) {
        let limit = Int(EffortLadder.limit(forHashes: hashes))
        #expect((limit + 1) / 2 == hashes)
    }

    @Test func `steps outside of the range are brought into it`() {
        let ladder = EffortLadder([.init(joinsPerSecond: 0, hashes: 1), .init(joinsPerSecond: 5, hashes: 1 << 40)])
        #expect(ladder.hashes(joinsPerSecond: 0, prefixJoins: 0) == 1000)
        #expect(ladder.hashes(joinsPerSecond: 5, prefixJoins: 0) == 500_000)
        #expect(EffortLadder([]).hashes(joinsPerSecond: 5, prefixJoins: 0) == 1000)
    }

    @Test func `the rate follows the last seconds`() {
        var rate = JoinRate()
        let start: Int64 = 1_800_000_000_000
        for ms in 0..<8000 where ms % 10 == 0 { rate.note(atMS: start + Int64(ms)) }
        #expect((95...105).contains(rate.perSecond(atMS: start + 8000)))
        #expect((45...55).contains(rate.perSecond(atMS: start + 10_000)))
        #expect(rate.perSecond(atMS: start + 12_000) == 0)
        #expect(JoinRate().perSecond(atMS: start) == 0)
    }
}
