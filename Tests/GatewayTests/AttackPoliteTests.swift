// Attack 30 turned round: nobody who does as told may be refused, however many share one address.
import EdgeHTTP
import NIOCore
import Operations
import Queueing
import RateLimiting
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct AttackPoliteTests {
    /// As many as one address may have connections.
    private static let visitors = ListenerConfiguration(host: "", port: 0).connectionsPerAddressMax

    private struct Visitor {
        var nextMS: Int64
        var p50Seconds: Int
    }

    /// What a visitor asks for on arrival, all at once: the page, its two files, challenge, join, place, sign-in, shop.
    private static let arrival: [RouteClass] = [.api, .poll, .poll, .join, .join, .poll, .auth, .api]

    /// Ten minutes of an office behind one address that arrives in one moment. `chance` is the spread of `after_s`:
    /// 0 is the shortest wait the server ever asks for.
    private static func refusals(chance: () -> Double, waits: ClosedRange<Int>, order: inout SplitMix) throws -> Int {
        let plan = try AttackLimitTests.defaults()
        let clock = TestClock()
        let limits = Limits(plan, seed: 5, counters: LimitCounters(MetricsRegistry(), plan), clock: clock.read)
        let office = ClientAddress(ipv4: 0xCB00_7107)
        var refused = 0
        func ask(_ routeClass: RouteClass) {
            if !limits.check(office, account: nil, routeClass).isAllowed { refused += 1 }
        }
        var visitors: [Visitor] = []
        for _ in 0..<Self.visitors {
            for routeClass in arrival { ask(routeClass) }
            let p50 = waits.lowerBound + Int(order.below(UInt64(waits.count)))
            visitors.append(Visitor(nextMS: 0, p50Seconds: p50))
        }
        var now: Int64 = 0
        while now < 10 * 60_000, let due = visitors.indices.min(by: { visitors[$0].nextMS < visitors[$1].nextMS }) {
            clock.advance(milliseconds: visitors[due].nextMS - now)
            now = visitors[due].nextMS
            ask(.poll)
            let tenths = PollDelay.tenths(p50Seconds: visitors[due].p50Seconds, chance: chance())
            visitors[due].nextMS = now + Int64(tenths) * 100
        }
        return refused
    }

    @Test(arguments: [0...0, 0...40, 0...3600])
    func `invariant 12, attack 30: an office that polls exactly when told is never refused`(
        waits: ClosedRange<Int>
    ) throws {
        var order = SplitMix(seed: 11)
        var spread = SplitMix(seed: UInt64(waits.upperBound))
        let random = try Self.refusals(
            chance: { Double(spread.below(1 << 20)) / Double(1 << 20) },
            waits: waits,
            order: &order
        )
        // All of them at the same moment each time, and each time as soon as the server ever says.
        let worst = try Self.refusals(chance: { 0 }, waits: waits, order: &order)
        #expect(random == 0)
        #expect(worst == 0)
    }

    @Test func `attack 30: an office that is called at once and asks for its passes every second is never refused`()
        throws
    {
        let plan = try AttackLimitTests.defaults()
        let clock = TestClock()
        let limits = Limits(plan, seed: 5, counters: LimitCounters(MetricsRegistry(), plan), clock: clock.read)
        let office = ClientAddress(ipv4: 0xCB00_7107)
        var refused = 0
        for _ in 0..<600 {
            for _ in 0..<Self.visitors where !limits.check(office, account: nil, .claim).isAllowed { refused += 1 }
            clock.advance(milliseconds: 1000)
        }
        #expect(refused == 0)
    }

    @Test func `attack 30: the start says which limit is too low for as many visitors as may connect`() throws {
        let most = 60 / (PollDelay.least * (1 - PollDelay.spread))
        let tight = try AttackLimitTests.defaults(["--limit-poll-address", "1200/1m,300"])
        let loose = try AttackLimitTests.defaults()
        #expect(tight.rulesBelow(visitors: Self.visitors, pollsPerMinuteMost: most).map(\.name) == ["poll-address"])
        #expect(loose.rulesBelow(visitors: Self.visitors, pollsPerMinuteMost: most).isEmpty)
    }

    @Test func `attack 30: over sockets, on as many connections as an address may have`() async throws {
        let clock = TestClock()
        var setup = EdgeBench.Setup()
        setup.limits = try AttackLimitTests.defaults()
        setup.clock = clock.read
        try await EdgeBench.with(setup, threads: 2) { edge in
            edge.rooms.state.withLock {
                $0.replies = ["join": EdgeReply(status: 201), "place": EdgeReply(status: 200)]
            }
            var clients: [RawClient] = []
            for _ in 0..<Self.visitors { clients.append(try await edge.client()) }
            var statuses: [Int: Int] = [:]
            func ask(_ client: RawClient, _ method: String, _ path: String) async throws {
                client.send(
                    "\(method) \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".replacing(
                        method == "GET" ? "Content-Length: 0\r\n" : "none",
                        with: ""
                    )
                )
                statuses[try await client.reply().status, default: 0] += 1
            }
            for client in clients {
                try await ask(client, "GET", "/usher/waiting.css")
                try await ask(client, "POST", "/v1/rooms/summer/join")
            }
            for round in 1...4 {
                for client in clients { try await ask(client, "GET", "/v1/rooms/summer/place") }
                clock.advance(milliseconds: Int64(PollDelay.tenths(p50Seconds: round, chance: 0)) * 100)
            }
            #expect(statuses == [200: Self.visitors * 5, 201: Self.visitors])
            for client in clients { await client.close() }
        }
    }
}
