import Testing

@testable import RateLimiting

private let second: Int64 = 1_000_000_000

struct AllowanceTests {
    @Test func `a burst passes and then the rate holds`() throws {
        let rate = try #require(Rate(60, perSeconds: 60, burst: 5))
        var allowance = Allowance()
        for left in (0..<5).reversed() {
            #expect(
                allowance.take(rate, at: 100 * second) == .allowed(remaining: left, resetNS: Int64(5 - left) * second)
            )
        }
        #expect(allowance.take(rate, at: 100 * second) == .refused(retryAfterNS: second, resetNS: 5 * second))
        #expect(allowance.take(rate, at: 101 * second).isAllowed)
        #expect(!allowance.take(rate, at: 101 * second).isAllowed)
    }

    @Test(arguments: [(7, 3, 2), (600, 60, 10), (1, 1, 1), (1000, 1, 50)])
    func `no window of any length sees more than its share and the burst`(count: Int, period: Int, burst: Int) throws {
        let rate = try #require(Rate(count, perSeconds: period, burst: burst))
        var allowance = Allowance()
        var taken: [Int64] = []
        var now: Int64 = 0
        var state: UInt64 = 42
        for _ in 0..<3000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            now += Int64(state >> 33) % (rate.intervalNS * 2)
            if allowance.take(rate, at: now).isAllowed { taken.append(now) }
        }
        #expect(taken.count > 500)
        for start in stride(from: 0, to: taken.count, by: 37) {
            for end in start..<min(start + 200, taken.count) {
                let allowed = Double(taken[end] - taken[start]) * Double(count) / Double(period) / 1e9 + Double(burst)
                #expect(Double(end - start + 1) <= allowed + 1e-6)
            }
        }
    }

    @Test func `a tightened rule locks nobody out for longer than itself`() throws {
        let slow = try #require(Rate(1, perSeconds: 3600, burst: 10))
        let fast = try #require(Rate(60, perSeconds: 60, burst: 1))
        var allowance = Allowance()
        for _ in 0..<10 { _ = allowance.take(slow, at: 0) }
        #expect(!allowance.take(fast, at: 0).isAllowed)
        #expect(allowance.ask(fast, at: second) != .allowed(remaining: 1, resetNS: 0))
        guard case .refused(let retry, _) = allowance.ask(fast, at: second) else {
            Issue.record("should be refused")
            return
        }
        #expect(retry <= second)
    }

    @Test(arguments: [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1_000_001, 1, 1)])
    func `a rate without sense is refused`(count: Int, period: Int, burst: Int) {
        #expect(Rate(count, perSeconds: period, burst: burst) == nil)
    }
}

struct AllowanceTableTests {
    @Test func `clients do not share an allowance`() throws {
        let rate = try #require(Rate(1, burst: 1))
        var table = AllowanceTable(capacity: 64, seed: 7)
        let one = LimitKey(high: 1, low: 2)
        let two = LimitKey(high: 2, low: 1)
        #expect(table.take(one, rate, at: 0).isAllowed)
        #expect(!table.take(one, rate, at: 0).isAllowed)
        #expect(table.take(two, rate, at: 0).isAllowed)
    }

    @Test func `memory stays fixed and a busy client outlives a crowd of one-timers`() throws {
        let rate = try #require(Rate(60, perSeconds: 60, burst: 100))
        var table = AllowanceTable(capacity: 1024, seed: 99)
        let busy = LimitKey(high: 77, low: 77)
        for _ in 0..<100 { _ = table.take(busy, rate, at: 0) }
        for client in 0..<100_000 { _ = table.take(LimitKey(high: 0, low: UInt64(client)), rate, at: 0) }
        #expect(table.capacity == 1024)
        #expect(table.evictions > 0)
        #expect(!table.take(busy, rate, at: 0).isAllowed)
    }

    @Test func `the smallest table is one bucket and the largest is bounded`() {
        #expect(AllowanceTable(capacity: 0, seed: 0).capacity == 8)
        #expect(AllowanceTable(capacity: 9, seed: 0).capacity == 16)
    }
}

