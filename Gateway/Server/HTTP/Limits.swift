package import EdgeHTTP
import NIOCore
package import Operations
import Queueing
package import RateLimiting
import Synchronization

/// The limits of a listener. One table for all event loops behind one lock: a visitor whose connections spread over the
/// loops must not get one allowance on each, and a check takes a fraction of a microsecond, so the loops hardly ever
/// meet at the lock.
package final class Limits: Sendable {
    package let plan: LimitPlan
    private let limiter: Mutex<RateLimiter>
    private let replies: LimitReplies
    private let counters: LimitCounters
    private let clock: @Sendable () -> Int64

    /// The seed is random bits, unknown outside; the clock gives nanoseconds that only grow.
    package init(
        _ plan: LimitPlan,
        seed: UInt64,
        counters: LimitCounters,
        clock: @escaping @Sendable () -> Int64 = { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
    ) {
        self.plan = plan
        limiter = Mutex(RateLimiter(plan, seed: seed))
        replies = LimitReplies(plan)
        self.counters = counters
        self.clock = clock
    }

    /// Counts a request and says whether it may go on. The one call on the path of every request.
    package func check(_ address: ClientAddress, account: LimitKey?, _ routeClass: RouteClass) -> LimitVerdict {
        let now = clock()
        let verdict = limiter.withLock {
            $0.check(NetworkAddress(address), account: account, routeClass, atNS: now)
        }
        if verdict.shadows != 0 || !verdict.isAllowed { counters.note(verdict, plan) }
        return verdict
    }

    /// 429 for a verdict that is not `allowed`.
    package func refusal(_ verdict: LimitVerdict) -> EdgeReply { replies.reply(verdict) }

    /// Whether an address may have one more token checked that was never seen before.
    package func mayTry(_ address: ClientAddress) -> Bool {
        let now = clock()
        return limiter.withLock { $0.mayTry(NetworkAddress(address), atNS: now) }
    }

    /// Counts a token that was bad.
    package func noteFailure(_ address: ClientAddress) {
        let now = clock()
        limiter.withLock { $0.noteFailure(NetworkAddress(address), atNS: now) }
    }

    // MARK: Bans

    func takeFreshBans() -> [FreshBan] { limiter.withLock { $0.takeFreshBans() } }

    func learnBan(_ key: LimitKey, level: Int, remaining: Duration) {
        let now = clock()
        let nanoseconds = remaining.wholeMilliseconds * 1_000_000
        limiter.withLock { $0.learnBan(key, level: level, remainingNS: nanoseconds, atNS: now) }
    }

    func liftBan(_ key: LimitKey) { limiter.withLock { $0.liftBan(key) } }

    // MARK: For operators

    package struct State: Sendable, Equatable {
        package var evictions: Int
        package var bans: Int
        package var bytes: Int
    }

    package var state: State {
        limiter.withLock { State(evictions: $0.evictions, bans: $0.banCount, bytes: $0.bytes) }
    }

    /// Requests a rule refused, or would have in shadow mode, since the start of this gateway.
    package func hits(of rule: LimitRule) -> UInt64 { counters.hits(ofIndex: rule.index) }
    package var bansBegun: UInt64 { counters.bansBegun }
    package var bannedRequests: UInt64 { counters.bannedRequests }
}

/// What the limits count, by rule.
package final class LimitCounters: Sendable {
    private let hits: [Counter?]
    private let bans: Counter
    private let banned: Counter

    package init(_ registry: MetricsRegistry, _ plan: LimitPlan, listener: String = "visitors") {
        var hits = [Counter?](repeating: nil, count: LimitRule.indexCount)
        for rule in plan.rules {
            hits[rule.index] = registry.counter(
                "usher_gateway_limit_hits_total",
                "Requests a limit refused, or would have refused in shadow mode.",
                labels: ["listener": listener, "rule": rule.name, "shadow": "\(rule.isShadow)"]
            )
        }
        self.hits = hits
        bans = registry.counter(
            "usher_gateway_bans_total",
            "Bans that began at this gateway, or would have in shadow mode.",
            labels: ["listener": listener]
        )
        banned = registry.counter(
            "usher_gateway_banned_requests_total",
            "Requests refused because of a ban.",
            labels: ["listener": listener]
        )
    }

    func note(_ verdict: LimitVerdict, _ plan: LimitPlan) {
        if verdict.beginsBan { bans.increment() }
        switch verdict.outcome {
        case .allowed: break
        case .limited: hits[Int(verdict.rule)]?.increment()
        case .banned: if verdict.beginsBan { hits[Int(verdict.rule)]?.increment() } else { banned.increment() }
        }
        var shadows = verdict.shadows
        while shadows != 0 {
            hits[shadows.trailingZeroBitCount]?.increment()
            shadows &= shadows - 1
        }
    }

    func hits(ofIndex index: Int) -> UInt64 { hits[index]?.count ?? 0 }
    var bansBegun: UInt64 { bans.count }
    var bannedRequests: UInt64 { banned.count }
}
