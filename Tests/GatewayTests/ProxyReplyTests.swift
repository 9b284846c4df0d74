// What a visitor gets of a service's replies, good and broken, and that nothing of a broken one reaches another request.
import EdgeHTTP
import GatewayServer
import NIOCore
import TestSupport
import Testing
import UsherAPI

struct ProxyReplyTests {
    enum Outcome: Sendable, Equatable {
        case status(Int)
        /// The visitor's connection ends within the body.
        case cutShort
    }

    struct Row: Sendable {
        var name: String
        var answer: RawOrigin.Answer
        var outcome = Outcome.status(502)
        var method = "GET"
        var body: String?
        /// How often the service is asked.
        var asked = 1
        /// Whether the connection to the service is used again.
        var isKept = false
    }

    private static let long = String(repeating: "x", count: 70_000)
    private static func sized(_ rest: String) -> RawOrigin.Answer { .init("HTTP/1.1 200 OK\r\n" + rest) }

    static let rows: [Row] = [
        Row(name: "a good reply", answer: .init(RawOrigin.ok), outcome: .status(200), isKept: true),
        Row(name: "garbage", answer: .init("garbage in place of a status line\r\n\r\n")),
        Row(name: "binary garbage", answer: .init("\u{16}\u{3}\u{1}\u{0}\u{5}")),
        Row(name: "HTTP/2", answer: .init("HTTP/2.0 200 OK\r\n\r\n")),
        Row(name: "an oversized head", answer: sized("X: \(long)\r\nContent-Length: 2\r\n\r\nok")),
        Row(name: "two lengths", answer: sized("Content-Length: 2\r\nContent-Length: 2\r\n\r\nok")),
        Row(name: "length and coding", answer: sized("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok")),
        Row(name: "a folded field", answer: sized("X: a\r\n b\r\nContent-Length: 2\r\n\r\nok")),
        Row(name: "a bare line feed", answer: .init("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")),
        Row(name: "an upgrade", answer: .init("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")),
        Row(name: "closed without a byte", answer: .init("", .closes)),
        Row(name: "reset without a byte", answer: .init("", .resets)),
        Row(name: "closed within the head", answer: .init("HTTP/1.1 200 OK\r\nX: y", .closes)),
        Row(
            name: "a body cut short",
            answer: .init("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", .closes),
            outcome: .cutShort
        ),
        Row(
            name: "chunks cut short",
            answer: .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", .closes),
            outcome: .cutShort
        ),
        Row(
            name: "a broken chunk",
            answer: sized("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"),
            outcome: .cutShort
        ),
        Row(
            name: "a reset in a body up to the end",
            answer: .init("HTTP/1.1 200 OK\r\n\r\nok", .resets),
            outcome: .cutShort
        ),
        Row(name: "a body up to the end", answer: .init("HTTP/1.1 200 OK\r\n\r\nok", .closes), outcome: .status(200)),
        Row(name: "HTTP/1.0", answer: .init("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), outcome: .status(200)),
        Row(
            name: "chunks",
            answer: sized("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"),
            outcome: .status(200),
            isKept: true
        ),
        Row(
            name: "interim replies",
            answer: .init("HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + RawOrigin.ok),
            outcome: .status(200),
            isKept: true
        ),
        Row(
            name: "a connection that is to close",
            answer: sized("Connection: close\r\nContent-Length: 2\r\n\r\nok"),
            outcome: .status(200)
        ),
        Row(
            name: "bytes behind the reply",
            answer: .init(RawOrigin.ok + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"),
            outcome: .status(200)
        ),
        Row(
            name: "a body for 304",
            answer: .init("HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison"),
            outcome: .status(304)
        ),
        Row(
            name: "304 with a length",
            answer: .init("HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n"),
            outcome: .status(304),
            isKept: true
        ),
        Row(
            name: "204 with a body",
            answer: .init("HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\npoison"),
            outcome: .status(204)
        ),
        Row(
            name: "HEAD",
            answer: sized("Content-Length: 6\r\n\r\n"),
            outcome: .status(200),
            method: "HEAD",
            isKept: true
        ),
        Row(
            name: "HEAD with a body",
            answer: sized("Content-Length: 6\r\n\r\npoison"),
            outcome: .status(200),
            method: "HEAD"
        ),
        Row(name: "a post that is reset", answer: .init("", .resets), method: "POST", body: "abc"),
    ]

    @Test(arguments: rows.indices)
    func `a reply is given on or refused, and nothing of it reaches the next request`(_ index: Int) async throws {
        let row = Self.rows[index]
        let origin = try await RawOrigin.start { request, received in
            if received.hasPrefix("GET /next") { return RawOrigin.Answer(RawOrigin.ok) }
            if let body = row.body, !received.hasSuffix(body) { return nil }
            return row.answer
        }
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.addresses = [ServiceAddress(host: "127.0.0.1", port: origin.port)] }
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            let length = row.body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
            client.send("\(row.method) /first HTTP/1.1\r\nHost: a\r\n\(length)\r\n\(row.body ?? "")")
            switch row.outcome {
            case .status(let status):
                let reply = try await client.reply(toHead: row.method == "HEAD" || [204, 304].contains(status))
                #expect(reply.status == status, "\(row.name)")
                #expect(reply.first("usher-request-id") != nil)
                #expect(!reply.body.contains("poison"))
                if status == 502 {
                    #expect(reply.body.contains(#""code":"upstream_unavailable""#))
                    #expect(reply.body.contains(#""request_id":"req_"#))
                }
                client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().body == "ok", "\(row.name)")
            case .cutShort:
                try await eventually { client.isClosed }
                #expect(client.text.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(row.name)")
                #expect(!client.text.hasSuffix("0\r\n\r\n"))
            }
            let next = try await edge.ask("GET", "/next")
            #expect(next.body == "ok", "\(row.name)")
            #expect(!next.headers.contains { $0.value.contains("poison") })
            let firsts = origin.requests.filter { $0.contains(" /first ") }
            #expect(firsts.count == row.asked, "\(row.name)")
            #expect(origin.connections == (row.isKept ? 1 : 2), "\(row.name)")
            await client.close()
        }
        await origin.stop()
    }

    @Test func `a service that speaks unasked loses its connection, and nobody gets what it said`() async throws {
        let origin = try await RawOrigin.start { request, _ in
            RawOrigin.Answer(request == 1 ? RawOrigin.ok + "HTTP/1.1 200 OK\r\n" : RawOrigin.ok)
        }
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.addresses = [ServiceAddress(host: "127.0.0.1", port: origin.port)] }
        try await EdgeBench.with(setup) { edge in
            #expect(try await edge.ask("GET", "/").body == "ok")
            try await eventually { origin.openConnections == 0 }
            #expect(try await edge.ask("GET", "/").body == "ok")
            #expect(origin.connections == 2)
        }
        await origin.stop()
    }

