// The settings of limits and bans: one for each rule, as COUNT/PERIOD,BURST.
package import Operations
import Queueing
package import RateLimiting

package enum LimitSettings {
    private struct Known {
        var scope: LimitRule.Scope
        var routeClass: RouteClass?
        var standard: String
        var help: String

        var name: String { "limit-" + LimitRule.name(scope, routeClass) }
    }

    /// An address may be an office of as many people as it may have connections, all of whom come at the same second,
    /// wait, and ask as often as they are told to: polls at least 1.6 s apart, claims 1 s. Beyond that a rule of an
    /// address is there to stop floods; a rule of an account fits one person with a few windows.
    private static let known: [Known] = [
        Known(scope: .address, standard: "9000/1m,1500", help: "requests of one address (an IPv6 /64)"),
        Known(scope: .account, standard: "600/1m,200", help: "requests of one account"),
        Known(scope: .global, standard: "50000/1s,100000", help: "requests of everybody"),
        Known(scope: .address, routeClass: .join, standard: "240/1m,300", help: "joins and challenges of one address"),
        Known(scope: .account, routeClass: .join, standard: "30/1m,20", help: "joins and challenges of one account"),
        Known(scope: .global, routeClass: .join, standard: "off", help: "joins and challenges of everybody"),
        Known(
            scope: .address,
            routeClass: .poll,
            standard: "5000/1m,800",
            help: "polls, pages' files, keys: one address"
        ),
        Known(scope: .account, routeClass: .poll, standard: "240/1m,60", help: "the same of one account"),
        Known(scope: .global, routeClass: .poll, standard: "off", help: "the same of everybody"),
        Known(scope: .address, routeClass: .claim, standard: "6000/1m,600", help: "claims of one address"),
        Known(scope: .account, routeClass: .claim, standard: "120/1m,30", help: "claims of one account"),
        Known(scope: .global, routeClass: .claim, standard: "off", help: "claims of everybody"),
        Known(scope: .address, routeClass: .api, standard: "3000/1m,500", help: "requests to the shop of one address"),
        Known(scope: .account, routeClass: .api, standard: "300/1m,100", help: "requests to the shop of one account"),
        Known(scope: .global, routeClass: .api, standard: "off", help: "requests to the shop of everybody"),
        Known(
            scope: .address,
            routeClass: .auth,
            standard: "120/1m,150",
            help: "sign-ins and bad tokens of one address"
        ),
        Known(scope: .account, routeClass: .auth, standard: "20/1m,10", help: "sign-ins and refreshes of one account"),
        Known(scope: .global, routeClass: .auth, standard: "off", help: "sign-ins of everybody"),
        Known(
            scope: .address,
            routeClass: .admin,
            standard: "600/1m,200",
            help: "requests of one address to the admin port"
        ),
    ]

    /// Wrong admin tokens of one address.
    private static let adminTries = "60/1m,30"

    package static let keys: [Settings.Key] =
        known.map { Settings.Key($0.name, $0.standard, $0.help + ": COUNT/PERIOD,BURST or off") } + [
            .init("limit-shadow", "", "limits that count and refuse nobody, with commas: poll-address,ban or all"),
            .init("limit-clients-max", "131072", "addresses, and accounts, whose use is remembered"),
            .init("ban-after", "300/1m,300", "refusals of one address beyond which it is banned, or off"),
            .init("ban-lengths", "1m,5m,15m,1h", "length of the first ban of an address, the second …"),
            .init("ban-calm", "1h", "a calm time after which the next ban is one step shorter again"),
            .init("ban-addresses-max", "16384", "banned addresses that are remembered"),
        ]

    /// The limits of the visitors' port.
    package static func plan(_ settings: Settings) throws -> LimitPlan {
        let shadows = try shadows(settings)
        var rules: [LimitRule] = []
        for known in known where known.routeClass != .admin {
            guard let rate = try rate(settings, known.name) else { continue }
            let name = LimitRule.name(known.scope, known.routeClass)
            let isShadow = shadows.contains(name) || shadows.contains("all")
            rules.append(LimitRule(known.scope, known.routeClass, rate, isShadow: isShadow))
        }
        return LimitPlan(
            rules: rules,
            bans: try bans(settings, isShadow: shadows.contains("ban") || shadows.contains("all")),
            clientsMax: try settings.integer("limit-clients-max", in: 8...AllowanceTable.capacityMax),
            bansMax: try settings.integer("ban-addresses-max", in: 8...BanPolicy.addressesMax)
        )
    }

    /// Those of the admin port: its API, health pages and booking's admin API have one allowance each.
    package static func adminPlan(_ settings: Settings) throws -> LimitPlan {
        let name = "limit-" + LimitRule.name(.address, .admin)
        var rules = Rate(adminTries).map { [LimitRule(.address, .auth, $0)] } ?? []
        if let rate = try rate(settings, name) {
            let isShadow = try !shadows(settings).isDisjoint(with: [LimitRule.name(.address, .admin), "all"])
            for routeClass in [RouteClass.admin, .api, .poll] {
                rules.append(LimitRule(.address, routeClass, rate, isShadow: isShadow))
            }
        }
        return LimitPlan(rules: rules, clientsMax: adminClientsMax)
    }

    private static let adminClientsMax = 1024

    private static func rate(_ settings: Settings, _ name: String) throws -> Rate? {
        let text = try settings.string(name)
        if text == "off" { return nil }
        guard let rate = Rate(text) else {
            throw settings.malformed(
                name,
                "COUNT/PERIOD,BURST such as 240/1m,256 with numbers up to \(Rate.countMax), or off"
            )
        }
        return rate
    }

    private static func shadows(_ settings: Settings) throws -> Set<String> {
        let names = known.map { LimitRule.name($0.scope, $0.routeClass) } + ["ban", "all"]
        let shadows = (settings.optional("limit-shadow") ?? "").split(separator: ",").map(String.init)
        for shadow in shadows where !names.contains(shadow) {
            throw settings.malformed("limit-shadow", "names with commas of: \(names.joined(separator: " "))")
        }
        return Set(shadows)
    }

    private static func bans(_ settings: Settings, isShadow: Bool) throws -> BanPolicy? {
        guard let after = try rate(settings, "ban-after") else { return nil }
        let lengths = try settings.string("ban-lengths").split(separator: ",", omittingEmptySubsequences: false)
            .map { Rate.seconds($0) ?? 0 }
        let calm = try settings.duration("ban-calm", in: .seconds(1)...(.seconds(604_800)))
        let policy = BanPolicy(
            after: after,
            lengths: lengths,
            calmSeconds: Int(calm.wholeMilliseconds / 1000),
            isShadow: isShadow
        )
        guard let policy else {
            throw settings.malformed(
                "ban-lengths",
                "1 to \(BanPolicy.lengthsMax) times such as 1m,5m, none below the one before, at most 24h"
            )
        }
        return policy
    }
}
