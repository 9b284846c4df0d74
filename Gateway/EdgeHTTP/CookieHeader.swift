/// Reads one cookie out of a `Cookie` header (RFC 6265 §4.2), leniently about spaces, strictly about names.
package enum CookieHeader {
    package static func value(of name: String, in header: String) -> Substring? {
        var header = header
        return header.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return range(of: name, in: bytes).map { String(decoding: bytes[$0], as: UTF8.self)[...] }
        }
    }

    /// Where the value of the first cookie of that name stands.
    static func range(of name: String, in header: UnsafeRawBufferPointer) -> Range<Int>? {
        var name = name
        return name.withUTF8 { name in
            var start = 0
            while start < header.count {
                let end = header[start...].firstIndex(of: UInt8(ascii: ";")) ?? header.count
                if let value = valueRange(of: UnsafeRawBufferPointer(name), in: header, pair: start..<end) {
                    return value
                }
                start = end + 1
            }
            return nil
        }
    }

    private static func valueRange(
        of name: UnsafeRawBufferPointer,
        in header: UnsafeRawBufferPointer,
        pair: Range<Int>
    ) -> Range<Int>? {
        guard let equals = header[pair].firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let found = trimmed(pair.lowerBound..<equals, in: header)
        guard header[found].elementsEqual(name) else { return nil }
        return trimmed((equals + 1)..<pair.upperBound, in: header)
    }

    private static func trimmed(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, ByteRules.isBlank(bytes[start]) { start += 1 }
        while end > start, ByteRules.isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
