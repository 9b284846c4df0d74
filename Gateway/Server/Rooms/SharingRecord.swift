// The latest passes that two networks used at once, as all gateways of a room found them.
package import Queueing
import Redis

package struct SharingEvent: Sendable, Equatable {
    package var at: Moment
    package var passID: String
    package var place: UInt64
    /// Where it was used last: a /24 or a /48.
    package var network: String
    /// What was done: `log`, `step_up` or `end`.
    package var action: String
}

extension RoomStore {
    package static let sharingsMax = 100

    /// The latest first, at most `sharingsMax`.
    package func sharings(_ name: RoomName) async throws -> [SharingEvent] {
        let reply = try await redis.call([
            "XREVRANGE", RoomKeys(name).sharing, "+", "-", "COUNT", .integer(Self.sharingsMax),
        ])
        return (reply.asArray ?? []).compactMap(Self.sharing)
    }

    private static func sharing(_ value: RedisValue) -> SharingEvent? {
        guard let parts = value.asArray, parts.count == 2, let fields = parts[1].asDictionary,
            let at = parts[0].asText.flatMap({ Int64($0.prefix { $0 != "-" }) }), let pass = fields["pid"]?.asText,
            let place = fields["place"]?.asText.flatMap({ UInt64($0) }), let action = fields["action"]?.asText,
            let network = fields["network"]?.asText.flatMap({ UInt64($0, radix: 16) })
        else { return nil }
        return SharingEvent(
            at: Moment(milliseconds: at),
            passID: pass,
            place: place,
            network: PassNetwork(bits: network).description,
            action: action
        )
    }
}

/// The members of `revoked`: pass ids, and `id@seconds` for passes of which older tokens are dead.
struct RevokedPasses {
    private(set) var ended: Set<String> = []
    private(set) var goodFrom: [String: Int64] = [:]

    init(_ members: [String]) {
        for member in members {
            guard let at = member.lastIndex(of: "@"), let from = Int64(member[member.index(after: at)...]) else {
                ended.insert(member)
                continue
            }
            let pass = String(member[..<at])
            let known = goodFrom[pass]
            // 0 is the last word: no token is good any more.
            goodFrom[pass] = from == 0 || known == 0 ? 0 : max(from, known ?? 0)
        }
    }
}
