// Attacks on limits, side services and the fail-open paths, by their numbers in the catalogue of attacks.
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

/// A clock that a test moves.
final class TestClock: Sendable {
    private let now = Atomic<Int64>(1_000_000_000_000)
    var read: @Sendable () -> Int64 { { self.now.load(ordering: .relaxed) } }
    func advance(milliseconds: Int64) { now.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed) }
}

struct AttackLimitTests {
    static func defaults(_ arguments: [String] = []) throws -> LimitPlan {
        let settings = try Settings.read(
            section: "gateway",
            keys: GatewayConfiguration.keys,
            arguments: arguments,
            environment: [:]
        )
        return try LimitSettings.plan(settings)
    }

    private static func address(_ number: UInt64) -> ClientAddress {
        ClientAddress(high: 0, low: 0xFFFF_0000_0000 | number & 0xFFFF_FFFF)
    }

    private static func limits(_ plan: LimitPlan, _ clock: TestClock = TestClock()) -> Limits {
        Limits(plan, seed: 5, counters: LimitCounters(MetricsRegistry(), plan), clock: clock.read)
    }

    // MARK: 24: forged addresses

    @Test func `attack 24: no field of a visitor makes it another visitor`() async throws {
        var setup = EdgeBench.Setup()
        setup.limits.rules = [LimitRule(.address, nil, try Rate(1, perSeconds: 3600, burst: 8).orThrow())]
        setup.clock = TestClock().read
        try await EdgeBench.with(setup) { edge in
            let names = [
                "X-Forwarded-For", "Forwarded", "True-Client-IP", "X-Real-IP", "CF-Connecting-IP", "X-Client-IP",
                "Fastly-Client-IP", "X-Forwarded",
            ]
            for (number, name) in names.enumerated() {
                let value = name == "Forwarded" ? "for=198.51.100.\(number)" : "198.51.100.\(number)"
                #expect(try await edge.ask("GET", "/usher/waiting.css", ["\(name): \(value)"]).status == 200)
            }
            for name in names {
                #expect(try await edge.ask("GET", "/usher/waiting.css", ["\(name): 198.51.100.77"]).status == 429)
            }
            let other = try await edge.ask("GET", "/usher/waiting.css", from: "127.0.0.2")
            #expect(other.status == 200)
        }
    }

    @Test func `attack 24: behind a proxy the leftmost address, which anybody can write, counts for nothing`()
        async throws
    {
        var setup = EdgeBench.Setup()
        setup.limits.rules = [LimitRule(.address, nil, try Rate(1, perSeconds: 3600, burst: 3).orThrow())]
        setup.clock = TestClock().read
        setup.proxies = [try AddressBlock("127.0.0.0/8").orThrow()]
        try await EdgeBench.with(setup) { edge in
            func ask(_ forwarded: String) async throws -> Int {
                try await edge.ask("GET", "/usher/waiting.css", ["X-Forwarded-For: \(forwarded)"]).status
            }
            var statuses: [Int] = []
            for last in 1...5 { statuses.append(try await ask("198.51.100.\(last), 203.0.113.9")) }
            #expect(statuses == [200, 200, 200, 429, 429])
            #expect(try await ask("203.0.113.9, 203.0.113.10") == 200)
            // Two fields are one list; the proxy's own comes last.
            let two = ["X-Forwarded-For: 198.51.100.9", "X-Forwarded-For: 203.0.113.9"]
            #expect(try await edge.ask("GET", "/usher/waiting.css", two).status == 429)
        }
    }

