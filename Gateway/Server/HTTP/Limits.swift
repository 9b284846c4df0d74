package import EdgeHTTP
import NIOCore
import Operations
package import RateLimiting
import Synchronization
import UsherAPI

/// The limits of the whole gateway. One table for all event loops behind one lock: a visitor whose connections
/// spread over the loops must not get one allowance on each, and a check takes well under a microsecond, so the
/// loops hardly ever meet at the lock.
package final class Limits: Sendable {
    private let limiter: Mutex<RateLimiter>
    private let counters: EdgeCounters

    package init(_ limiter: RateLimiter, counters: EdgeCounters) {
        self.limiter = Mutex(limiter)
        self.counters = counters
    }

    /// Takes new rules into force; what clients have used up so far is forgotten.
    package func replace(with limiter: RateLimiter) {
        self.limiter.withLock { $0 = limiter }
    }

    package var evictions: Int { limiter.withLock { $0.evictions } }

    package func check(_ address: ClientAddress, account: String?) -> LimitVerdict {
        let key = account.map { LimitKey(account: $0) }
        let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        let verdict = limiter.withLock { $0.check(address: NetworkAddress(address), account: key, atNS: now) }
        if verdict.shadowRefusals > 0 { counters.shadowLimited.increment(by: UInt64(verdict.shadowRefusals)) }
        return verdict
    }

    /// 429 with the limit's fields. `Retry-After` is spread, so that refused visitors do not come back as one.
    package static func refusal(_ verdict: LimitVerdict, requestID: RequestID, chance: Double) -> EdgeReply {
        let atLeast = max(1, verdict.retryAfterSeconds)
        let spread = Int((Double(atLeast) * 0.5 * chance).rounded(.up))
        var headers: EdgeHeaders = ["Retry-After": String(atLeast + spread)]
        if let policy = verdict.policyField { headers.add("RateLimit-Policy", policy) }
        if let state = verdict.stateField { headers.add("RateLimit", state) }
        return EdgeReply(.rateLimited, requestID: requestID, headers: headers)
    }
}

extension LimitKey {
    /// Two FNV-1a hashes of the account's id. Ids are ours, so nobody can choose them to collide.
    init(account: String) {
        func hash(_ start: UInt64) -> UInt64 {
            account.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        }
        self.init(high: hash(0xCBF2_9CE4_8422_2325), low: hash(0x8422_2325_CBF2_9CE4))
    }
}
