import EdgeHTTP

extension GuardTests {
    /// Other protocols' words, and methods that make no sense at an edge.
    static let otherProtocols: [Case] = [
        Case("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnknown),
        Case("PRI * HTTP/1.1\r\nHost: a\r\n\r\n", .methodUnknown),
        Case("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .versionUnknown),
        Case("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .versionUnknown),
        Case("GET / HTTP/3.0\r\nHost: a\r\n\r\n", .versionUnknown),
        Case("GET / HTTP/11\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / ICAP/1.0\r\nHost: a\r\n\r\n", .requestLine),
        Case("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", .methodUnknown),
        Case("CONNECT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", .methodUnknown),
        Case("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", .methodUnknown),
        Case("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", .methodUnknown),
        // The first bytes of a TLS hello and of a PROXY header.
        Case("\u{16}\u{3}\u{1}\u{2}\u{0}\r\n", .requestLine), Case("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", .requestLine),
    ]

    static let codings: [Case] = [
        // Well formed and not ours: 501.
        .header("Transfer-Encoding: gzip, chunked", .codingUnknown),
        .header("Transfer-Encoding: identity", .codingUnknown),
        .header("Transfer-Encoding: gzip,deflate ,chunked", .codingUnknown),
        .header("Transfer-Encoding: xchunked", .codingUnknown), .header("Transfer-Encoding: chunkedx", .codingUnknown),
        // Not well formed, or `chunked` where it may not be: 400.
        .header("Transfer-Encoding:", .malformed(.fieldValue)),
        .header("Transfer-Encoding: chunked, gzip", .malformed(.fieldValue)),
        .header("Transfer-Encoding: chunked,", .malformed(.fieldValue)),
        .header("Transfer-Encoding: , chunked", .malformed(.fieldValue)),
        .header("Transfer-Encoding: chunked;q=1", .malformed(.fieldValue)),
        .header("Transfer-Encoding: \"chunked\"", .malformed(.fieldValue)),
        .header("Transfer-Encoding: gzip chunked", .malformed(.fieldValue)),
        .header("Transfer-Encoding: gzip, chunked\r\nContent-Length: 1", .malformed(.framingTwice)),
        Case("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", .codingInOldVersion),
    ]

    static let lengths: [Case] = [
        .header("Content-Length: 9007199254740993", .malformed(.contentLength)),
        .header("Content-Length: 00000000000000001", .malformed(.contentLength)),
        .header("Content-Length: -1", .malformed(.contentLength)),
        .header("Content-Length: 1 1", .malformed(.contentLength)),
        .header("Content-Length: 1;2", .malformed(.contentLength)),
        .header("Content-Length: 1.0", .malformed(.contentLength)),
        .header("Content-Length: ١", .malformed(.contentLength)),
        .header("Content-Length: 1\r\ncontent-length: 1", .malformed(.duplicate)),
        .header("Content-Length: 1\t", .malformed(.fieldValue)), .header("Content-Length:\t1", .malformed(.fieldValue)),
        .header("Transfer-Encoding: chunked\t", .malformed(.fieldValue)),
        .header("Content-Length : 1", .malformed(.fieldName)), .header("Content_Length: 1", .malformed(.fieldName)),
    ]

    static let bareEnds: [Case] = [
        Case("GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        Case("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / HTTP/1.1\rHost: a\r\n\r\n", .requestLine), Case("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        Case("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .fieldValue),
        Case("GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", .fieldName),
        Case("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
        .header("Transfer-Encoding: chunked\r\n\tx", .malformed(.folded)),
        .header("X-A: b\r\n\r c", .malformed(.fieldName)),
    ]

    /// Credentials and conditions that one server joins and another takes the first of.
    static let duplicates: [Case] =
        [
            "Host", "Authorization", "Cookie", "Content-Type", "If-Match", "Idempotency-Key", "Usher-Place",
            "Usher-Pass",
            "Usher-Device", "Content-Length", "Transfer-Encoding",
        ].map { name in
            // A framing field with a value of its own kind: the doubling must be what refuses it.
            let value = name == "Content-Length" ? "1" : "chunked"
            let lines = "\(name): \(value)\r\n\(name.uppercased()): \(value)"
            return .header(lines, .malformed(name == "Host" ? .host : .duplicate))
        } + [.header("Expect: 100-continue\r\nExpect: 100-continue", .malformed(.duplicate))]

    static let trailers: [Case] =
        [
            "Transfer-Encoding: chunked", "Content-Length: 1", "Host: b", "Connection: close", "Upgrade: h2c",
            "Expect: x",
            "Authorization: Bearer t", "Cookie: a=b", "Usher-Pass: p", "Content--Length: 1", "Proxy-Connection: close",
        ].map { .chunks("0\r\n\($0)\r\n\r\n", .malformed(.trailer)) } + [
            .chunks("0\r\nX : a\r\n\r\n", .malformed(.fieldName)), .chunks("0\r\n X: a\r\n\r\n", .malformed(.folded)),
            .chunks("0\r\nX: \u{0}\r\n\r\n", .malformed(.fieldValue)), .chunks("0\r\nX: a\n\r\n"), .chunks("0\r\n\n"),
            .chunks(
                "0\r\n" + String(repeating: "X: " + String(repeating: "a", count: 200) + "\r\n", count: 6) + "\r\n"
            ),
        ]

    static let chunkBounds: [Case] = [
        .chunks("1;" + String(repeating: "a", count: 64) + "=\r\n"), .chunks("FFFFFFFFF\r\n"), .chunks("0x1\r\n"),
        .chunks("1; a=b\r\n"), .chunks("1 ;a=b\r\n"), .chunks("1;a\u{0}\r\n"), .chunks("\r1\r\n"), .chunks("+1\r\n"),
        .chunks("1\r\na\rb"), .chunks("1\r\nab"), .chunks("1\r\n\r\n\r\n"),
    ]

    static let listed = otherProtocols + codings + lengths + bareEnds + duplicates + trailers + chunkBounds
}