    @Test func `attack 24: addresses without end stay within the table, and known clients within their limits`() throws
    {
        var plan = try Self.defaults(["--limit-global", "off", "--limit-clients-max", "4096"])
        plan.clientsMax = 4096
        let clock = TestClock()
        let limits = Self.limits(plan, clock)
        let bytes = limits.state.bytes
        let greedy = Self.address(0xCB00_7107)
        while limits.check(greedy, account: nil, .join).isAllowed {}
        for number in 0..<300_000 {
            if number % 1000 == 0 { clock.advance(milliseconds: 1) }
            _ = limits.check(Self.address(0x0A00_0000 + UInt64(number)), account: nil, .join)
        }
        #expect(limits.state.bytes == bytes)
        #expect(limits.state.evictions > 290_000)
        // 0.3 s have given it one join back: had it been forgotten, it would have a burst of hundreds.
        #expect((0..<300).count { _ in limits.check(greedy, account: nil, .join).isAllowed } <= 2)
    }

    // MARK: 29: around the edges of a limit

    @Test func `attack 29: there is no edge of a window at which the limit doubles`() throws {
        let rate = try Rate(60, perSeconds: 60, burst: 60).orThrow()
        let clock = TestClock()
        let limits = Self.limits(LimitPlan(rules: [LimitRule(.address, nil, rate)]), clock)
        func burst() -> Int { (0..<200).count { _ in limits.check(Self.address(1), account: nil, .api).isAllowed } }
        var passed = burst()
        // The last moment of one minute and the first of the next: a fixed window would let twice as many through.
        for step in [59_900, 100, 100] as [Int64] {
            clock.advance(milliseconds: step)
            passed += burst()
        }
        // A burst, and one a second for the 60.1 s.
        #expect(passed == 120)
    }

    @Test func `attack 29: a parallel burst at the limit gets exactly the limit`() async throws {
        var setup = EdgeBench.Setup()
        setup.limits.rules = [LimitRule(.address, nil, try Rate(60, burst: 50).orThrow())]
        setup.clock = TestClock().read
        try await EdgeBench.with(setup, threads: 2) { edge in
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { tasks in
                for _ in 0..<40 {
                    tasks.addTask {
                        let client = try await edge.client()
                        let one = "GET /usher/waiting.css HTTP/1.1\r\nHost: a\r\n\r\n"
                        client.send(String(repeating: one, count: 5))
                        var seen: [Int] = []
                        for _ in 0..<5 { seen.append(try await client.reply().status) }
                        await client.close()
                        return seen
                    }
                }
                return try await tasks.reduce(into: [Int: Int]()) { counts, seen in
                    for status in seen { counts[status, default: 0] += 1 }
                }
            }
            #expect(statuses == [200: 50, 429: 150])
        }
    }

