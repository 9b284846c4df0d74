// What a handler sees of a request: the seam between the codec and everything above it.
package import NIOCore

/// A checked request head. It exists only after the guard has accepted it. It keeps the bytes as they came; texts are
/// made when somebody asks for them.
package struct EdgeRequestHead: Sendable {
    /// How the body comes. Nothing else ever says so: `Content-Length` and `Transfer-Encoding` are not in `headers`,
    /// nor are `Host` and `Expect`.
    package enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    package var method: EdgeMethod
    package var framing: Framing
    /// Whether the visitor allows a further request on this connection.
    package var keepsAlive: Bool
    /// Whether it came through TLS, ours or that of a proxy in front: the scheme is `https` then.
    package var isSecure = false
    /// The codec answers `100 Continue` at the first `read()` of the body.
    var expectsContinue = false
    /// A visitor of HTTP/1.0 gets no chunked reply.
    var isVersion11 = true
    private(set) var storage: HeadBytes

    init(method: EdgeMethod, framing: Framing, keepsAlive: Bool, storage: HeadBytes) {
        self.method = method
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.storage = storage
    }

    package init(
        method: EdgeMethod,
        target: String,
        host: String = "localhost",
        framing: Framing = .none,
        headers: EdgeHeaders = [:],
        keepsAlive: Bool = true,
        isSecure: Bool = false
    ) {
        self.init(
            method: method,
            framing: framing,
            keepsAlive: keepsAlive,
            storage: HeadComposer.compose(target: target, host: host, headers: headers)
        )
        self.isSecure = isSecure
    }

    // MARK: Texts

    /// Path and query as sent, in origin form: starts with `/`.
    package var target: String { storage.text(storage.target) }

    /// The target up to the question mark, still percent-encoded.
    package var path: Substring { withPath { String(decoding: $0, as: UTF8.self) }[...] }

    /// What follows the question mark; nil without one.
    package var query: Substring? {
        storage.with(storage.target) { target in
            guard storage.pathCount < target.count else { return nil }
            return String(decoding: target[(storage.pathCount + 1)...], as: UTF8.self)[...]
        }
    }

    package var host: String {
        get { storage.text(storage.host) }
        set { storage = HeadComposer.compose(target: target, host: newValue, headers: headers) }
    }

    /// All fields as texts. Setting lays the head down anew.
    package var headers: EdgeHeaders {
        get {
            EdgeHeaders(
                storage.slots.compactMap { slot in
                    EdgeHeaders.Field(name: storage.text(slot.name), value: storage.text(slot.value))
                }
            )
        }
        set { storage = HeadComposer.compose(target: target, host: host, headers: newValue) }
    }

    package func first(_ name: String) -> String? {
        storage.firstSlot(named: name).map { storage.text($0.value) }
    }

    package func first(_ field: KnownField) -> String? {
        withValue(of: field) { String(decoding: $0, as: UTF8.self) }
    }

    /// The value of the first cookie of that name, as sent (quotes are not removed).
    package func cookie(_ name: String) -> Substring? {
        withCookie(name) { String(decoding: $0, as: UTF8.self)[...] }
    }

    // MARK: Bytes, for those who are asked often

    package func has(_ field: KnownField) -> Bool { storage.known[field] != nil }

    @inline(__always)
    package func withPath<Answer>(_ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        try storage.with(storage.target) { try body(UnsafeRawBufferPointer(rebasing: $0[..<storage.pathCount])) }
    }

    package func withHost<Answer>(_ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        try storage.with(storage.host, body)
    }

    /// Nil when the field is not there.
    @inline(__always)
    package func withValue<Answer>(
        of field: KnownField,
        _ body: (UnsafeRawBufferPointer) throws -> Answer
    ) rethrows -> Answer? {
        guard let index = storage.known[field] else { return nil }
        return try storage.with(storage.slots[index].value, body)
    }

    /// Nil when there is no such cookie.
    package func withCookie<Answer>(
        _ name: String,
        _ body: (UnsafeRawBufferPointer) throws -> Answer
    ) rethrows -> Answer? {
        try withValue(of: .cookie) { header in
            try CookieHeader.range(of: name, in: header).map { try body(UnsafeRawBufferPointer(rebasing: header[$0])) }
        } ?? nil
    }

    /// Every field in the order they came: name and value.
    package func forEachField(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void) rethrows {
        try storage.bytes.withUnsafeReadableBytes { bytes in
            for slot in storage.slots {
                try body(
                    UnsafeRawBufferPointer(rebasing: bytes[slot.name.range]),
                    UnsafeRawBufferPointer(rebasing: bytes[slot.value.range])
                )
            }
        }
    }
}

/// A request with its whole small body, as room and admin endpoints get it.
package struct EdgeRequest: Sendable {
    package var head: EdgeRequestHead
    package var body: ByteBuffer
    package var clientAddress: ClientAddress
    /// Also the value of `Usher-Request-Id` and of `request_id` in problems.
    package var id: RequestID

    package init(
        head: EdgeRequestHead,
        body: ByteBuffer = ByteBuffer(),
        clientAddress: ClientAddress,
        id: RequestID
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
