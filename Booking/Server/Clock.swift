import Foundation
import Ordering
import Signing

/// The one place of this service that reads the wall clock.
struct Clock: Sendable {
    var now: @Sendable () -> Moment

    static let system = Clock {
        Moment(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    /// A new identifier: time and chance.
    func makeID<Kind: IdentifierKind>() -> Identifier<Kind> {
        let bytes = UUIDv7.make(milliseconds: now().milliseconds).bytes
        guard let id = Identifier<Kind>(bytes: bytes) else { preconditionFailure("a UUID has 16 bytes") }
        return id
    }
}
