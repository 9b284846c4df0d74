/// One limit: for whom it counts and how much.
package struct LimitRule: Sendable, Equatable {
    package enum Scope: String, Sendable, CaseIterable {
        case address, account, global
    }

    package var scope: Scope
    package var rate: Rate
    /// Counts and reports, refuses nobody.
    package var isShadow: Bool

    package init(_ scope: Scope, _ rate: Rate, isShadow: Bool = false) {
        self.scope = scope
        self.rate = rate
        self.isShadow = isShadow
    }
}

/// What the limits say about one request.
package struct LimitVerdict: Sendable, Equatable {
    package var isAllowed: Bool
    /// The rule that is nearest to its end, or that refused.
    package var rule: LimitRule?
    package var remaining: Int
    package var resetSeconds: Int
    /// 0 when allowed.
    package var retryAfterSeconds: Int
    /// Shadow rules that would have refused.
    package var shadowRefusals: Int

    /// The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    package var policyField: String? {
        rule.map { "\"\($0.scope.rawValue)\";q=\($0.rate.count);w=\($0.rate.periodSeconds)" }
    }

    /// The value of `RateLimit`.
    package var stateField: String? {
        rule.map { "\"\($0.scope.rawValue)\";r=\(remaining);t=\(resetSeconds)" }
    }
}

/// All limits of one event loop, in a fixed amount of memory. A request is counted only if every rule lets it pass.
package struct RateLimiter: Sendable {
    private let rules: [LimitRule]
    private var tables: [AllowanceTable]
    package private(set) var refusals = 0

    /// Each rule remembers `capacity` clients; for the seed see `AllowanceTable`.
    package init(rules: [LimitRule], capacity: Int, seed: UInt64) {
        self.rules = rules
        tables = rules.map { AllowanceTable(capacity: $0.scope == .global ? 1 : capacity, seed: seed) }
    }

    package var evictions: Int { tables.reduce(0) { $0 + $1.evictions } }

    /// A visitor who has shown no account has none, and its rule does not apply.
    package mutating func check(address: NetworkAddress, account: LimitKey?, atNS nowNS: Int64) -> LimitVerdict {
        var verdict = LimitVerdict(
            isAllowed: true,
            remaining: .max,
            resetSeconds: 0,
            retryAfterSeconds: 0,
            shadowRefusals: 0
        )
        for (index, rule) in rules.enumerated() {
            guard let key = Self.key(rule.scope, address: address, account: account) else { continue }
            guard case .refused(let retry, let reset) = tables[index].ask(key, rule.rate, at: nowNS) else { continue }
            if rule.isShadow {
                verdict.shadowRefusals += 1
                continue
            }
            refusals += 1
            verdict.isAllowed = false
            verdict.rule = rule
            verdict.remaining = 0
            verdict.resetSeconds = Self.seconds(reset)
            verdict.retryAfterSeconds = Self.seconds(retry)
            return verdict
        }
        take(&verdict, address: address, account: account, atNS: nowNS)
        return verdict
    }

    private mutating func take(
        _ verdict: inout LimitVerdict,
        address: NetworkAddress,
        account: LimitKey?,
        atNS nowNS: Int64
    ) {
        for (index, rule) in rules.enumerated() {
            guard let key = Self.key(rule.scope, address: address, account: account) else { continue }
            guard case .allowed(let remaining, let reset) = tables[index].take(key, rule.rate, at: nowNS),
                !rule.isShadow, remaining < verdict.remaining
            else { continue }
            verdict.rule = rule
            verdict.remaining = remaining
            verdict.resetSeconds = Self.seconds(reset)
        }
        if verdict.rule == nil { verdict.remaining = 0 }
    }

    private static func key(_ scope: LimitRule.Scope, address: NetworkAddress, account: LimitKey?) -> LimitKey? {
        switch scope {
        case .address: address.limitKey
        case .account: account
        case .global: .global
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> Int {
        Int((nanoseconds + 999_999_999) / 1_000_000_000)
    }
}
