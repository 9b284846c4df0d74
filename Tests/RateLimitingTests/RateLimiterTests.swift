import Testing

@testable import RateLimiting

let second: Int64 = 1_000_000_000

func address(_ number: Int) -> NetworkAddress { NetworkAddress(high: 0, low: 0xFFFF_0000_0000 | UInt64(number)) }

/// Whether each of the requests, all at one moment, passes.
func passes(_ limiter: inout RateLimiter, _ count: Int, _ routeClass: RouteClass = .api, from number: Int = 1) -> [Bool]
{
    (0..<count).map { _ in limiter.check(address(number), account: nil, routeClass, atNS: 0).isAllowed }
}

struct RateLimiterTests {
    static func plan(isShadow: Bool = false) throws -> LimitPlan {
        LimitPlan(
            rules: [
                LimitRule(.address, nil, try #require(Rate(60, burst: 2)), isShadow: isShadow),
                LimitRule(.account, nil, try #require(Rate(60, burst: 3))),
                LimitRule(.global, nil, try #require(Rate(600, burst: 5))),
            ],
            clientsMax: 64
        )
    }

    static func one(_ rate: Rate, clients: Int = 64) -> RateLimiter {
        RateLimiter(LimitPlan(rules: [LimitRule(.address, nil, rate)], clientsMax: clients), seed: 7)
    }

    @Test func `a burst passes and then the rate holds`() throws {
        var limiter = Self.one(try #require(Rate(60, perSeconds: 60, burst: 5)))
        let now = 100 * second
        let burst = (0..<6).map { _ in limiter.check(address(1), account: nil, .api, atNS: now) }
        #expect(burst.map(\.isAllowed) == [true, true, true, true, true, false])
        #expect([1, 2].contains(burst.last?.retryAfterSeconds))
        let later = (0..<2).map { _ in limiter.check(address(1), account: nil, .api, atNS: now + second).isAllowed }
        #expect(later == [true, false])
    }

    @Test(arguments: [(7, 3, 2), (600, 60, 10), (1, 1, 1), (1000, 1, 50)])
    func `no window of any length sees more than its share and the burst`(count: Int, period: Int, burst: Int) throws {
        let rate = try #require(Rate(count, perSeconds: period, burst: burst))
        var limiter = Self.one(rate)
        var taken: [Int64] = []
        var now: Int64 = 0
        var chance = SplitMix(seed: 42)
        for _ in 0..<3000 {
            now += Int64(chance.below(UInt64(rate.intervalNS * 2)))
            if limiter.check(address(1), account: nil, .api, atNS: now).isAllowed { taken.append(now) }
        }
        #expect(taken.count > 500)
        for start in stride(from: 0, to: taken.count, by: 37) {
            for end in start..<min(start + 200, taken.count) {
                let allowed = Double(taken[end] - taken[start]) * Double(count) / Double(period) / 1e9 + Double(burst)
                #expect(Double(end - start + 1) <= allowed + 1e-6)
            }
        }
    }

    @Test func `clients do not share an allowance`() throws {
        var limiter = Self.one(try #require(Rate(1, burst: 1)))
        let answers = [passes(&limiter, 2, from: 1), passes(&limiter, 1, from: 2)]
        #expect(answers == [[true, false], [true]])
    }

    @Test func `what one rule refuses costs no other rule anything`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        let greedy = passes(&limiter, 50, from: 1).count { $0 }
        let other = passes(&limiter, 2, from: 2)
        let account = LimitKey(high: 5, low: 5)
        // 48 refused requests of the first address have cost the whole gateway nothing: one of its five is left.
        let last = limiter.check(address(3), account: account, .api, atNS: 0).isAllowed
        let over = limiter.check(address(4), account: account, .api, atNS: 0)
        #expect(greedy == 2)
        #expect(other == [true, true])
        #expect(last && !over.isAllowed)
        #expect(over.rule == UInt8(LimitRule(.global, nil, try #require(Rate(1, burst: 1))).index))
    }

    @Test func `of several rules that refuse the one to wait longest for is named`() throws {
        let rules = [
            LimitRule(.address, nil, try #require(Rate(60, burst: 1))),
            LimitRule(.address, .join, try #require(Rate(2, burst: 1))),
        ]
        var limiter = RateLimiter(LimitPlan(rules: rules), seed: 3)
        _ = limiter.check(address(1), account: nil, .join, atNS: 0)
        let verdict = limiter.check(address(1), account: nil, .join, atNS: 0)
        #expect(verdict.rule == UInt8(rules[1].index))
        #expect((30...46).contains(verdict.retryAfterSeconds))
        let poll = limiter.check(address(1), account: nil, .poll, atNS: 0)
        #expect(poll.rule == UInt8(rules[0].index))
    }

    @Test func `an account is limited over all its addresses`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        let account = LimitKey(account: "usr_1")
        let answers = (1...4).map { limiter.check(address($0), account: account, .api, atNS: 0) }
        #expect(answers.map(\.isAllowed) == [true, true, true, false])
        #expect(answers.last.map { LimitRule.name(ofIndex: Int($0.rule)) } == "account")
    }

    @Test func `the whole gateway has a limit`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        let allowed = (1...9).count { limiter.check(address($0), account: nil, .api, atNS: 0).isAllowed }
        #expect(allowed == 5)
    }

    @Test func `a shadow rule counts and refuses nobody`() throws {
        var limiter = RateLimiter(try Self.plan(isShadow: true), seed: 1)
        let verdicts = (0..<4).map { _ in limiter.check(address(1), account: nil, .api, atNS: 0) }
        #expect(verdicts.map(\.isAllowed) == [true, true, true, true])
        #expect(verdicts.map(\.shadows) == [0, 0, 1, 1])
    }

    @Test func `Retry-After is spread and never too early`() throws {
        var limiter = Self.one(try #require(Rate(6, perSeconds: 60, burst: 1)))
        _ = limiter.check(address(1), account: nil, .api, atNS: 0)
        let waits = (0..<400).map { _ in limiter.check(address(1), account: nil, .api, atNS: 0).retryAfterSeconds }
        #expect(Set(waits) == [10, 11, 12, 13, 14, 15])
    }

    @Test func `an IPv6 network of 64 bits is one client`() throws {
        let one = try #require(NetworkAddress("2001:db8::1"))
        let two = try #require(NetworkAddress("2001:db8::ffff:2"))
        let other = try #require(NetworkAddress("2001:db8:0:1::1"))
        #expect(one.limitKey == two.limitKey)
        #expect(one.limitKey != other.limitKey)
    }

    @Test func `a clock that is set back locks nobody out for longer than the rule`() throws {
        var limiter = Self.one(try #require(Rate(60, burst: 3)))
        for _ in 0..<3 { _ = limiter.check(address(1), account: nil, .api, atNS: 5000 * second) }
        let early = limiter.check(address(1), account: nil, .api, atNS: 10 * second)
        let later = limiter.check(address(1), account: nil, .api, atNS: 13 * second)
        #expect(!early.isAllowed && early.retryAfterSeconds <= 2)
        #expect(!later.isAllowed && later.retryAfterSeconds <= 2)
        let after = limiter.check(address(1), account: nil, .api, atNS: 5001 * second)
        #expect(after.isAllowed)
    }

    @Test func `bad tokens come to an end and come back with time`() throws {
        let rules = [LimitRule(.address, .auth, try #require(Rate(60, burst: 3)))]
        var limiter = RateLimiter(LimitPlan(rules: rules), seed: 3)
        var tries = 0
        while limiter.mayTry(address(1), atNS: 0), tries < 10 {
            limiter.noteFailure(address(1), atNS: 0)
            tries += 1
        }
        let other = limiter.mayTry(address(2), atNS: 0)
        let later = limiter.mayTry(address(1), atNS: second)
        #expect(tries == 3 && other && later)
    }
}

struct RateTests {
    @Test(arguments: [
        ("240/1m,256", 240, 60, 256), ("50000/1s,100000", 50_000, 1, 100_000), ("7/2h,1", 7, 7200, 1),
        ("30", 30, 60, 30),
        ("30/10s", 30, 10, 30),
    ])
    func `a rate is written as count, period and burst`(text: String, count: Int, period: Int, burst: Int) {
        #expect(Rate(text) == Rate(count, perSeconds: period, burst: burst))
        #expect(Rate(text) != nil)
    }

    @Test(arguments: [
        "", "0/1m,1", "1/0s,1", "1/1m,0", "1000001", "1/1m,1000001", "1000000000/1m", "-1/1m", "1/m", "1/1d", "1,2,3",
        "1/1m/2", "+1/1m", "1/1m,", "1/ 1m", "99999999999999999999", "1/300h",
    ])
    func `a rate without sense is refused`(text: String) {
        #expect(Rate(text) == nil)
    }
}

struct RouteClassTests {
    @Test(arguments: [
        ("/v1/rooms/summer/join", RouteClass.join), ("/v1/rooms/summer/challenge", .join),
        ("/usher/rooms/summer/join", .join),
        ("/V1/ROOMS/summer/JOIN", .join), ("/v1/rooms/summer/join/", .join), ("/v1/rooms/summer/place", .poll),
        ("/v1/rooms/summer/snapshot", .poll), ("/v1/rooms/summer", .poll), ("/v1/rooms/", .poll),
        ("/v1/rooms/summer/xjoin", .poll), ("/.well-known/jwks.json", .poll), ("/usher/waiting.js", .poll),
        ("/v1/rooms/summer/claim", .claim), ("/v1/rooms/summer/leave", .claim), ("/usher/rooms/summer/claim", .claim),
        ("/v1/auth/login", .auth), ("/v1/AUTH/register", .auth), ("/v1/authors", .api), ("/v1/auth", .api), ("/", .api),
        ("/v1/sessions/ses_1/holds", .api), ("/sessions/ses_1", .api), ("/v1/roomsx/a/join", .api), ("", .api),
    ])
    func `a path has a class, however it is spelt`(path: String, routeClass: RouteClass) {
        #expect(RouteClass(path: path[...]) == routeClass)
    }
}
