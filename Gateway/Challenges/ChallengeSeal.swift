// The seal of what a gateway hands out before a join: HMAC-SHA-256 over every field with its length before it, so that
// no two different lists of fields have the same bytes (the flaw behind CVE-2025-68113 was fields without lengths).
import Signing

/// What a challenge is good for, taken from the request it comes with and never from the challenge itself.
package struct ChallengeScope: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
        case join
    }

    package var room: String
    package var action: Action
    /// Who asks: the dedupe tag of the device or account, so that an answer is worth nothing to anybody else.
    package var dedupeTag: [UInt8]

    package init(room: String, action: Action = .join, dedupeTag: [UInt8]) {
        self.room = room
        self.action = action
        self.dedupeTag = dedupeTag
    }
}

/// The secret that seals the challenges of one generation of a room; all gateways derive the same one.
package struct ChallengeKey: Sendable, Equatable {
    private let bytes: [UInt8]

    /// From the room's own secret, the same at every gateway.
    package init(secret: [UInt8], room: String, generation: Int) {
        var fields = SealedFields(purpose: "usher/challenge-key/v1")
        fields.add(Array(room.utf8))
        fields.add(number: UInt64(bitPattern: Int64(generation)))
        bytes = HMACSHA256.code(for: fields.bytes, key: secret)
    }

    func seal(_ fields: SealedFields) -> [UInt8] { HMACSHA256.code(for: fields.bytes, key: bytes) }

    func isValid(_ seal: [UInt8], for fields: SealedFields) -> Bool {
        HMACSHA256.isValid(seal, for: fields.bytes, key: bytes)
    }
}

/// Bytes to seal: each field as its length in four bytes, big-endian, then the field.
struct SealedFields {
    private(set) var bytes: [UInt8] = []

    init(purpose: String) { add(Array(purpose.utf8)) }

    mutating func add(_ field: [UInt8]) {
        bytes.append(bigEndian: UInt32(field.count))
        bytes.append(contentsOf: field)
    }

    mutating func add(number: UInt64) {
        var field: [UInt8] = []
        field.append(bigEndian: number)
        add(field)
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