    @Test func `an early reply reaches the visitor, and both connections end`() async throws {
        let origin = try await RawOrigin.start { request, received in
            RawOrigin.Answer(
                request == 1 ? "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong" : RawOrigin.ok
            )
        }
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.addresses = [ServiceAddress(host: "127.0.0.1", port: origin.port)] }
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
            let reply = try await client.reply()
            #expect(reply.status == 413)
            #expect(reply.body == "long")
            #expect(reply.first("connection") == "close")
            client.send(String(repeating: "x", count: 1000) + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { origin.openConnections == 0 }
            #expect(try await edge.ask("GET", "/next").body == "ok")
            #expect(!origin.requests.contains { $0.contains("smuggled") })
            await client.close()
        }
        await origin.stop()
    }

    @Test func `a visitor's wish to upgrade goes no further`() async throws {
        let origin = try await RawOrigin.start { _, _ in RawOrigin.Answer(RawOrigin.ok) }
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.addresses = [ServiceAddress(host: "127.0.0.1", port: origin.port)] }
        try await EdgeBench.with(setup) { edge in
            for wish in ["websocket", "h2c"] {
                let fields = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: \(wish)", "HTTP2-Settings: AAMAAABk"]
                let reply = try await edge.ask("GET", "/", fields)
                #expect(reply.status == 200)
            }
            let sent = origin.requests.joined().lowercased()
            #expect(!sent.contains("upgrade") && !sent.contains("http2-settings"))
        }
        await origin.stop()
    }
}
