import Foundation
import Ordering
import Signing

/// The clock of the command line, and identifiers made with it.
enum WallClock {
    static func now() -> Moment {
        Moment(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    static func makeID<Kind: IdentifierKind>() throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes: UUIDv7.make(milliseconds: now().milliseconds).bytes) else {
            throw UpFault("no identifier could be made")
        }
        return id
    }
}
