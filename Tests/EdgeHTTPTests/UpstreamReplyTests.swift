import EdgeHTTP
import NIOCore
import Testing

struct UpstreamReplyTests {
    struct Good: Sendable {
        var bytes: String
        var method = EdgeMethod.get
        var status = 200
        var body = ""
        var framing = EdgeReplyHead.Framing.chunked
        var closes = false
        var thenCloses = false
    }

    static let good: [Good] = [
        Good(bytes: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc", framing: .length(3)),
        Good(bytes: "HTTP/1.1 200\r\ncontent-length:3  \r\n\r\nabc", body: "abc", framing: .length(3)),
        Good(bytes: "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", status: 299, framing: .length(0)),
        Good(
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
            body: "abcde"
        ),
        Good(bytes: "HTTP/1.1 200 OK\r\n\r\nabc", body: "abc", closes: true, thenCloses: true),
        Good(bytes: "HTTP/1.0 200 OK\r\n\r\nabc", body: "abc", closes: true, thenCloses: true),
        Good(
            bytes: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
            body: "abc",
            framing: .length(3),
            closes: true
        ),
        Good(
            bytes: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
            framing: .length(0),
            closes: true
        ),
        Good(bytes: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", method: .head, framing: .length(3)),
        Good(bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method: .head),
        Good(bytes: "HTTP/1.1 200 OK\r\n\r\n", method: .head, framing: .none),
        Good(bytes: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", status: 204, framing: .length(0)),
        Good(bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", status: 304, framing: .length(9)),
        Good(
            bytes: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            body: "x",
            framing: .length(1)
        ),
    ]

    @Test(arguments: good.indices)
    func `a good reply is read the same however its bytes come`(_ index: Int) {
        let row = Self.good[index]
        let bytes = Array(row.bytes.utf8)
        for size in [Int.max, 1, 2, 7] {
            let reading = ReplyReading.read(bytes, to: row.method, size: size, thenCloses: row.thenCloses)
            #expect(reading.flaw == nil)
            #expect(reading.isComplete)
            #expect(reading.status == row.status)
            #expect(String(decoding: reading.body, as: UTF8.self) == row.body)
            #expect(reading.framing == row.framing)
            #expect(reading.closes == row.closes)
            #expect(reading.restCount == 0)
        }
    }

    static let bad: [(String, UpstreamFlaw)] = [
        ("HTP/1.1 200 OK\r\n", .statusLine), ("garbage", .statusLine), ("HTTP/2 200 OK\r\n", .statusLine),
        ("HTTP/1.2 200 OK\r\n", .statusLine), ("HTTP/1.1  200 OK\r\n", .statusLine),
        ("HTTP/1.1 20 OK\r\n", .statusLine), ("HTTP/1.1 2000 OK\r\n", .statusLine),
        ("HTTP/1.1 600 OK\r\n", .statusLine), ("HTTP/1.1 099 OK\r\n", .statusLine),
        ("HTTP/1.1 200\tOK\r\n", .statusLine), ("HTTP/1.1 200 O\rK\r\n", .statusLine), ("\r\n", .statusLine),
        ("HTTP/1.1 200 OK\n", .bareLineFeed), ("HTTP/1.1 200 OK\r\nA: b\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\n\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", .folded), ("HTTP/1.1 200 OK\r\n A: b\r\n", .folded),
        ("HTTP/1.1 200 OK\r\nA : b\r\n", .fieldName), ("HTTP/1.1 200 OK\r\nA\r\n", .fieldName),
        ("HTTP/1.1 200 OK\r\n: b\r\n", .fieldName), ("HTTP/1.1 200 OK\r\nA(: b\r\n", .fieldName),
        ("HTTP/1.1 200 OK\r\nA: b\u{0}\r\n", .fieldValue), ("HTTP/1.1 200 OK\r\nA: b\rc\r\n", .fieldValue),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\t\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: +3\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n", .contentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", .framingTwice),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", .framingTwice),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", .coding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n", .coding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .coding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .coding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .chunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", .chunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", .chunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nabc", .chunk),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", .switching),
        (String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 9), .interim),
        ("HTTP/1.1 103 Early Hints\r\nConnection: a, close\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", .interim),
        ("HTTP/1.0 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", .interim),
        ("HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 70_000), .headTooLarge),
        ("HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 129), .headTooLarge),
    ]

    @Test(arguments: bad.indices)
    func `a bad reply is refused however its bytes come, and gives no body`(_ index: Int) {
        let (text, flaw) = Self.bad[index]
        for size in [Int.max, 1, 5] {
            let reading = ReplyReading.read(Array(text.utf8), size: size)
            #expect(reading.flaw == flaw)
            #expect(!reading.isComplete)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "",
    ])
    func `a reply whose connection ends too early is cut short`(_ text: String) {
        #expect(ReplyReading.read(text, thenCloses: true).flaw == .cutShort)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", EdgeMethod.get),
        ("HTTP/1.1 204 OK\r\nContent-Length: 1\r\n\r\nb", .get),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", .head),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nb", .get),
    ])
    func `what comes behind a reply is left lying there`(_ text: String, _ method: EdgeMethod) {
        let reading = ReplyReading.read(text, to: method)
        #expect(reading.isComplete)
        #expect(reading.restCount == 1)
    }

    @Test func `a parser reads one reply after another, each by its own request`() throws {
        var parser = UpstreamReplyParser()
        let texts: [(EdgeMethod, String)] = [
            (.head, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: 1\r\n\r\n"),
            (.get, "HTTP/1.1 201 OK\r\nContent-Length: 3\r\nB: 2\r\n\r\nabc"),
            (.get, "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        ]
        var seen: [String] = []
        for (method, text) in texts {
            #expect(parser.isComplete)
            parser.expectReply(to: method)
            var buffer = ByteBuffer(string: text)
            while let piece = try parser.next(from: &buffer) {
                switch piece {
                case .head(let head): seen.append("\(head.status) \(head.fields.texts.map(\.name))")
                case .body(let bytes): seen.append(String(buffer: bytes))
                case .end: seen.append("end")
                }
            }
        }
        #expect(seen == ["200 [\"A\"]", "end", "201 [\"B\"]", "abc", "end", "404 []", "x", "end"])
    }

    @Test func `a short reply that is here at once can be taken at once`() throws {
        for (bytesMax, isTaken) in [(3, true), (2, false)] {
            var parser = UpstreamReplyParser()
            parser.expectReply(to: .get)
            var buffer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd")
            _ = try parser.next(from: &buffer)
            let rest = parser.rest(from: &buffer, bytesMax: bytesMax)
            #expect(rest.map { String(buffer: $0) } == (isTaken ? "abc" : nil))
            #expect(parser.isComplete == isTaken)
        }
    }

    @Test func `dropped fields stay behind and the others go on as they came`() throws {
        let edge = try EdgeChannel()
        try edge.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        var parser = UpstreamReplyParser()
        parser.expectReply(to: .get)
        var buffer = ByteBuffer(
            string: "HTTP/1.1 200 Fine\r\nX-A:  1 \r\nX-Gone: 2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                + "Connection: x\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"
        )
        guard case .head(let head)? = try parser.next(from: &buffer) else {
            Issue.record("no head")
            return
        }
        var fields = head.fields
        fields.drop { String(decoding: $0, as: UTF8.self) == "X-Gone" }
        edge.reply(.head(EdgeReplyHead(status: 200, headers: ["X-B": "3"], framing: .length(0), upstream: fields)))
        edge.reply(.end)
        #expect(
            try edge.written()
                == "HTTP/1.1 200 OK\r\nX-A:  1 \r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nSet-Cookie: a\r\n"
                + "set-cookie: b\r\nX-B: 3\r\nContent-Length: 0\r\n\r\n"
        )
        #expect(head.fields.all("connection") == ["x"])
    }
}
