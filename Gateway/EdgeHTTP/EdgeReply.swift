// What a handler gives back: the seam between the codec and everything above it.
package import NIOCore

/// A whole reply. Keep a prepared `ByteBuffer` and give it again: it is shared, not copied.
/// The codec writes the framing, `Date` and `Connection`; a handler never does.
package struct EdgeReply: Sendable {
    package var status: Int
    package var headers: EdgeHeaders
    package var body: ByteBuffer
    /// Ends the connection after this reply.
    package var closes: Bool
    /// Goes out as `Usher-Request-Id`.
    package var requestID: RequestID?
    /// Status line and fields that were written before; `headers` come behind them.
    let prepared: PreparedHead?

    package init(_ prepared: PreparedHead, body: ByteBuffer, closes: Bool = false) {
        status = prepared.status
        headers = [:]
        self.body = body
        self.closes = closes
        self.prepared = prepared
    }

    package init(status: Int, headers: EdgeHeaders = [:], body: ByteBuffer = ByteBuffer(), closes: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.closes = closes
        prepared = nil
    }

    /// A reply with one `Content-Type` and, unless said otherwise, `Cache-Control: no-store`.
    package init(
        status: Int,
        contentType: String,
        cacheControl: String = "no-store",
        body: ByteBuffer
    ) {
        self.init(
            status: status,
            headers: ["Content-Type": contentType, "Cache-Control": cacheControl],
            body: body
        )
    }

    package init(status: Int, contentType: String, cacheControl: String = "no-store", text: String) {
        self.init(
            status: status,
            contentType: contentType,
            cacheControl: cacheControl,
            body: ByteBuffer(string: text)
        )
    }
}

/// The status line and the fields that many replies have in common, written once.
package final class PreparedHead: Sendable {
    let status: Int
    let bytes: [UInt8]

    package init(status: Int, headers: EdgeHeaders) {
        self.status = status
        bytes = ReplyWriter.prepared(status: status, headers: headers)
    }
}

/// The head of a reply whose body is streamed.
package struct EdgeReplyHead: Sendable {
    /// How the body goes out. `none` is for replies that have none by status or method.
    package enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    package var status: Int
    package var headers: EdgeHeaders
    package var framing: Framing
    package var closes: Bool
    /// The fields of a service's reply; they stand before `headers`.
    package var upstream: UpstreamFields?
    /// Goes out as `Usher-Request-Id`.
    package var requestID: RequestID?
    /// A stream of events: it has no end of its own, so it ends when the visitor's side does and when the listener stops.
    package var isEventStream: Bool

    package init(
        status: Int,
        headers: EdgeHeaders = [:],
        framing: Framing,
        closes: Bool = false,
        upstream: UpstreamFields? = nil,
        requestID: RequestID? = nil,
        isEventStream: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.framing = framing
        self.closes = closes
        self.upstream = upstream
        self.requestID = requestID
        self.isEventStream = isEventStream
    }
}

/// A reply as it goes down to the codec: `whole`, or `head`, any `body` parts, `end`.
package enum EdgeReplyPart: Sendable {
    case whole(EdgeReply)
    case head(EdgeReplyHead)
    case body(ByteBuffer)
    case end
}
