// The one-pass check of a pace against the definition, span by span.
import Testing

@testable import Checking

struct PaceTests {
    /// Every pair of times, as the promise is worded.
    private static func isKept(_ times: [Int64], _ allowance: RoomFacts.Allowance) -> Bool {
        for first in times.indices {
            for last in first..<times.count {
                let span = times[last] - times[first] + Pace.slack
                let most = Int64(allowance.burst) * 60_000 + Int64(allowance.perMinute) * span
                if Int64(last - first + 1) * 60_000 > most { return false }
            }
        }
        return true
    }

    @Test func `it agrees with the definition on random grants`() {
        var random = SeededRandom(state: 7)
        var kept = 0
        for _ in 0..<2000 {
            let allowance = RoomFacts.Allowance(
                perMinute: Int.random(in: 1...6000, using: &random),
                burst: Int.random(in: 1...5, using: &random),
                activeMax: 1
            )
            let gap = max(1, 60_000 / allowance.perMinute)
            var time: Int64 = 1_700_000_000_000
            let times = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                time += Int64.random(in: 0...Int64(2 * gap), using: &random)
                return time
            }
            let expected = Self.isKept(times, allowance)
            kept += expected ? 1 : 0
            #expect(Pace.excesses(times, allowance).isEmpty == expected, "\(times) \(allowance)")
        }
        // Both verdicts were tried often.
        #expect((400...1600).contains(kept))
    }

    @Test(arguments: [
        (times: [0, 0, 1000, 2000], kept: true),
        (times: [0, 0, 0], kept: false),
        (times: [0, 0, 990], kept: false),
        (times: [0, 0, 995], kept: true),
        (times: [0, 0, 10_000, 10_000, 10_990], kept: false),
        (times: [], kept: true),
    ])
    func `sixty a minute with a burst of two`(times: [Int64], kept: Bool) {
        #expect(Pace.excesses(times, .init(perMinute: 60, burst: 2, activeMax: 1)).isEmpty == kept)
    }

    @Test func `the fullest span is named`() {
        let excess = Pace.excesses([0, 5000, 5000, 5000], .init(perMinute: 60, burst: 2, activeMax: 1))
        #expect(excess == [Pace.Excess(from: 5000, through: 5000, count: 3)])
    }

    @Test func `a change of the policy starts a new span and a new cap`() {
        var room = RoomFacts(name: "r", allowance: .init(perMinute: 60, burst: 1, activeMax: 1), now: 0)
        room.cursor = 9
        room.entries = [
            .init(at: 0, .policy(.init(perMinute: 6000, burst: 3, activeMax: 3))),
            .init(at: 1, .grant(pass: "a", place: 1, expiry: 500)),
            .init(at: 1, .grant(pass: "b", place: 2, expiry: 500)),
            .init(at: 1, .grant(pass: "c", place: 3, expiry: 500)),
            .init(at: 2, .policy(.init(perMinute: 60, burst: 1, activeMax: 1))),
            .init(at: 600, .grant(pass: "d", place: 4, expiry: 900)),
        ]
        let facts = RoomsFacts(rooms: [room])
        #expect(facts.pace().isKept && facts.cap().isKept)
        room.entries.append(.init(at: 700, .grant(pass: "e", place: 5, expiry: 900)))
        let broken = RoomsFacts(rooms: [room])
        #expect(broken.pace().breachCount == 1 && broken.cap().breachCount == 1)
    }

    @Test func `a record that lost its beginning is judged from the first policy it tells`() {
        var room = RoomFacts(name: "r", allowance: .init(perMinute: 60, burst: 1, activeMax: 1), now: 0)
        room.entries = [
            .init(at: 0, .grant(pass: "a", place: 1, expiry: 10)),
            .init(at: 0, .grant(pass: "b", place: 2, expiry: 10)),
            .init(at: 1, .policy(.init(perMinute: 60, burst: 1, activeMax: 1))),
            .init(at: 20, .grant(pass: "c", place: 3, expiry: 30)),
        ]
        #expect(RoomsFacts(rooms: [room]).pace().isKept && RoomsFacts(rooms: [room]).cap().isKept)
        room.entries.remove(at: 2)
        #expect(!RoomsFacts(rooms: [room]).pace().isKept && !RoomsFacts(rooms: [room]).cap().isKept)
    }

    @Test func `live passes are those that end later, renewed or ended`() {
        var live = LivePasses()
        for number in 0..<100 { live.set("p\(number)", until: Int64(1000 - number * 10)) }
        #expect(live.count(at: 0) == 100)
        #expect(live.count(at: 500) == 50)
        live.set("p99", until: 2000)
        live.set("p0", until: 3000)
        live.end("p1")
        #expect(live.count(at: 1500) == 2)
        #expect(live.count(at: 2000) == 1)
    }
}

/// SplitMix64.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