    @Test func `attack 29: a visitor over its limit takes nothing from the others`() throws {
        let limits = Self.limits(
            LimitPlan(rules: [
                LimitRule(.address, nil, try Rate(60, burst: 10).orThrow()),
                LimitRule(.address, .join, try Rate(60, burst: 2).orThrow()),
                LimitRule(.account, nil, try Rate(60, burst: 5).orThrow()),
                LimitRule(.global, nil, try Rate(60, burst: 40).orThrow()),
            ])
        )
        func passed(_ count: Int, _ number: UInt64, _ account: String?, _ routeClass: RouteClass) -> Int {
            (0..<count).count { _ in
                let key = account.map { LimitKey(account: $0) }
                return limits.check(Self.address(number), account: key, routeClass).isAllowed
            }
        }
        #expect(passed(10_000, 1, nil, .join) == 2)
        // Its refused joins cost neither its own polls nor its neighbours at the same address nor anybody else.
        #expect(passed(10_000, 1, "usr_greedy", .poll) == 5)
        #expect(passed(100, 1, nil, .poll) == 3)
        for visitor in 2...4 as ClosedRange<UInt64> { #expect(passed(100, visitor, nil, .poll) == 10) }
    }

    @Test func `attack 29: going round the gateways gains one burst each, and a ban at one is a ban at all`()
        async throws
    {
        let plan = LimitPlan(
            rules: [LimitRule(.address, nil, try Rate(60, burst: 10).orThrow())],
            bans: BanPolicy(after: try Rate(30, burst: 30).orThrow(), lengths: [60], calmSeconds: 60)
        )
        let offender = Self.address(1)
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil, limits: plan) { one in
                try await withGateway(on: server, tick: nil, limits: plan) { two in
                    var passed = 0
                    try await eventually {
                        let outcomes = [one, two].map { $0.limits.check(offender, account: nil, .poll).outcome }
                        passed += outcomes.count { $0 == .allowed }
                        return outcomes == [.banned, .banned]
                    }
                    // Two bursts, and what a second brings back while the test runs: never a share of what was asked.
                    #expect(passed >= 20 && passed < 20 + 2 * 20)
                    #expect(one.limits.bansBegun + two.limits.bansBegun >= 1)
                }
            }
        }
    }

    // MARK: 32: the cheap side services

    @Test func `attack 32: key set, challenge and sign-in are limited, each by its own rule`() async throws {
        var setup = EdgeBench.Setup()
        setup.limits = try Self.defaults([
            "--limit-join-address", "60/1m,3", "--limit-poll-address", "60/1m,3", "--limit-auth-address", "60/1m,3",
        ])
        setup.clock = TestClock().read
        try await EdgeBench.with(setup) { edge in
            let asked = [
                ("GET", "/.well-known/jwks.json", "poll"), ("GET", "/v1/rooms/summer/challenge", "join"),
                ("POST", "/v1/auth/login", "auth"), ("POST", "/V1/Auth/Register", "auth"),
            ]
            for (number, asked) in asked.enumerated() {
                let from = "127.0.0.\(number + 10)"
                var last: RawClient.Reply?
                for _ in 0..<4 {
                    last = try await edge.ask(asked.0, asked.1, body: asked.0 == "POST" ? "{}" : nil, from: from)
                }
                #expect(last?.status == 429)
                #expect(last?.first("ratelimit-policy") == "\"\(asked.2)-address\";q=60;w=60")
            }
        }
    }

    @Test func `attack 32: who sends bad tokens soon has none checked any more, and good ones cost nothing`()
        async throws
    {
        var setup = EdgeBench.Setup()
        setup.limits = try Self.defaults(["--limit-auth-address", "60/1m,5"])
        setup.clock = TestClock().read
        try await EdgeBench.with(setup) { edge in
            var statuses: [Int] = []
            for number in 0..<20 {
                statuses.append(try await edge.ask("GET", "/a", ["Authorization: Bearer bad-\(number)"]).status)
            }
            #expect(statuses == [Int](repeating: 200, count: 5) + [Int](repeating: 429, count: 15))
            #expect(edge.rooms.state.withLock { $0.checkedTokens } == 5)
            // From elsewhere: any number of visitors with tokens that are good, or were.
            for number in 0..<20 {
                let kind = number % 2 == 0 ? "good" : "late"
                let reply = try await edge.ask(
                    "GET",
                    "/a",
                    ["Authorization: Bearer \(kind)-\(number)"],
                    from: "127.0.0.2"
                )
                #expect(reply.status == 200)
            }
        }
    }

    @Test func `attack 32: guessing the admin token is limited and locks no admin out`() async throws {
        try await withTemporaryRedis { server in
            try await withRunningGateway(server) { ports, _ in
                let client = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                var guesses: [Int: Int] = [:]
                for number in 0..<60 {
                    let reply = try await client.ask(
                        "GET",
                        "/admin/v1/rooms",
                        ["Authorization: Bearer guess-\(number)"]
                    )
                    guesses[reply.status, default: 0] += 1
                }
                #expect(guesses[401] ?? 0 >= 30)
                #expect(guesses[429] ?? 0 >= 20)
                #expect(guesses[200] == nil)
                let good = ["Authorization: Bearer \(ports.token)"]
                #expect(try await client.ask("GET", "/admin/v1/rooms", good).status == 200)
                #expect(try await client.ask("GET", "/healthz").status == 200)
            }
        }
    }
}
