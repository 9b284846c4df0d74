// The proof of work: find the one number below `limit` whose hash is `target`. The gateway drew the number, so the
// work has an end that is known beforehand, and checking it is one HMAC and one hash (the deterministic mode of ALTCHA).
//
// hash = SHA-256("usher/pow/v1" ‖ nonce (16) ‖ number (4, big-endian)): 32 bytes, one block of SHA-256.
//
// Text: base64url of version (1, = 1) · kind (1, = 1) · algorithm (1, = 1: SHA-256) · nonce (16) · expiry (8, ms since
// 1970) · limit (4) · target (32) · seal (32). Every length is fixed. Under the seal are also the room, the action and
// who asked, which the text does not carry: they come from the request.
import Signing

package struct Puzzle: Sendable, Equatable {
    package static let algorithm = "SHA-256"
    package static let lifetimeMaxMS: Int64 = 120_000
    /// A slow phone tries all of them in seven seconds (`EffortLadder`).
    package static let limitMax: UInt32 = 1_000_000
    package static let entropyLength = nonceLength + 8

    package let nonce: [UInt8]
    package let expiresAtMS: Int64
    package let limit: UInt32
    package let target: [UInt8]
    private let seal: [UInt8]

    /// The number is below `limit`: it takes `(limit + 1) / 2` tries on average and `limit` at most. The entropy is
    /// `entropyLength` unpredictable bytes, never used before.
    package init(
        for scope: ChallengeScope,
        limit: UInt32,
        lifetimeMS: Int64 = lifetimeMaxMS,
        atMS now: Int64,
        entropy: [UInt8],
        key: ChallengeKey
    ) {
        precondition(entropy.count == Self.entropyLength, "a puzzle takes \(Self.entropyLength) bytes of entropy")
        let bounded = min(max(limit, 1), Self.limitMax)
        let nonce = Array(entropy.prefix(Self.nonceLength))
        let drawn = entropy.dropFirst(Self.nonceLength).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let number = UInt32(drawn.multipliedFullWidth(by: UInt64(bounded)).high)
        let expiresAtMS = now + min(lifetimeMS, Self.lifetimeMaxMS)
        let target = SHA256.digest(PuzzleHash.message(nonce: nonce, number: number))
        self.nonce = nonce
        self.expiresAtMS = expiresAtMS
        self.limit = bounded
        self.target = target
        seal = key.seal(Self.fields(nonce, expiresAtMS, bounded, target, scope))
    }

    /// What is hashed before the number.
    package var prefix: [UInt8] { PuzzleHash.label + nonce }

    package var text: String {
        var bytes = Self.head + nonce
        bytes.append(bigEndian: expiresAtMS)
        bytes.append(bigEndian: limit)
        return Base64URL.encode(bytes + target + seal)
    }

    /// Reads a puzzle that was sealed for this room, action and visitor.
    init(_ text: String, sealedFor scope: ChallengeScope, key: ChallengeKey) throws(ChallengeFlaw) {
        guard text.utf8.count == Base64URL.encodedLength(of: Self.length), let bytes = Base64URL.decode(text),
            bytes.starts(with: Self.head)
        else { throw .malformed }
        var reader = FixedReader(bytes, from: Self.head.count)
        nonce = reader.take(Self.nonceLength)
        expiresAtMS = reader.number()
        limit = reader.number()
        target = reader.take(SHA256.length)
        seal = reader.take(SHA256.length)
        guard key.isValid(seal, for: Self.fields(nonce, expiresAtMS, limit, target, scope)) else { throw .wrongSeal }
    }

    func isSolved(by number: UInt32) -> Bool {
        number < limit
            && ConstantTime.areEqual(SHA256.digest(PuzzleHash.message(nonce: nonce, number: number)), target)
    }

    private static let nonceLength = 16
    private static let head: [UInt8] = [1, 1, 1]
    private static let length = head.count + nonceLength + 8 + 4 + SHA256.length + SHA256.length

    private static func fields(
        _ nonce: [UInt8],
        _ expiresAtMS: Int64,
        _ limit: UInt32,
        _ target: [UInt8],
        _ scope: ChallengeScope
    ) -> SealedFields {
        var fields = SealedFields(purpose: "usher/pow/v1")
        fields.add(Array(algorithm.utf8))
        fields.add(Array(scope.action.rawValue.utf8))
        fields.add(Array(scope.room.utf8))
        fields.add(scope.dedupeTag)
        fields.add(nonce)
        fields.add(number: UInt64(bitPattern: expiresAtMS))
        fields.add(number: UInt64(limit))
        fields.add(target)
        return fields
    }
}

enum PuzzleHash {
    static let label = Array("usher/pow/v1".utf8)

    static func message(nonce: [UInt8], number: UInt32) -> [UInt8] {
        var message = label + nonce
        message.append(bigEndian: number)
        return message
    }
}

/// Reads bytes whose lengths were checked before.
struct FixedReader {
    private let bytes: [UInt8]
    private var position: Int

    init(_ bytes: [UInt8], from start: Int) {
        self.bytes = bytes
        position = start
    }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }

    mutating func number<Number: FixedWidthInteger>() -> Number {
        take(Number.bitWidth / 8).reduce(Number(0)) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }
}
