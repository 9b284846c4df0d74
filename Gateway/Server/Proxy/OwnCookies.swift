// Places and passes are the gateway's: the shop gets the pass as a header and the place not at all.
import EdgeHTTP
import NIOCore

enum OwnCookies {
    private static let prefixes: [StaticString] = ["usher-place-", "usher-pass-"]
    private static let securePrefix: StaticString = "__Host-"

    /// The `Cookie` field without them; none when nothing else is in it.
    static func writeOthers(_ cookies: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        guard !cookies.isEmpty else { return }
        withUnsafeTemporaryAllocation(byteCount: cookies.count * 2, alignment: 1) { space in
            var kept = ByteWriter(space)
            var start = 0
            while start < cookies.count {
                let end = cookies[start...].firstIndex(of: UInt8(ascii: ";")) ?? cookies.count
                let pair = trimmed(UnsafeRawBufferPointer(rebasing: cookies[start..<end]))
                if !pair.isEmpty, !isOwn(pair) {
                    if kept.count > 0 { kept.put("; ") }
                    kept.put(pair)
                }
                start = end + 1
            }
            guard kept.count > 0 else { return }
            let text = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(space)[..<kept.count])
            UpstreamRequest.write("Cookie", text, to: &buffer)
        }
    }

    private static func isOwn(_ pair: UnsafeRawBufferPointer) -> Bool {
        let name =
            starts(pair, with: securePrefix)
            ? UnsafeRawBufferPointer(rebasing: pair[securePrefix.utf8CodeUnitCount...]) : pair
        return prefixes.contains { starts(name, with: $0) }
    }

    private static func starts(_ bytes: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
        let prefix = UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        return bytes.count >= prefix.count && bytes.prefix(prefix.count).elementsEqual(prefix)
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var (start, end) = (0, bytes.count)
        while start < end, isSpace(bytes[start]) { start += 1 }
        while start < end, isSpace(bytes[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }
}
