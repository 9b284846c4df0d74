// The way without work, for weak devices and for browsers without script: a ticket that is good once some seconds have
// passed. It costs time instead of work, and a client has only so many at once (`PrefixHistory`).
//
// Text: base64url of version (1, = 1) · kind (1, = 2) · nonce (16) · opens (8, ms since 1970) · expiry (8) · seal (32).
import Signing

package struct WaitTicket: Sendable, Equatable {
    package static let lifetimeMS: Int64 = 120_000
    package static let secondsRange = 15...60
    package static let entropyLength = 16

    package let nonce: [UInt8]
    package let opensAtMS: Int64
    package let expiresAtMS: Int64
    private let seal: [UInt8]

    package init(for scope: ChallengeScope, seconds: Int, atMS now: Int64, entropy: [UInt8], key: ChallengeKey) {
        precondition(entropy.count == Self.entropyLength, "a ticket takes \(Self.entropyLength) bytes of entropy")
        let wait = min(max(seconds, Self.secondsRange.lowerBound), Self.secondsRange.upperBound)
        nonce = entropy
        opensAtMS = now + Int64(wait) * 1000
        expiresAtMS = now + Self.lifetimeMS
        seal = key.seal(Self.fields(nonce, opensAtMS, expiresAtMS, scope))
    }

    package var text: String {
        var bytes = Self.head + nonce
        bytes.append(bigEndian: opensAtMS)
        bytes.append(bigEndian: expiresAtMS)
        return Base64URL.encode(bytes + seal)
    }

    init(_ text: String, sealedFor scope: ChallengeScope, key: ChallengeKey) throws(ChallengeFlaw) {
        guard text.utf8.count == Base64URL.encodedLength(of: Self.length), let bytes = Base64URL.decode(text),
            bytes.starts(with: Self.head)
        else { throw .malformed }
        var reader = FixedReader(bytes, from: Self.head.count)
        nonce = reader.take(Self.entropyLength)
        opensAtMS = reader.number()
        expiresAtMS = reader.number()
        seal = reader.take(SHA256.length)
        guard key.isValid(seal, for: Self.fields(nonce, opensAtMS, expiresAtMS, scope)) else { throw .wrongSeal }
    }

    private static let head: [UInt8] = [1, 2]
    private static let length = head.count + entropyLength + 8 + 8 + SHA256.length

    private static func fields(
        _ nonce: [UInt8],
        _ opensAtMS: Int64,
        _ expiresAtMS: Int64,
        _ scope: ChallengeScope
    ) -> SealedFields {
        var fields = SealedFields(purpose: "usher/wait/v1")
        fields.add(Array(scope.action.rawValue.utf8))
        fields.add(Array(scope.room.utf8))
        fields.add(scope.dedupeTag)
        fields.add(nonce)
        fields.add(number: UInt64(bitPattern: opensAtMS))
        fields.add(number: UInt64(bitPattern: expiresAtMS))
        return fields
    }
}
