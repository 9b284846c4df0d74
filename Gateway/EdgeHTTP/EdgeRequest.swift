// What a handler sees of a request: the seam between the codec and everything above it.
package import NIOCore

/// A checked request head. It exists only after the guard has accepted it.
package struct EdgeRequestHead: Sendable {
    /// How the body comes. Nothing else ever says so: `Content-Length` and `Transfer-Encoding` are not in `headers`,
    /// nor are `Host` and `Expect`.
    package enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    package var method: EdgeMethod
    /// Path and query as sent, in origin form: starts with `/`.
    package let target: String
    package var host: String
    package var framing: Framing
    package var headers: EdgeHeaders
    /// Whether the visitor allows a further request on this connection.
    package var keepsAlive: Bool
    /// Whether it came through TLS, ours or that of a proxy in front: the scheme is `https` then.
    package var isSecure: Bool
    /// The codec answers `100 Continue` at the first `read()` of the body.
    var expectsContinue = false
    /// A visitor of HTTP/1.0 gets no chunked reply.
    var isVersion11 = true
    private let pathEnd: String.Index

    package init(
        method: EdgeMethod,
        target: String,
        host: String = "localhost",
        framing: Framing = .none,
        headers: EdgeHeaders = [:],
        keepsAlive: Bool = true,
        isSecure: Bool = false
    ) {
        self.method = method
        self.target = target
        self.host = host
        self.framing = framing
        self.headers = headers
        self.keepsAlive = keepsAlive
        self.isSecure = isSecure
        let bytes = target.utf8
        self.pathEnd = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    }

    /// The target up to the question mark, still percent-encoded.
    package var path: Substring { target[..<pathEnd] }

    /// What follows the question mark; nil without one.
    package var query: Substring? {
        pathEnd == target.utf8.endIndex ? nil : target[target.utf8.index(after: pathEnd)...]
    }

    package func first(_ name: String) -> String? { headers.first(name) }

    /// The value of the first cookie of that name, as sent (quotes are not removed).
    package func cookie(_ name: String) -> Substring? {
        guard let header = headers.first("cookie") else { return nil }
        return CookieHeader.value(of: name, in: header)
    }
}

/// A request with its whole small body, as room and admin endpoints get it.
package struct EdgeRequest: Sendable {
    package var head: EdgeRequestHead
    package var body: ByteBuffer
    package var clientAddress: ClientAddress
    /// Also the value of `Usher-Request-Id` and of `request_id` in problems.
    package var id: String

    package init(
        head: EdgeRequestHead,
        body: ByteBuffer = ByteBuffer(),
        clientAddress: ClientAddress,
        id: String
    ) {
        self.head = head
        self.body = body
        self.clientAddress = clientAddress
        self.id = id
    }

    package var method: EdgeMethod { head.method }
    package var path: Substring { head.path }
    package var query: Substring? { head.query }
    package func first(_ name: String) -> String? { head.first(name) }
    package func cookie(_ name: String) -> Substring? { head.cookie(name) }

    /// The first value of a query parameter, percent-decoded; nil when absent or not UTF-8.
    package func queryValue(_ name: String) -> String? {
        query.flatMap { FormFields.value(of: name, in: $0) }
    }

    /// The first value of a field of an `application/x-www-form-urlencoded` body.
    package func formValue(_ name: String) -> String? {
        FormFields.value(of: name, in: String(buffer: body)[...])
    }
}

/// A request as the codec hands it up. Body parts come only after a `read()`.
package enum EdgeRequestPart: Sendable {
    case head(EdgeRequestHead)
    case body(ByteBuffer)
    case end
    /// The guard refused what came, at the head or in the body. The last part; answer with its status.
    case refused(EdgeRefusal)
}
