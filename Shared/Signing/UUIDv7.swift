// 128-bit identifiers that sort by the time they were made (RFC 9562 §5.7), and their short text.

package struct UUIDv7: Hashable, Sendable, Comparable {
    package static let byteCount = 16
    package static let millisecondsMax: Int64 = 0xffff_ffff_ffff
    package static let randomCount = 10

    private let high: UInt64
    private let low: UInt64

    /// From milliseconds since 1970, cut to 48 bits, and ten random bytes, of which 74 bits are used.
    package static func make(milliseconds: Int64, random: [UInt8]) -> UUIDv7 {
        precondition(random.count >= randomCount, "a UUIDv7 wants ten random bytes")
        let time = UInt64(truncatingIfNeeded: milliseconds) & UInt64(millisecondsMax)
        let randomHigh = UInt64(random[0] & 0x0f) << 8 | UInt64(random[1])
        let randomLow = random[2..<randomCount].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return UUIDv7(high: time << 16 | 0x7000 | randomHigh, low: 0x8000_0000_0000_0000 | randomLow >> 2)
    }

    package static func make(milliseconds: Int64) -> UUIDv7 {
        make(milliseconds: milliseconds, random: SecureRandom.bytes(randomCount))
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Any sixteen bytes: version and variant are not looked at, as an id read back is an id.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package var bytes: [UInt8] {
        [high, low].flatMap { half in stride(from: 56, through: 0, by: -8).map { UInt8(half >> UInt64($0) & 0xff) } }
    }

    package var milliseconds: Int64 { Int64(high >> 16) }

    package static func < (one: UUIDv7, other: UUIDv7) -> Bool {
        one.high == other.high ? one.low < other.low : one.high < other.high
    }

    // MARK: Text

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    package static let textLength = 26

    /// 26 characters of Crockford's base32 in lower case; texts sort as the ids do.
    package var text: String {
        String(unsafeUninitializedCapacity: Self.textLength) { output in
            var (high, low) = (high, low)
            for index in stride(from: Self.textLength - 1, through: 0, by: -1) {
                output[index] = Self.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return Self.textLength
        }
    }

    /// Nil unless this is exactly what `text` gives: no upper case, no look-alikes, no more than 128 bits.
    package init?(text: some StringProtocol) {
        let characters = Array(text.utf8)
        guard characters.count == Self.textLength, characters[0] <= UInt8(ascii: "7") else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for character in characters {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    /// The usual form with hyphens, as PostgreSQL prints a `uuid`.
    package var hyphenated: String {
        let hex = Array(Hex.encode(bytes))
        return [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]].map { String($0) }
            .joined(separator: "-")
    }
}
