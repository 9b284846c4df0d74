// Reads request heads in place, line by line, from whatever bytes have come, and refuses at the first bad one.
#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif
package import NIOCore

package struct RequestHeadParser {
    private let limits: EdgeLimits
    private var line: RequestLine?
    private var fields: HeadFields
    /// Bytes of the head whose lines are read; they stay in the buffer until the head is complete.
    private var readCount = 0
    /// Of the bytes behind those, how many are known to hold no line feed.
    private var searchedCount = 0

    package init(limits: EdgeLimits) {
        self.limits = limits
        fields = HeadFields()
    }

    private enum Scan {
        case wantsMore
        case complete(RequestLine)
        case refused(EdgeRefusal)
    }

    /// The next whole head; nil when more bytes are needed.
    package mutating func next(from buffer: inout ByteBuffer) throws(EdgeRefusal) -> EdgeRequestHead? {
        let outcome = buffer.withUnsafeReadableBytes { bytes -> Scan in
            do throws(EdgeRefusal) {
                guard let line = try scan(bytes) else { return .wantsMore }
                return .complete(line)
            } catch {
                return .refused(error)
            }
        }
        switch outcome {
        case .wantsMore: return nil
        case .refused(let refusal): throw refusal
        case .complete(let line):
            guard let bytes = buffer.readSlice(length: readCount) else { return nil }
            let found = fields
            self.line = nil
            fields = HeadFields()
            readCount = 0
            return try HeadRules.head(line, found, bytes)
        }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(EdgeRefusal) -> RequestLine? {
        while let range = try nextLine(of: bytes) {
            guard let line else {
                // The first line begins where the head does: its positions are those of the head.
                self.line = try RequestLine(UnsafeRawBufferPointer(rebasing: bytes[range]))
                continue
            }
            if range.isEmpty { return line }
            guard fields.count < limits.headerCountMax else { throw .headersTooLarge }
            try fields.take(range, of: bytes)
        }
        return nil
    }

    /// Where the next line stands, without its end; nil when it is not complete.
    private mutating func nextLine(of bytes: UnsafeRawBufferPointer) throws(EdgeRefusal) -> Range<Int>? {
        let lineMax = line == nil ? limits.requestLineBytesMax : limits.headerLineBytesMax
        let tooLong: EdgeRefusal = line == nil ? .targetTooLong : .headersTooLarge
        let from = readCount + searchedCount
        guard from < bytes.count, let start = bytes.baseAddress,
            let found = memchr(start + from, Int32(ByteRules.lineFeed), bytes.count - from)
        else {
            searchedCount = bytes.count - readCount
            // The last byte may be the CR of the line's end.
            guard searchedCount <= lineMax + 1 else { throw tooLong }
            guard bytes.count <= limits.headBytesMax else { throw .headersTooLarge }
            return nil
        }
        let end = UnsafeRawPointer(found) - start
        searchedCount = 0
        guard end + 1 - readCount <= lineMax + 2 else { throw tooLong }
        guard end < limits.headBytesMax else { throw .headersTooLarge }
        guard end > readCount, bytes[end - 1] == ByteRules.carriageReturn else { throw .malformed(.bareLineFeed) }
        defer { readCount = end + 1 }
        return readCount..<(end - 1)
    }
}
