// Turns replies into bytes. The framing, `Date` and `Connection` are written here and nowhere else.
import NIOCore

enum ReplyWriter {
    static let lineEnd: StaticString = "\r\n"
    /// Up to this size a body is copied behind its head, which saves a system call's worth of bookkeeping.
    static let joinedBodyBytesMax = 8 * 1024

    static let continueBytes: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    /// Status line, field ends, framing, `Connection`, the request id and the empty line.
    private static let headBytesMax = 256

    static func capacity(for reply: EdgeReply) -> Int {
        let body = reply.body.readableBytes <= joinedBodyBytesMax ? reply.body.readableBytes : 0
        return headBytesMax + (reply.prepared?.bytes.count ?? 0) + capacity(for: reply.headers) + body
    }

    static func capacity(for head: EdgeReplyHead) -> Int {
        headBytesMax + capacity(for: head.headers) + (head.upstream?.count ?? 0)
    }

    private static func capacity(for headers: EdgeHeaders) -> Int {
        var count = 0
        for field in headers.fields { count += field.name.utf8.count + field.value.utf8.count + 4 }
        return count
    }

    static func prepared(status: Int, headers: EdgeHeaders) -> [UInt8] {
        let capacity = headBytesMax + capacity(for: headers)
        return [UInt8](unsafeUninitializedCapacity: capacity) { space, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(space))
            write(status: status, headers: headers, to: &writer)
            count = writer.count
        }
    }

    /// A whole reply, without its body when that is large.
    static func write(_ reply: EdgeReply, isHead: Bool, closes: Bool, date: [UInt8], to writer: inout ByteWriter) {
        if let prepared = reply.prepared {
            writer.put(prepared.bytes)
            write(reply.headers, to: &writer)
        } else {
            write(status: reply.status, headers: reply.headers, to: &writer)
        }
        if let id = reply.requestID { write(id, to: &writer) }
        let hasBody = hasBody(reply.status)
        let count = reply.body.readableBytes
        end(framing: hasBody ? .length(count) : .none, closes: closes, date: date, to: &writer)
        guard hasBody, !isHead, count <= joinedBodyBytesMax else { return }
        reply.body.withUnsafeReadableBytes { writer.put($0) }
    }

    /// The head of a streamed reply.
    static func write(
        _ head: EdgeReplyHead,
        framing: EdgeReplyHead.Framing,
        closes: Bool,
        date: [UInt8],
        to writer: inout ByteWriter
    ) {
        write(status: head.status, headers: [:], to: &writer)
        head.upstream?.write(to: &writer)
        write(head.headers, to: &writer)
        if let id = head.requestID { write(id, to: &writer) }
        end(framing: framing, closes: closes, date: head.upstream?.hasDate == true ? [] : date, to: &writer)
    }

    private static func write(status: Int, headers: EdgeHeaders, to writer: inout ByteWriter) {
        writer.put("HTTP/1.1 ")
        writer.put(number: status)
        writer.put(byte: ByteRules.space)
        writer.put(reason(status))
        writer.put(lineEnd)
        write(headers, to: &writer)
    }

    private static func write(_ id: RequestID, to writer: inout ByteWriter) {
        writer.put("Usher-Request-Id: ")
        id.write(to: &writer)
        writer.put(lineEnd)
    }

    private static func write(_ headers: EdgeHeaders, to writer: inout ByteWriter) {
        for field in headers.fields where !isOfTheConnection(field.name) {
            writer.put(field.name)
            writer.put(": ")
            writer.put(field.value)
            writer.put(lineEnd)
        }
    }

    private static func end(
        framing: EdgeReplyHead.Framing,
        closes: Bool,
        date: [UInt8],
        to writer: inout ByteWriter
    ) {
        writer.put(date)
        switch framing {
        case .none: break
        case .length(let count):
            writer.put("Content-Length: ")
            writer.put(number: count)
            writer.put(lineEnd)
        case .chunked: writer.put("Transfer-Encoding: chunked\r\n")
        }
        if closes { writer.put("Connection: close\r\n") }
        writer.put(lineEnd)
    }

    /// Sixteen digits and a line end.
    static let chunkHeadBytesMax = 18
    static let lastChunk: StaticString = "0\r\n\r\n"

    static func writeChunkHead(_ count: Int, to writer: inout ByteWriter) {
        writer.put(String(count, radix: 16))
        writer.put(lineEnd)
    }

    /// Statuses whose reply has no body, whatever its headers say (RFC 9110 §6.4.1).
    static func hasBody(_ status: Int) -> Bool {
        status >= 200 && status != 204 && status != 304
    }

    /// Fields that are written here, by what is true of this connection.
    private static func isOfTheConnection(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: EdgeHeaders.areEqual(name, "date")
        case 10: EdgeHeaders.areEqual(name, "connection")
        default: false
        }
    }

    private static func reason(_ status: Int) -> String {
        reasons[status] ?? "Status"
    }

    private static let reasons: [Int: String] = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
        301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
        308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content", 425: "Too Early",
        428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    ]
}
