// One line of a shared access list, as admins see it.
import Foundation
package import Queueing
package import RateLimiting

package struct AccessEntry: Codable, Sendable, Equatable {
    package static let reasonBytesMax = 200

    /// An address, a CIDR block, `account:<id>` or `agent:<beginning of User-Agent>`.
    package var entry: String
    package var reason: String
    package var expiresAt: String?
    package var addedAt: String

    private enum CodingKeys: String, CodingKey {
        case entry, reason
        case expiresAt = "expires_at"
        case addedAt = "added_at"
    }

    package var expiry: Moment? { expiresAt.flatMap { Moment(rfc3339: $0) } }

    package var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}

/// The two lists, by name.
package enum AccessListName: String, Sendable, CaseIterable {
    case deny, allow
}

/// What a gateway holds of both lists; handed to every loop.
package struct AccessLists: Sendable {
    package var denied = AccessList()
    package var allowed = AccessList()
    /// Whether they have ever been read.
    package var isKnown = false

    package init() {}

    package subscript(name: AccessListName) -> AccessList {
        get { name == .deny ? denied : allowed }
        set { if name == .deny { denied = newValue } else { allowed = newValue } }
    }

    package var isEmpty: Bool { denied.isEmpty && allowed.isEmpty }
}

/// What the lists say of somebody. Refused goes before allowed.
package enum Standing: Sendable, Equatable {
    case ordinary
    /// Meets no limits and no bans.
    case allowed
    case denied
}
