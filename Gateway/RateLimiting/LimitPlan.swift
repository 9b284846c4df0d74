/// Everything the limits of one listener are made from.
package struct LimitPlan: Sendable {
    package var rules: [LimitRule]
    /// Nil bans nobody.
    package var bans: BanPolicy?
    /// Addresses, and accounts, that are remembered.
    package var clientsMax: Int
    /// Banned addresses that are remembered.
    package var bansMax: Int

    package init(rules: [LimitRule], bans: BanPolicy? = nil, clientsMax: Int = 1024, bansMax: Int = 1024) {
        self.rules = rules
        self.bans = bans
        self.clientsMax = clientsMax
        self.bansMax = bansMax
    }

    package func rule(_ scope: LimitRule.Scope, _ routeClass: RouteClass?) -> LimitRule? {
        rules.first { $0.scope == scope && $0.routeClass == routeClass }
    }

    /// The rules of an address that so many visitors behind it, each polling as often as it is told to, would break.
    package func rulesBelow(visitors: Int, pollsPerMinuteMost: Double) -> [LimitRule] {
        [nil, RouteClass.poll].compactMap { rule(.address, $0) }.filter { rule in
            guard !rule.isShadow else { return false }
            let perMinute = Double(rule.rate.count) * 60 / Double(rule.rate.periodSeconds)
            return perMinute < Double(visitors) * pollsPerMinuteMost || rule.rate.burst < visitors
        }
    }
}
