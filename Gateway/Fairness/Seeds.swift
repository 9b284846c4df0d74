// What decides an order, and what binds the operator to it beforehand. Formulas: docs/fairness.md.
import Signing

/// A secret fixed before anybody joins: its hash is published at once, the secret itself when nothing can depend on it
/// any more.
package enum Commitment {
    package static let secretLength = 32

    package static func of(room: String, generation: Int, secret: [UInt8]) -> Digest {
        precondition(secret.count == secretLength, "a room's secret has 32 bytes")
        var message = Canonical("usher/commit/v1")
        message.append(text: room)
        message.append(UInt64(generation))
        message.append(fixed: secret)
        return Digest.of(message.bytes)
    }
}

/// Orders those who arrived in one tie window.
package enum TieBreak {
    package static func seed(secret: [UInt8], room: String, first: UInt64, count: UInt64) -> Digest {
        var message = Canonical("usher/tie/v1")
        message.append(text: room)
        message.append(first)
        message.append(count)
        guard let seed = Digest(HMACSHA256.code(for: message.bytes, key: secret)) else {
            preconditionFailure("HMAC-SHA-256 has 32 bytes")
        }
        return seed
    }
}

/// Orders the cohort of a lottery.
package enum DrawSeed {
    package static let version = "usher/draw/v1"
    package static let valueLength = 32

    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The randomness of a drand round named before the seal.
        case drand = 1
        /// The room's secret, committed to before anybody joined: weaker, as the operator knows it.
        case commitReveal = 2
    }

    /// `root` is that of the first `count` entries; `value` the 32 bytes of the beacon or the secret.
    package static func of(
        room: String,
        generation: Int,
        root: Digest,
        count: UInt64,
        kind: Kind,
        value: [UInt8]
    ) -> Digest {
        precondition(value.count == valueLength, "a draw's value has 32 bytes")
        var message = Canonical(version)
        message.append(text: room)
        message.append(UInt64(generation))
        message.append(fixed: root.bytes)
        message.append(count)
        message.append(kind.rawValue)
        message.append(fixed: value)
        return Digest.of(message.bytes)
    }
}
