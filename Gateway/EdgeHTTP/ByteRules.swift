// Classes of bytes in a request (RFC 9110 §5.6.2, RFC 3986 §2.3), each a set of 128 bits, so that asking costs a shift.
#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A set of ASCII bytes; bytes from 0x80 on are in none.
struct ByteSet {
    private let low: UInt64
    private let high: UInt64

    /// One bit for each byte: 0 to 63, then 64 to 127.
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        (byte < 64 ? low >> UInt64(byte) : byte < 128 ? high >> UInt64(byte & 63) : 0) & 1 == 1
    }
}

enum ByteRules {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// `tchar` of RFC 9110: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        ByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe).contains(byte)
    }

    /// A token byte other than `_`: some servers read `_` and `-` as the same, so a name with one can pass for another.
    @inline(__always) static func isFieldName(_ byte: UInt8) -> Bool {
        ByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_47ff_fffe).contains(byte)
    }

    @inline(__always) static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != tab || byte == 0x7F
    }

    @inline(__always) static func isUnreserved(_ byte: UInt8) -> Bool {
        ByteSet(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe).contains(byte)
    }

    /// Printable ASCII without space, `"`, `#`, `<`, `>`, `\`, `^`, `` ` ``, `{`, `|`, `}`.
    @inline(__always) static func isTarget(_ byte: UInt8) -> Bool {
        ByteSet(low: 0xafff_fff2_0000_0000, high: 0x47ff_fffe_afff_ffff).contains(byte)
    }

    /// Letters, digits, `-`, `.`, `:`, `[`, `]`.
    @inline(__always) static func isHost(_ byte: UInt8) -> Bool {
        ByteSet(low: 0x07ff_6000_0000_0000, high: 0x07ff_fffe_2fff_fffe).contains(byte)
    }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - 0x30 }
        let lowered = byte | 0x20
        return (0x61...0x66).contains(lowered) ? lowered - 0x61 + 10 : nil
    }

    @inline(__always) static func lowered(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// What a field value is made of.
    enum ValueKind {
        case ascii
        /// Has bytes from 0x80 on: good only as UTF-8.
        case wide
        /// Has a control byte.
        case bad
    }

    /// Eight bytes at a time: a byte that is below 0x20, is 0x7F or has its high bit set sends its word to the slow way.
    static func valueKind(_ bytes: UnsafeRawBufferPointer) -> ValueKind {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var isWide = false
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let deletes = word ^ ones &* 0x7F
            let odd = (word &- ones &* 0x20) | (deletes &- ones) | word
            if odd & highs != 0 {
                for byte in bytes[index..<(index + 8)] {
                    if isControl(byte) { return .bad }
                    isWide = isWide || byte >= 0x80
                }
            }
            index += 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if isControl(byte) { return .bad }
            isWide = isWide || byte >= 0x80
            index += 1
        }
        return isWide ? .wide : .ascii
    }

    /// ASCII comparison without case. `lowered` is in lower case already.
    @inline(__always)
    static func isSame(_ bytes: UnsafeRawBufferPointer, _ lowered: StaticString) -> Bool {
        guard bytes.count == lowered.utf8CodeUnitCount else { return false }
        for index in bytes.indices where Self.lowered(bytes[index]) != lowered.utf8Start[index] { return false }
        return true
    }
}

extension UnsafeRawBufferPointer {
    package func isEqual(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && hasPrefix(text)
    }

    package func hasPrefix(_ text: StaticString) -> Bool {
        guard let baseAddress, count >= text.utf8CodeUnitCount else { return text.utf8CodeUnitCount == 0 }
        return memcmp(baseAddress, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
}
