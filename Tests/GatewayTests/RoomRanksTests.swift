import Fairness
import Foundation
import Queueing
import Signing
import Testing

@testable import GatewayServer

struct RoomRanksTests {
    private func room(
        _ policy: RoomPolicy,
        _ order: OrderRecord,
        cursor: UInt64 = 0,
        last: UInt64
    ) throws -> RoomSnapshot {
        RoomSnapshot(
            name: try #require(RoomName("sale")),
            policy: policy,
            policyHash: policy.hash,
            version: 1,
            phase: .active,
            cursor: cursor,
            lastNumber: last,
            order: order,
            asOf: Moment(seconds: 1)
        )
    }

    private func ties(_ random: inout SplitMix, through last: UInt64) -> [OrderRecord.Tie] {
        var ties: [OrderRecord.Tie] = []
        var next: UInt64 = 1
        while next + 40 < last {
            let count = 2 + random.next() % 30
            ties.append(OrderRecord.Tie(first: next, count: count))
            next += count + random.next() % 5
        }
        return ties
    }

    /// A policy in which everything but the order is drawn anew.
    private func policy(_ random: inout SplitMix, order: String) throws -> RoomPolicy {
        func number(_ range: ClosedRange<UInt64>) -> UInt64 {
            range.lowerBound + random.next() % (range.upperBound - range.lowerBound + 1)
        }
        let text = """
            {"order":\(order),"schedule":{"sale_opens_at":"2099-01-01T00:00:00Z"},
             "admission":{"per_minute":\(number(1...60_000)),"active_max":\(number(1...5000)),
             "ramp_seconds":\(number(0...600)),"adaptive":\(number(0...1) == 0)},
             "claim":{"window_seconds":\(number(1...600)),"grace_seconds":\(number(0...600))},
             "identity":"\(number(0...1) == 0 ? "device" : "account")","message":"\(number(1...9))"}
            """
        return try RoomPolicy(json: Array(text.utf8))
    }

    @Test(arguments: [
        #"{"method":"first_come"}"#, #"{"method":"first_come","tie_window_ms":500}"#, #"{"method":"lottery"}"#,
    ])
    func `invariant 11: no change of policy moves a waiting place behind another`(order: String) throws {
        var random = SplitMix(state: 11)
        for _ in 0..<30 {
            let last: UInt64 = 300
            let secret = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var record = OrderRecord(secret: secret, rankedThrough: last, ties: ties(&random, through: last))
            if order.contains("lottery") {
                record.cohort = 200
                record.ties = []
                record.draw = #"{"count":200,"seed":"\#(Hex.encode(SHA256.digest(secret)))"}"#
            }
            record.voids = [(250 + random.next() % 10)...(265 + random.next() % 10)]
            var before: [UInt64]?
            for _ in 0..<10 {
                let snapshot = try room(try policy(&random, order: order), record, cursor: 20, last: last)
                var ranks = RoomRanks()
                ranks.follow(snapshot)
                let line = (1...last).sorted {
                    (ranks.rank(of: $0, in: snapshot) ?? 0) < (ranks.rank(of: $1, in: snapshot) ?? 0)
                }
                #expect(before == nil || before == line)
                before = line
                // Whoever is called later has no fewer people ahead.
                let ahead = line.compactMap { ranks.rank(of: $0, in: snapshot) }.map { snapshot.ahead(of: $0) }
                #expect(ahead == ahead.sorted())
            }
        }
    }

    @Test func `ranks are computed piece by piece as all at once, and anew after a loss`() throws {
        var random = SplitMix(state: 3)
        let policy = try RoomPolicy(json: Array(#"{"order":{"tie_window_ms":100}}"#.utf8))
        let all = ties(&random, through: 2000)
        let secret = [UInt8](repeating: 5, count: 32)
        var whole = RoomRanks()
        var snapshot = try room(policy, OrderRecord(secret: secret, rankedThrough: 2000, ties: all), last: 2000)
        whole.follow(snapshot)
        var pieces = RoomRanks()
        for count in stride(from: 0, through: all.count, by: 7) {
            snapshot.order.ties = Array(all.prefix(count))
            pieces.follow(snapshot)
        }
        snapshot.order.ties = all
        pieces.follow(snapshot)
        var again = pieces
        snapshot.epoch += 1
        again.follow(snapshot)
        for number in 1...UInt64(2000) {
            let rank = whole.rank(of: number, in: snapshot)
            #expect(rank == pieces.rank(of: number, in: snapshot) && rank == again.rank(of: number, in: snapshot))
        }
        snapshot.order.rankedThrough = 10
        #expect(whole.rank(of: 11, in: snapshot) == nil)
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
