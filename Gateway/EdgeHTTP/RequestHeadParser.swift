// Reads request heads line by line from whatever bytes have come, and refuses at the first bad one.
import NIOCore

struct RequestHeadParser {
    private let limits: EdgeLimits
    private var requestLine: RequestLine?
    private var fields: [EdgeHeaders.Field] = []
    private var byteCount = 0
    /// Readable bytes already known to hold no line feed.
    private var searchedCount = 0

    init(limits: EdgeLimits) {
        self.limits = limits
    }

    /// The next whole head; nil when more bytes are needed.
    mutating func next(from buffer: inout ByteBuffer) throws(EdgeRefusal) -> EdgeRequestHead? {
        while let line = try nextLine(from: &buffer) {
            guard let requestLine else {
                requestLine = try RequestLine(line)
                fields.reserveCapacity(16)
                continue
            }
            if line.isEmpty {
                let head = try HeadRules.head(requestLine, fields)
                self.requestLine = nil
                fields.removeAll(keepingCapacity: false)
                byteCount = 0
                return head
            }
            guard fields.count < limits.headerCountMax else { throw .headersTooLarge }
            fields.append(try Self.field(line))
        }
        return nil
    }

    private mutating func nextLine(from buffer: inout ByteBuffer) throws(EdgeRefusal) -> ByteBufferView? {
        let view = buffer.readableBytesView
        let lineMax = requestLine == nil ? limits.requestLineBytesMax : limits.headerLineBytesMax
        let tooLong: EdgeRefusal = requestLine == nil ? .targetTooLong : .headersTooLarge
        guard let end = view[(view.startIndex + searchedCount)...].firstIndex(of: ByteRules.lineFeed) else {
            searchedCount = view.count
            guard view.count <= lineMax else { throw tooLong }
            guard byteCount + view.count <= limits.headBytesMax else { throw .headersTooLarge }
            return nil
        }
        searchedCount = 0
        let length = end - view.startIndex + 1
        guard length <= lineMax + 2 else { throw tooLong }
        byteCount += length
        guard byteCount <= limits.headBytesMax else { throw .headersTooLarge }
        guard length >= 2, view[end - 1] == ByteRules.carriageReturn else { throw .malformed(.bareLineFeed) }
        buffer.moveReaderIndex(forwardBy: length)
        return view[view.startIndex..<(end - 1)]
    }

    static func field(_ line: ByteBufferView) throws(EdgeRefusal) -> EdgeHeaders.Field {
        if line.first == ByteRules.space || line.first == ByteRules.tab { throw .malformed(.folded) }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed(.fieldName) }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(ByteRules.isFieldName) else { throw .malformed(.fieldName) }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == ByteRules.space || byte == ByteRules.tab { value = value.dropFirst() }
        while let byte = value.last, byte == ByteRules.space || byte == ByteRules.tab { value = value.dropLast() }
        guard !value.contains(where: ByteRules.isControl), let text = String(validating: value, as: UTF8.self) else {
            throw .malformed(.fieldValue)
        }
        return EdgeHeaders.Field(name: String(decoding: name, as: UTF8.self), value: text)
    }
}
