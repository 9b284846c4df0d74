import Testing

@testable import RateLimiting

struct BanTests {
    static func plan(
        after: Int = 5,
        lengths: [Int] = [60, 300, 900],
        isShadow: Bool = false,
        bansMax: Int = 64
    ) throws -> LimitPlan {
        LimitPlan(
            rules: [
                LimitRule(.address, nil, try #require(Rate(60, burst: 2))),
                LimitRule(.account, nil, try #require(Rate(60, burst: 2))),
                LimitRule(.global, nil, try #require(Rate(6_000, burst: 4000))),
            ],
            bans: BanPolicy(
                after: try #require(Rate(after, burst: after)),
                lengths: lengths,
                calmSeconds: 3600,
                isShadow: isShadow
            ),
            clientsMax: 64,
            bansMax: bansMax
        )
    }

    /// Sends until the first ban, or `most` times.
    static func offend(_ limiter: inout RateLimiter, at nowNS: Int64, most: Int = 50) -> (sent: Int, last: LimitVerdict)
    {
        var last = LimitVerdict()
        for sent in 1...most {
            last = limiter.check(address(1), account: nil, .api, atNS: nowNS)
            if last.outcome == .banned { return (sent, last) }
        }
        return (most, last)
    }

    @Test func `who goes on against refusals is banned, and free again after it`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        let (sent, verdict) = Self.offend(&limiter, at: 0)
        // Two pass, five refusals are forgiven.
        #expect(sent == 8)
        #expect(verdict.beginsBan && (60...91).contains(verdict.retryAfterSeconds))
        let during = limiter.check(address(1), account: nil, .poll, atNS: 59 * second)
        let other = limiter.check(address(2), account: nil, .poll, atNS: 59 * second)
        let after = limiter.check(address(1), account: nil, .poll, atNS: 60 * second)
        #expect(during.outcome == .banned && !during.beginsBan && during.retryAfterSeconds <= 2)
        #expect(other.isAllowed && after.isAllowed)
    }

    @Test func `each ban is longer than the one before, and calm forgives`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        var now: Int64 = 0
        var lengths: [Int64] = []
        for calm in [0, 0, 0, 0, 3600, 36_000] as [Int64] {
            now += calm * second
            _ = Self.offend(&limiter, at: now)
            let fresh = limiter.takeFreshBans()
            lengths.append(fresh.first.map { $0.lengthNS / second } ?? 0)
            now += (fresh.first?.lengthNS ?? 0) + second
        }
        #expect(lengths == [60, 300, 900, 900, 900, 60])
    }

    @Test func `slow refusals, and those of an account or of everybody, ban no address`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        var outcomes: Set<LimitVerdict.Outcome> = []
        // Over the limit all day, yet never more than five refusals a minute.
        for step in 0..<2000 {
            outcomes.insert(limiter.check(address(1), account: nil, .api, atNS: Int64(step) * second * 15 / 16).outcome)
        }
        let account = LimitKey(account: "usr_1")
        for client in 0..<40 {
            outcomes.insert(limiter.check(address(100 + client), account: account, .api, atNS: 0).outcome)
        }
        #expect(outcomes == [.allowed, .limited])
    }

    @Test func `a ban spares who shows an account, and the limits hold for them`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        _ = Self.offend(&limiter, at: 0)
        let account = LimitKey(account: "usr_1")
        let answers = (0..<20).map { _ in limiter.check(address(1), account: account, .api, atNS: 10 * second) }
        let bans = limiter.takeFreshBans().count
        #expect(answers.map(\.isAllowed) == [true, true] + [Bool](repeating: false, count: 18))
        #expect(answers.allSatisfy { $0.outcome != .banned })
        #expect(bans == 1)
    }

    @Test func `in shadow mode a ban is counted and nobody is shut out`() throws {
        var limiter = RateLimiter(try Self.plan(isShadow: true), seed: 1)
        let verdicts = (0..<14).map { _ in limiter.check(address(1), account: nil, .api, atNS: 0) }
        let fresh = limiter.takeFreshBans().count
        #expect(verdicts.count { $0.beginsBan } == 2)
        #expect(verdicts.allSatisfy { $0.outcome != .banned })
        #expect(fresh == 0)
    }

    @Test func `a ban of another gateway holds, never shortens ours, and ends when lifted`() throws {
        var limiter = RateLimiter(try Self.plan(), seed: 1)
        let key = address(1).limitKey
        limiter.learnBan(key, level: 2, remainingNS: 300 * second, atNS: 0)
        limiter.learnBan(key, level: 1, remainingNS: 10 * second, atNS: 0)
        let held = limiter.check(address(1), account: nil, .api, atNS: 299 * second).outcome
        limiter.liftBan(key)
        let free = limiter.check(address(1), account: nil, .api, atNS: 299 * second).outcome
        limiter.learnBan(key, level: 9, remainingNS: .max / 4, atNS: 0)
        let capped = limiter.check(address(1), account: nil, .api, atNS: 86_401 * second).outcome
        let fresh = limiter.takeFreshBans().count
        #expect(held == .banned && free == .allowed && capped == .allowed)
        #expect(fresh == 0)
    }

    @Test func `bans stay within their table and within what waits to be told`() throws {
        var limiter = RateLimiter(try Self.plan(after: 1, bansMax: 64), seed: 1)
        let bytes = limiter.bytes
        for client in 0..<3000 {
            for _ in 0..<5 { _ = limiter.check(address(client), account: nil, .api, atNS: Int64(client) * second) }
        }
        let after = (bans: limiter.banCount, bytes: limiter.bytes, fresh: limiter.takeFreshBans().count)
        #expect(after.bans <= 64 && after.bytes == bytes && after.fresh == BanTable.freshMax)
    }

    @Test(arguments: [
        ([], 60), ([60, 30], 60), ([0], 60), ([86_401], 60), ([60], 0), (Array(repeating: 1, count: 9), 60),
    ])
    func `a policy without sense is refused`(lengths: [Int], calm: Int) throws {
        let after = try #require(Rate(1, burst: 1))
        #expect(BanPolicy(after: after, lengths: lengths, calmSeconds: calm) == nil)
    }
}