struct RateLimiterTests {
    static func limiter(isShadow: Bool = false) throws -> RateLimiter {
        RateLimiter(
            rules: [
                LimitRule(.address, try #require(Rate(60, burst: 2)), isShadow: isShadow),
                LimitRule(.account, try #require(Rate(60, burst: 3))),
                LimitRule(.global, try #require(Rate(600, burst: 5))),
            ],
            capacity: 64,
            seed: 1
        )
    }

    @Test func `what one rule refuses costs no other rule anything`() throws {
        var limiter = try Self.limiter()
        let address = try #require(NetworkAddress("192.0.2.1"))
        for _ in 0..<50 { _ = limiter.check(address: address, account: nil, atNS: 0) }
        let other = try #require(NetworkAddress("192.0.2.2"))
        let verdict = limiter.check(address: other, account: nil, atNS: 0)
        #expect(verdict.isAllowed)
        #expect(limiter.refusals == 48)
    }

    @Test func `the fields name the rule that is nearest to its end`() throws {
        var limiter = try Self.limiter()
        let address = try #require(NetworkAddress("192.0.2.1"))
        let first = limiter.check(address: address, account: nil, atNS: 0)
        #expect(first.policyField == "\"address\";q=60;w=60")
        #expect(first.stateField == "\"address\";r=1;t=1")
        _ = limiter.check(address: address, account: nil, atNS: 0)
        let refused = limiter.check(address: address, account: nil, atNS: 0)
        #expect(!refused.isAllowed && refused.retryAfterSeconds == 1)
        #expect(refused.stateField == "\"address\";r=0;t=2")
    }

    @Test func `an account is limited over all its addresses`() throws {
        var limiter = try Self.limiter()
        let account = LimitKey(high: 5, low: 5)
        let answers = try (1...4).map { last in
            let address = try #require(NetworkAddress("192.0.2.\(last)"))
            return limiter.check(address: address, account: account, atNS: 0)
        }
        #expect(answers.map(\.isAllowed) == [true, true, true, false])
        #expect(answers.last?.rule?.scope == .account)
    }

    @Test func `the whole gateway has a limit`() throws {
        var limiter = try Self.limiter()
        let allowed = try (1...9).filter { last in
            limiter.check(address: try #require(NetworkAddress("192.0.2.\(last)")), account: nil, atNS: 0).isAllowed
        }
        #expect(allowed.count == 5)
    }

    @Test func `a shadow rule counts and refuses nobody`() throws {
        var limiter = try Self.limiter(isShadow: true)
        let address = try #require(NetworkAddress("192.0.2.1"))
        let verdicts = (0..<4).map { _ in limiter.check(address: address, account: nil, atNS: 0) }
        #expect(verdicts.map(\.isAllowed) == [true, true, true, true])
        #expect(verdicts.map(\.shadowRefusals) == [0, 0, 1, 1])
    }

    @Test func `an IPv6 network of 64 bits is one client`() throws {
        let one = try #require(NetworkAddress("2001:db8::1"))
        let two = try #require(NetworkAddress("2001:db8::ffff:2"))
        let other = try #require(NetworkAddress("2001:db8:0:1::1"))
        #expect(one.limitKey == two.limitKey)
        #expect(one.limitKey != other.limitKey)
    }
}

struct DenyListTests {
    static func list(_ texts: [(String, Int64?)]) throws -> DenyList {
        var list = DenyList()
        for (text, expiry) in texts {
            list.insert(try #require(DenyList.Target(text)), .init(reason: text, expiresAtMS: expiry))
        }
        return list
    }

    @Test(
        arguments: [
            ("203.0.113.7", "203.0.113.7"), ("10.1.2.3", "10.0.0.0/8"), ("2001:db8::5", "2001:db8::/32"),
            ("::ffff:10.9.9.9", "10.0.0.0/8"), ("11.0.0.1", nil), ("2001:db9::1", nil),
        ] as [(String, String?)]
    )
    func `an address is found by itself or by its block`(text: String, reason: String?) throws {
        let list = try Self.list([("203.0.113.7", nil), ("10.0.0.0/8", nil), ("2001:db8::/32", nil)])
        let address = try #require(NetworkAddress(text))
        #expect(list.entry(for: address, atMS: 0)?.reason == reason)
    }

    @Test func `an entry ends at its time`() throws {
        let list = try Self.list([("203.0.113.7", 1000), ("account:usr_1", 1000)])
        let address = try #require(NetworkAddress("203.0.113.7"))
        #expect(list.entry(for: address, atMS: 999) != nil)
        #expect(list.entry(for: address, atMS: 1000) == nil)
        #expect(list.entry(forAccount: "usr_1", atMS: 999) != nil)
        #expect(list.entry(forAccount: "usr_1", atMS: 1000) == nil)
        #expect(list.entry(forAccount: "usr_2", atMS: 0) == nil)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "1.2.3", "::/129", "account:", "account:a b", "", "10.0.0.0/8/8",
        "10.0.0.0/-1",
    ])
    func `what is no address, block or account is refused`(text: String) {
        #expect(DenyList.Target(text) == nil)
    }
}
