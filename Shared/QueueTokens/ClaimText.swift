// Reads and writes the one JSON form our claims have: fixed members in a fixed order, no white space, no escapes.
//
// A general JSON parser would have to be told to refuse duplicates, other orders, other spellings of a number or a
// text; a form that has only one spelling cannot be varied in the first place.

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

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

struct ClaimWriter {
    private(set) var bytes: [UInt8]
    private(set) var fault: TokenFault?

    private static let usualBytes = 640

    /// The claims come behind `start`.
    init(after start: [UInt8] = []) {
        bytes = []
        bytes.reserveCapacity(Self.usualBytes)
        bytes += start
    }

    /// Printable ASCII that needs no escape.
    static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    mutating func put(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// `before` ends with the opening quote; the closing one is written here.
    mutating func put(_ before: StaticString, text: String) {
        put(before)
        if text.utf8.count > TokenRules.claimBytesMax || !text.utf8.allSatisfy(Self.isPlain) {
            fault = fault ?? .unwritableClaim(text)
        }
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func put(_ before: StaticString, number: Int64) {
        put(before)
        if number < 0 { fault = fault ?? .unwritableClaim("\(number)") }
        bytes.append(contentsOf: String(number).utf8)
    }
}
