// Turns replies into bytes. The framing, `Date` and `Connection` are written here and nowhere else.
import NIOCore

enum ReplyWriter {
    private static let lineEnd: StaticString = "\r\n"
    private static let chunkedField: StaticString = "Transfer-Encoding: chunked\r\n"
    private static let closeField: StaticString = "Connection: close\r\n"
    /// Up to this size a body is copied behind its head, which saves a system call's worth of bookkeeping.
    static let joinedBodyBytesMax = 8 * 1024

    static let continueBytes: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    static func writeHead(
        status: Int,
        headers: EdgeHeaders,
        framing: EdgeReplyHead.Framing,
        closes: Bool,
        date: String,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status))
        buffer.writeStaticString(" ")
        buffer.writeString(reason(status))
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date)
        buffer.writeStaticString(lineEnd)
        for field in headers.fields where isWritable(field) {
            buffer.writeString(field.name)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString(lineEnd)
        }
        switch framing {
        case .none: break
        case .length(let count):
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(count))
            buffer.writeStaticString(lineEnd)
        case .chunked: buffer.writeStaticString(chunkedField)
        }
        if closes { buffer.writeStaticString(closeField) }
        buffer.writeStaticString(lineEnd)
    }

    static func capacity(for reply: EdgeReply) -> Int {
        384 + min(reply.body.readableBytes, joinedBodyBytesMax)
    }

    /// A whole reply in one buffer, or in two when the body is large.
    static func write(
        _ reply: EdgeReply,
        to buffer: ByteBuffer,
        isHead: Bool,
        closes: Bool,
        date: String
    ) -> (first: ByteBuffer, rest: ByteBuffer?) {
        var buffer = buffer
        let hasBody = hasBody(reply.status)
        writeHead(
            status: reply.status,
            headers: reply.headers,
            framing: hasBody ? .length(reply.body.readableBytes) : .none,
            closes: closes,
            date: date,
            to: &buffer
        )
        guard hasBody, !isHead, reply.body.readableBytes > 0 else { return (buffer, nil) }
        guard reply.body.readableBytes <= joinedBodyBytesMax else { return (buffer, reply.body) }
        buffer.writeImmutableBuffer(reply.body)
        return (buffer, nil)
    }

    static func writeChunkHead(_ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(count, radix: 16))
        buffer.writeStaticString(lineEnd)
    }

    /// Statuses whose reply has no body, whatever its headers say (RFC 9110 §6.4.1).
    static func hasBody(_ status: Int) -> Bool {
        status >= 200 && status != 204 && status != 304
    }

    /// A field that would end its line or the head is left out; one that speaks of the framing is ours to write.
    private static func isWritable(_ field: EdgeHeaders.Field) -> Bool {
        guard !field.name.isEmpty, field.name.utf8.allSatisfy(ByteRules.isToken),
            !field.value.utf8.contains(where: ByteRules.isControl)
        else { return false }
        switch field.name.utf8.count {
        case 4: return !EdgeHeaders.areEqual(field.name, "date")
        case 10: return !EdgeHeaders.areEqual(field.name, "connection")
        case 14: return !EdgeHeaders.areEqual(field.name, "content-length")
        case 17: return !EdgeHeaders.areEqual(field.name, "transfer-encoding")
        default: return true
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
