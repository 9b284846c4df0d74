import EdgeHTTP
import NIOCore
import Testing

/// Every rule of the guard with the bytes that break it.
struct GuardTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var bytes: String
        var refusal: EdgeRefusal
        var testDescription: String { "\(refusal): \(bytes.prefix(80).debugDescription)" }

        init(_ bytes: String, _ refusal: EdgeRefusal) {
            self.bytes = bytes
            self.refusal = refusal
        }

        init(_ bytes: String, _ flaw: RequestFlaw) {
            self.init(bytes, .malformed(flaw))
        }

        /// A request whose only odd thing is one header line.
        static func header(_ line: String, _ refusal: EdgeRefusal, method: String = "POST") -> Case {
            Case("\(method) / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n", refusal)
        }

        static func target(_ target: String, _ flaw: RequestFlaw) -> Case {
            Case("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", .malformed(flaw))
        }

        static func chunks(_ body: String, _ refusal: EdgeRefusal = .malformed(.chunk)) -> Case {
            Case("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", refusal)
        }
    }

    static let requestLines: [Case] = [
        Case("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
        Case("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET /\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        Case("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        Case(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        Case("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / http/1.1\r\nHost: a\r\n\r\n", .requestLine),
        Case("GET / HTTP/2.0\r\nHost: a\r\n\r\n", EdgeRefusal.versionUnknown),
        Case("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", EdgeRefusal.methodUnknown),
        Case("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", EdgeRefusal.methodUnknown),
        Case("get / HTTP/1.1\r\nHost: a\r\n\r\n", EdgeRefusal.methodUnknown),
    ]

    static let targets: [Case] = [
        .target("*", .target), .target("a", .target), .target("/a#b", .target), .target("/a\\b", .target),
        .target("/ä", .target), .target("/a\u{7F}", .target), .target("http:///a", .target),
        .target("ftp://a/", .target), .target("//a", .dotSegment), .target("/a//b", .dotSegment),
        .target("/./a", .dotSegment), .target("/a/..", .dotSegment), .target("/a/../b", .dotSegment),
        .target("/%2e%2e/a", .dotSegment), .target("/a%2fb", .dotSegment), .target("/a%5Cb", .dotSegment),
        .target("/%61", .dotSegment), .target("/a%00", .dotSegment), .target("/a%0d", .dotSegment),
        .target("/a%", .dotSegment), .target("/a%4", .dotSegment), .target("/a%zz", .dotSegment),
        .target("http://b/", .authority),
    ]

    static let headers: [Case] = [
        Case("GET / HTTP/1.1\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost:\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .host), Case("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost: a]\r\n\r\n", .host), Case("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .host),
        Case("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", .bareLineFeed),
        .header("Transfer--Encoding: chunked", .malformed(.fieldName)),
        .header("Content.Length: 5", .malformed(.fieldName)), .header("-Transfer-Encoding: x", .malformed(.fieldName)),
        .header("X: a\rb", .malformed(.fieldValue)), .header("X: a\u{0}b", .malformed(.fieldValue)),
        .header("X: a\u{1}b", .malformed(.fieldValue)), .header("X: a\u{7F}", .malformed(.fieldValue)),
        .header("X-A: b\r\n  c", .malformed(.folded)), .header(" X: a", .malformed(.folded)),
        .header("X : a", .malformed(.fieldName)), .header("X_Y: a", .malformed(.fieldName)),
        .header(": a", .malformed(.fieldName)), .header("nothing", .malformed(.fieldName)),
        .header("X(: a", .malformed(.fieldName)), .header("Ä: a", .malformed(.fieldName)),
        .header("Authorization: a\r\nauthorization: b", .malformed(.duplicate)),
        .header("Cookie: a=1\r\nCookie: b=2", .malformed(.duplicate)),
        .header("Usher-Pass: a\r\nUsher-Pass: b", .malformed(.duplicate)),
        .header("Expect: 200-ok", .expectationUnknown),
    ]

    static let framings: [Case] = [
        .header("Content-Length: 1\r\nTransfer-Encoding: chunked", .malformed(.framingTwice)),
        .header("Content-Length: 0\r\nContent-Length: 0", .malformed(.duplicate)),
        .header("Content-Length: 1, 1", .malformed(.contentLength)),
        .header("Content-Length: +1", .malformed(.contentLength)),
        .header("Content-Length: 0x1", .malformed(.contentLength)),
        .header("Content-Length:", .malformed(.contentLength)),
        .header("Content-Length: 99999999999999999999", .malformed(.contentLength)),
        .header("Transfer-Encoding: gzip", .codingUnknown),
        .header("Transfer-Encoding: chunked, chunked", .malformed(.fieldValue)),
        .header("Transfer-Encoding: \u{B}chunked", .malformed(.fieldValue)),
        .header("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .malformed(.duplicate)),
        Case("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .codingInOldVersion),
        .header("Content-Length: 1", .malformed(.bodyNotAllowed), method: "GET"),
        .header("Content-Length: 1", .malformed(.bodyNotAllowed), method: "HEAD"),
        .header("Transfer-Encoding: chunked", .malformed(.bodyNotAllowed), method: "DELETE"),
        .header("Content-Length: 65537", .bodyTooLarge),
    ]

    static let chunks: [Case] = [
        .chunks("x\r\n"), .chunks("\r\n"), .chunks("1\n"), .chunks("1\r\nab\r\n"), .chunks("1\r\na\n0\r\n"),
        .chunks("000000001\r\n"), .chunks("-1\r\n"), .chunks("1 \r\n"), .chunks("1;a=\"b\"\r\n"),
        .chunks("1;a=b=c\r\n"), .chunks("1;\r\n"), .chunks("1;a=\r\n"),
        .chunks("1;" + String(repeating: "a", count: 72) + "\r\n"),
        .chunks("0\r\nX_Y: a\r\n\r\n", .malformed(.fieldName)),
        .chunks("10001\r\n" + String(repeating: "a", count: 65537), .bodyTooLarge),
    ]

    static let sizes: [Case] = [
        Case("GET /" + String(repeating: "a", count: 8200), EdgeRefusal.targetTooLong),
        Case("GET /" + String(repeating: "a", count: 8200) + " HTTP/1.1\r\nHost: a\r\n\r\n", EdgeRefusal.targetTooLong),
        .header("X: " + String(repeating: "a", count: 8200), .headersTooLarge),
        .header(
            (0..<3).map { "X\($0): " + String(repeating: "a", count: 6000) }.joined(separator: "\r\n"),
            .headersTooLarge
        ),
        .header((0..<64).map { "X\($0): a" }.joined(separator: "\r\n"), .headersTooLarge),
    ]

    @Test(arguments: requestLines + targets + headers + framings + chunks + sizes + listed)
    func `what breaks a rule is refused with its status and nothing follows it`(_ example: Case) throws {
        let edge = try EdgeChannel()
        try edge.send(example.bytes + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        let parts = edge.parts()
        #expect(parts.refusal == example.refusal)
        #expect(parts.heads.allSatisfy { $0.target != "/next" })
        edge.reply(EdgeReply(status: example.refusal.status))
        let written = try edge.written()
        #expect(written.hasPrefix("HTTP/1.1 \(example.refusal.status) "))
        #expect(written.contains("\r\nConnection: close\r\n"))
        try edge.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(edge.parts().isEmpty)
    }

    @Test(arguments: requestLines + targets + headers + framings + chunks + listed)
    func `a refusal does not depend on where reads end`(_ example: Case) throws {
        guard example.bytes.utf8.count < 1000 else { return }
        let edge = try EdgeChannel()
        try edge.trickle(example.bytes)
        #expect(edge.parts().refusal == example.refusal)
    }

    @Test func `a line of exactly the bound is good, and one byte more is not, wherever reads end`() throws {
        var limits = EdgeLimits()
        limits.requestLineBytesMax = 32
        limits.headerLineBytesMax = 40
        for extra in [0, 1] {
            let target = "/" + String(repeating: "a", count: 32 - "GET / HTTP/1.1".utf8.count + extra)
            let field = "X: " + String(repeating: "b", count: 40 - "X: ".utf8.count + extra)
            for (bytes, refusal) in [
                ("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", EdgeRefusal.targetTooLong),
                ("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", .headersTooLarge),
            ] {
                for way in [EdgeChannel.send, EdgeChannel.trickle] {
                    let edge = try EdgeChannel(limits: limits)
                    try way(edge)(bytes)
                    #expect(edge.parts().refusal == (extra == 0 ? nil : refusal))
                }
            }
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a/b.c/~d?x=//..%2f HTTP/1.1\r\nhost:a:8080\r\n\r\n",
        "GET /a%20b%C3%A4 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET /...?a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/b?c HTTP/1.1\r\nHost: A\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t a b \t\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n1;x=y\r\na\r\n02\r\nbc\r\n0\r\nX: y\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        // A visitor who offers another protocol is served in this one (RFC 9110 §7.8).
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ])
    func `a plain request is accepted whole and in single bytes`(_ bytes: String) throws {
        for way in [EdgeChannel.send, EdgeChannel.trickle] {
            let edge = try EdgeChannel()
            try way(edge)(bytes)
            let parts = edge.parts()
            #expect(parts.isComplete)
            #expect(parts.heads.count == 1)
            #expect(
                parts.body
                    == (bytes.hasPrefix("POST") && bytes.contains("gth: 3") || bytes.contains("hunked") ? "abc" : "")
            )
        }
    }
}
