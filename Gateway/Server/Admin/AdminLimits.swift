// Limits and bans in the admin API: what is in force, whom it has hit, and a way out for those banned by mistake.
import EdgeHTTP
import Foundation
import Logging
import Queueing
import RateLimiting
import UsherAPI

extension AdminAPI {
    private struct RuleReport: Encodable {
        var rule: String
        var scope: String
        /// Nil counts requests of every class.
        var routeClass: String?
        var count: Int
        var periodS: Int
        var burst: Int
        var shadow: Bool
        var hits: UInt64

        private enum CodingKeys: String, CodingKey {
            case rule, scope, count, burst, shadow, hits
            case routeClass = "class"
            case periodS = "period_s"
        }
    }

    private struct BanReport: Encodable {
        var after: Int
        var periodS: Int
        var burst: Int
        var lengthsS: [Int]
        var calmS: Int
        var shadow: Bool
        var begun: UInt64
        var refused: UInt64
        var addresses: Int
        var addressesMax: Int

        private enum CodingKeys: String, CodingKey {
            case after, burst, shadow, begun, refused, addresses
            case periodS = "period_s"
            case lengthsS = "lengths_s"
            case calmS = "calm_s"
            case addressesMax = "addresses_max"
        }
    }

    private struct LimitReport: Encodable {
        var data: [RuleReport]
        var nextCursor: String?
        var bans: BanReport?
        var clientsMax: Int
        var tableBytes: Int
        var evictions: Int

        private enum CodingKeys: String, CodingKey {
            case data, bans, evictions
            case nextCursor = "next_cursor"
            case clientsMax = "clients_max"
            case tableBytes = "table_bytes"
        }
    }

    /// The limits of the visitors' port, in force on each gateway; the counts are this gateway's since its start.
    func limitReport() -> EdgeReply {
        let state = limits.state
        let rules = limits.plan.rules.map { rule in
            RuleReport(
                rule: rule.name,
                scope: rule.scope.rawValue,
                routeClass: rule.routeClass?.name,
                count: rule.rate.count,
                periodS: rule.rate.periodSeconds,
                burst: rule.rate.burst,
                shadow: rule.isShadow,
                hits: limits.hits(of: rule)
            )
        }
        let bans = limits.plan.bans.map { policy in
            BanReport(
                after: policy.after.count,
                periodS: policy.after.periodSeconds,
                burst: policy.after.burst,
                lengthsS: policy.lengths,
                calmS: policy.calmSeconds,
                shadow: policy.isShadow,
                begun: limits.bansBegun,
                refused: limits.bannedRequests,
                addresses: state.bans,
                addressesMax: limits.plan.bansMax
            )
        }
        return encoded(
            LimitReport(
                data: rules,
                bans: bans,
                clientsMax: limits.plan.clientsMax,
                tableBytes: state.bytes,
                evictions: state.evictions
            )
        )
    }

    private struct BanLine: Encodable {
        var address: String
        var level: Int
        var since: String
        var endsAt: String
        /// The limit whose refusals led to it.
        var rule: String

        private enum CodingKeys: String, CodingKey {
            case address, level, since, rule
            case endsAt = "ends_at"
        }
    }

    private struct BanPage: Encodable {
        var data: [BanLine]
        /// How many there are; the page shows the latest.
        var total: Int
    }

    static let bansShownMax = 1000

    /// The bans of all gateways.
    func listBans() async throws -> EdgeReply {
        let bans = try await access.bans().bans
        let lines = bans.prefix(Self.bansShownMax).map { ban in
            BanLine(
                address: ban.address,
                level: ban.level,
                since: Moment(milliseconds: ban.sinceMS).rfc3339,
                endsAt: Moment(milliseconds: ban.endMS).rfc3339,
                rule: ban.rule
            )
        }
        return encoded(BanPage(data: Array(lines), total: bans.count))
    }

    func liftBan(_ request: EdgeRequest) async throws -> EdgeReply {
        guard let text = request.queryValue("address"), let key = LimitKey(addressText: text) else {
            throw AdminRefusal(.validationFailed, "say which: ?address=<IPv4 address, IPv6 address or its /64>")
        }
        guard try await access.lift(key.addressText) == .done else {
            throw AdminRefusal(.notFound, "\(key.addressText) is not banned")
        }
        logger.notice("ban lifted", metadata: ["address": "\(key.addressText)"])
        return EdgeReply(status: 204, headers: ["Cache-Control": "no-store"])
    }

    private func encoded(_ report: some Encodable) -> EdgeReply {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = (try? encoder.encode(report)) ?? Foundation.Data()
        return json(200, String(decoding: bytes, as: UTF8.self))
    }
}
