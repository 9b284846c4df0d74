import Signing
import Testing

@testable import Challenges

struct WaitTicketTests {
    @Test(
        arguments: [
            (0, .early(untilMS: Sample.now + 30_000)), (29_999, .early(untilMS: Sample.now + 30_000)), (30_000, nil),
            (119_999, nil), (120_000, .expired),
        ] as [(Int64, ChallengeFlaw?)]
    )
    func `a ticket is good between the end of its wait and its expiry`(after: Int64, flaw: ChallengeFlaw?) {
        #expect(Sample.flaw(Sample.ticket().text, at: Sample.now + after) == flaw)
    }

    @Test func `every changed bit of a ticket is refused`() throws {
        let bytes = try #require(Base64URL.decode(Sample.ticket().text))
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 1
            let flaw = Sample.flaw(Base64URL.encode(changed), at: Sample.now + 60_000)
            #expect(flaw == (position < 2 ? .malformed : .wrongSeal))
        }
    }

    @Test func `a ticket is worth nothing to anybody else`() {
        let other = ChallengeScope(room: "sale", dedupeTag: [UInt8](repeating: 1, count: 16))
        #expect(Sample.flaw(Sample.ticket().text, other, at: Sample.now + 60_000) == .wrongSeal)
    }

    @Test(arguments: [(0, 15), (15, 15), (60, 60), (600, 60)])
    func `a wait stays within its range, and so within the ticket's life`(asked: Int, seconds: Int64) {
        let ticket = Sample.ticket(seconds: asked)
        #expect(ticket.opensAtMS == Sample.now + seconds * 1000)
        #expect(ticket.opensAtMS < ticket.expiresAtMS)
    }
}

struct PrefixHistoryTests {
    @Test func `one network has so many waits at once, another its own`() {
        var history = PrefixHistory(seed: 1)
        func take(_ prefix: UInt64, _ ms: Int64) -> Int64? {
            history.takeWait(of: prefix, seconds: 40, atMS: Sample.now + ms)
        }
        let first = (0..<4).map { _ in take(1, 0) }
        #expect(first == [nil, nil, nil, nil])
        #expect(take(1, 0) == 10_000)
        #expect(take(2, 0) == nil)
        #expect(take(1, 9999) == 1)
        #expect(take(1, 10_000) == nil)
        #expect(take(1, 10_000) == 10_000)
    }

    @Test func `in the long run a network gets four places a waiting time and no more`() {
        var history = PrefixHistory(seed: 1)
        let taken = (0..<3600).count { second in
            (0..<20).contains { _ in history.takeWait(of: 5, seconds: 30, atMS: Sample.now + second * 1000) == nil }
        }
        // An hour has 120 waits of 30 s; the first four come at once.
        #expect((470...484).contains(taken), "\(taken)")
    }

    @Test func `joins are remembered for some minutes and then forgotten`() {
        var history = PrefixHistory(seed: 1)
        let start = Sample.now - Sample.now % PrefixHistory.windowMS
        for _ in 0..<10 { history.noteJoin(of: 7, atMS: start) }
        #expect(history.joins(of: 7, atMS: start) == 10)
        #expect(history.joins(of: 8, atMS: start) == 0)
        #expect(history.joins(of: 7, atMS: start + PrefixHistory.windowMS) == 10)
        #expect(history.joins(of: 7, atMS: start + PrefixHistory.windowMS * 3 / 2) == 5)
        #expect(history.joins(of: 7, atMS: start + PrefixHistory.windowMS * 2) == 0)
    }

    @Test func `a flood of networks stays within the table`() {
        var history = PrefixHistory(capacity: 64, seed: 3)
        for prefix in 0..<100_000 { history.noteJoin(of: UInt64(prefix), atMS: Sample.now) }
        #expect(history.capacity == 64)
        #expect((0..<100_000).count { history.joins(of: UInt64($0), atMS: Sample.now) > 0 } <= 64)
        #expect(PrefixHistory(capacity: .max, seed: 1).capacity == PrefixHistory.slotsMax)
    }

    @Test func `an IPv6 network is its first 48 bits, and never an IPv4 address`() {
        let one = PrefixHistory.prefix(high: 0x2001_0DB8_0001_0000, low: 1)
        #expect(one == PrefixHistory.prefix(high: 0x2001_0DB8_0001_FFFF, low: 2))
        #expect(one != PrefixHistory.prefix(high: 0x2001_0DB8_0002_0000, low: 1))
        let four = PrefixHistory.prefix(high: 0, low: 0xFFFF_7F00_0001)
        #expect(four != PrefixHistory.prefix(high: 0, low: 0xFFFF_7F00_0002))
        #expect(four != PrefixHistory.prefix(high: 0xFFFF_7F00_0001, low: 0))
    }
}
