// Invariants of a waiting room over random rooms: the audit lets pass what kept them, and nothing that broke one.
@testable import Fairness
import Foundation
import Signing
import Testing

struct InvariantTests {
    /// Seeded chance: a failure names its seed.
    private struct Dice {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(1, bound)))
        }
    }

    private static let seeds = Array(UInt64(1)...12)

    private func failing(_ fixture: RoomFixture) throws -> Set<String> {
        let report = Audit.run(try fixture.bundle())
        return Set(report.checks.filter { $0.verdict == .failed }.map(\.name))
    }

    /// Arrivals at random moments, in their order, of which as many as before come before the seal.
    private func fixture(_ kind: RoomFixture.Kind, _ dice: inout Dice) throws -> RoomFixture {
        var fixture = try RoomFixture(kind)
        var at = fixture.entries[0].milliseconds
        for index in fixture.entries.indices {
            at += Int64(dice.below(5))
            if index == fixture.cohort { at = max(at, fixture.sealedAt + 1) }
            fixture.entries[index] = RoomFixture.entry(of: index, at: at)
        }
        return fixture
    }

    @Test(arguments: seeds)
    func `invariant 1: one tag has no two places at a time`(seed: UInt64) throws {
        for kind in RoomFixture.Kind.allCases {
            var dice = Dice(state: seed)
            var room = try fixture(kind, &dice)
            #expect(try failing(room) == [])
            let second = 1 + dice.below(room.entries.count - 1)
            let first = dice.below(second)
            let at = room.entries[second].milliseconds
            room.entries[second] = RoomFixture.entry(of: first, at: at)
            #expect(try failing(room).contains("places"), "\(kind): \(first + 1) and \(second + 1)")
        }
    }

    @Test(arguments: seeds)
    func `invariants 2 and 8: ranks are one permutation, the same for whoever computes them`(seed: UInt64) {
        var dice = Dice(state: seed)
        var table = RankTable()
        var blocks: [RankBlock] = []
        var next = UInt64(1)
        for _ in 0..<(1 + dice.below(30)) {
            next += UInt64(dice.below(4))
            let block = RankBlock(
                first: next,
                count: UInt64(1 + dice.below(200)),
                seed: Digest.of([UInt8(dice.below(256)), UInt8(dice.below(256))])
            )
            blocks.append(block)
            let isTaken = table.append(block)
            #expect(isTaken)
            next = block.last + 1
        }
        let ranks = (1..<next).map { table.rank(of: $0) }
        #expect(Set(ranks) == Set(1..<next))
        for (index, rank) in ranks.enumerated() { #expect(table.number(of: rank) == UInt64(index + 1)) }
        // Another gateway hears of the blocks in pieces, or reads the ranks from the store.
        var other = RankTable()
        var read = RankTable()
        for block in blocks {
            let isTaken = other.append(block)
            let isRead = read.write(packed: RankTable.packed(block.ranks()), from: block.first)
            #expect(isTaken && isRead)
        }
        #expect((1..<next).allSatisfy { other.rank(of: $0) == ranks[Int($0 - 1)] })
        #expect((1..<next).allSatisfy { read.rank(of: $0) == ranks[Int($0 - 1)] })
    }

    @Test(arguments: seeds)
    func `invariant 9: everybody from before the seal is in the draw, and nobody from after it`(seed: UInt64) throws {
        for kind in [RoomFixture.Kind.lottery, .commitReveal] {
            var dice = Dice(state: seed)
            let kept = try fixture(kind, &dice)
            #expect(try failing(kept) == [])
            var late = kept
            let early = dice.below(kept.cohort)
            late.entries[early] = RoomFixture.entry(of: early, at: kept.sealedAt + 1 + Int64(dice.below(1000)))
            #expect(try failing(late).contains("seal"))
            var left = kept
            let behind = kept.cohort + dice.below(kept.entries.count - kept.cohort)
            left.entries[behind] = RoomFixture.entry(of: behind, at: kept.sealedAt - 1 - Int64(dice.below(1000)))
            #expect(try failing(left).contains("seal"))
        }
    }
}
