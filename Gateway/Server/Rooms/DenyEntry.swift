// One line of the shared deny list as it is kept in Redis and shown to admins.
import Foundation
import RateLimiting
import Queueing
import Redis

package struct DenyEntry: Codable, Sendable, Equatable {
    package static let reasonBytesMax = 200

    /// An address, a CIDR block, or `account:<id>`.
    package var entry: String
    package var reason: String
    package var expiresAt: String?
    package var addedAt: String

    private enum CodingKeys: String, CodingKey {
        case entry, reason
        case expiresAt = "expires_at"
        case addedAt = "added_at"
    }
}

extension DenyEntry {
    var expiry: Moment? { expiresAt.flatMap { Moment(rfc3339: $0) } }
    var plain: DenyList.Entry { DenyList.Entry(reason: reason, expiresAtMS: expiry?.milliseconds) }
}

extension DenyList {
    /// From the fields of the hash; entries that cannot be read are passed over.
    static func read(_ value: RedisValue) -> DenyList {
        var list = DenyList()
        for (name, value) in value.asDictionary ?? [:] {
            guard let target = Target(name), let bytes = value.asBytes,
                let entry = try? JSONDecoder().decode(DenyEntry.self, from: Foundation.Data(bytes))
            else { continue }
            list.insert(target, entry.plain)
        }
        return list
    }
}
