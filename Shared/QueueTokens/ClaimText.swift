// Reads and writes the one JSON form our claims have: fixed members in a fixed order, no white space, no escapes.
//
// A general JSON parser would have to be told to refuse duplicates, other orders, other spellings of a number or a
// text; a form that has only one spelling cannot be varied in the first place.

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif
import Signing

/// Reads on from `position`; after the first thing that does not fit, everything is nil or false.
struct ClaimReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// Takes exactly this text.
    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        guard let start = bytes.baseAddress, memcmp(start + position, text.utf8Start, count) == 0 else { return false }
        position += count
        return true
    }

    /// The bytes of a text up to its closing quote, which is taken, too.
    mutating func textBytes() -> UnsafeRawBufferPointer? {
        var end = position
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            guard ClaimWriter.isPlain(bytes[end]) else { return nil }
            end += 1
        }
        guard end < bytes.count, end - position <= TokenRules.claimBytesMax else { return nil }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }

    mutating func text() -> String? {
        textBytes().map { String(decoding: $0, as: UTF8.self) }
    }

    /// A whole number from 0 to `Int64.max` without sign or leading zero.
    mutating func number() -> Int64? {
        let start = position
        var value: Int64 = 0
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, tensOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(Int64(digit))
            guard !tensOverflow, !overflow else { return nil }
            value = sum
            position += 1
        }
        let count = position - start
        guard count > 0, count == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        return value
    }
}

/// Writes into memory that somebody else owns; after the first thing that does not fit or cannot be written there is a
/// fault.
struct ClaimWriter {
    private let space: UnsafeMutableRawBufferPointer
    private var count = 0
    private(set) var fault: TokenFault?

    private static let digitsMax = 19

    init(into space: UnsafeMutableRawBufferPointer) { self.space = space }

    /// What was written so far.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: space[..<count]) }

    /// Printable ASCII that needs no escape.
    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte &- 0x20 < 0x5f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= space.count - count else {
            fault = fault ?? .tooLong
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// `before` ends with the opening quote; the closing one is written here.
    mutating func put(_ before: StaticString, text: String) {
        put(before)
        var own = text
        own.withUTF8 { bytes in
            var isGood = bytes.count <= TokenRules.claimBytesMax
            for byte in bytes { isGood = isGood && Self.isPlain(byte) }
            if !isGood { fault = fault ?? .unwritableClaim(text) }
            put(UnsafeRawBufferPointer(bytes))
        }
        put("\"")
    }

    mutating func put(_ before: StaticString, number: Int64) {
        put(before)
        guard number >= 0 else {
            fault = fault ?? .unwritableClaim("\(number)")
            return
        }
        withUnsafeTemporaryAllocation(byteCount: Self.digitsMax, alignment: 1) { digits in
            var (rest, start) = (number, Self.digitsMax)
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            put(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...]))
        }
    }

    /// In base64url.
    mutating func put(encoding bytes: UnsafeRawBufferPointer) {
        let length = Base64URL.encodedLength(of: bytes.count)
        guard length <= space.count - count else {
            fault = fault ?? .tooLong
            return
        }
        let end = UnsafeMutableRawBufferPointer(rebasing: space[count...])
        count += Base64URL.encode(bytes, into: end.assumingMemoryBound(to: UInt8.self))
    }
}
