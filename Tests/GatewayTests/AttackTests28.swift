import EdgeHTTP
import GatewayServer
import NIOCore
import Operations
import TestSupport
import Testing

/// HTTP/2's attacks have nothing to act on: it is not spoken here, whichever way a visitor asks. Slow visitors are cut.
struct AttackTests28 {
    @Test func `attack 28: the preface of HTTP 2 is refused with 505, and its frames are not read`() async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            var bytes = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            // SETTINGS, then resets without end.
            bytes.writeBytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
            for stream in 0..<200 as Range<UInt32> {
                bytes.writeBytes([0, 0, 4, 3, 0])
                bytes.writeInteger(stream * 2 + 1)
                bytes.writeInteger(UInt32(8))
            }
            client.send(bytes)
            let reply = try await client.reply()
            #expect(reply.status == 505)
            #expect(reply.first("connection") == "close")
            try await eventually { client.isClosed }
            #expect(client.receivedBytes == 0)
            #expect(edge.origin.connections == 0)
        }
    }

    @Test(arguments: ["h2c", "h2", "HTTP/2.0", "websocket", "TLS/1.0"])
    func `attack 28: an offer to change the protocol is not taken up`(_ name: String) async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: \(name)\r\nHTTP2-Settings: AAMAAABkAAQAAP__"
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\(offer)\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
            for target in ["/a", "/b"] {
                let reply = try await client.reply()
                #expect(reply.status == 200)
                #expect(reply.first("upgrade") == nil)
                let echo = try EdgeBench.echo(in: reply)
                #expect(echo.target == target)
                #expect(echo.all("upgrade") + echo.all("http2-settings") + echo.all("connection") == [])
            }
            await client.close()
        }
    }

    @Test func `attack 28: a head that trickles is cut, however steadily it comes`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.headTime = .milliseconds(300)
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
            try await eventually {
                client.send("y")
                return client.isClosed
            }
            #expect(client.text.hasPrefix("HTTP/1.1 408 "))
            #expect(edge.origin.connections == 0)
        }
    }

    @Test(arguments: ["/v1/rooms/summer/join", "/open"])
    func `attack 28: a body that trickles is cut, and so is what it had begun`(_ target: String) async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.bodyGraceTime = .milliseconds(300)
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            client.send("POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n")
            try await eventually {
                client.send("x")
                return client.isClosed
            }
            #expect(client.text.hasPrefix("HTTP/1.1 408 "))
            let begun = edge.origin.connections
            #expect(try await edge.echo("GET", "/after").connection == begun + 1)
        }
    }

    @Test func `attack 28: whoever takes nothing of the replies is not answered for ever`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.stallTime = .milliseconds(400)
        setup.listener.limits.requestsPerConnectionMax = 1_000_000
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client(readsAtOnce: false)
            let burst = String(repeating: "GET /usher/waiting.js HTTP/1.1\r\nHost: a\r\n\r\n", count: 20_000)
            client.send(burst)
            let counters = EdgeCounters(edge.registry)
            try await eventually { counters.requests.count > 0 }
            try await eventually { counters.connections.value == 0 }
            // Replies wait only up to the channel's own bound: the rest of the burst was never read.
            #expect(counters.requests.count < 20_000)
        }
    }

    @Test func `attack 28: a connection that says nothing ends`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.idleTime = .milliseconds(200)
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            try await eventually { client.isClosed }
            #expect(client.receivedBytes == 0)
        }
    }
}
