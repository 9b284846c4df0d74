import EdgeHTTP
import GatewayServer
import NIOCore
import Operations
import ServiceLifecycle
import TestSupport
import Testing
import UsherAPI

struct ProxyFailureTests {
    @Test func `a shop that is down is 502, and the connection lives on`() async throws {
        var setup = EdgeBench.Setup()
        setup.isOriginDown = true
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            for _ in 1...2 {
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                let reply = try await client.reply()
                #expect(reply.status == 502)
                #expect(reply.body.contains(#""code":"upstream_unavailable""#))
                #expect(reply.body.contains(#""retryable":true"#))
                #expect(reply.first("retry-after") != nil)
            }
            await client.close()
        }
    }

    @Test func `a shop that stalls is 504, and its connection is not used again`() async throws {
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.firstByteTime = .seconds(1) }
        try await EdgeBench.with(setup) { edge in
            let reply = try await edge.ask("GET", "/a?stall")
            #expect(reply.status == 504)
            #expect(reply.body.contains(#""code":"upstream_timeout""#))
            #expect(try await edge.echo("GET", "/b").connection == 2)
        }
    }

    @Test func `a shop that hangs up is 502, and a body cut short is cut short for the visitor too`() async throws {
        try await EdgeBench.with { edge in
            #expect(try await edge.ask("GET", "/a?close").status == 502)
            #expect(try await edge.ask("POST", "/a?close", body: "x").status == 502)
            let client = try await edge.client()
            client.send("GET /a?half HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { client.isClosed }
            #expect(client.text.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a request that may have been acted on is not sent twice`() async throws {
        try await EdgeBench.with { edge in
            _ = try await edge.echo("GET", "/warm")
            let before = edge.origin.requests
            #expect(try await edge.ask("POST", "/a?close", body: "x").status == 502)
            #expect(edge.origin.requests == before + 1)
            _ = try await edge.echo("GET", "/warm")
            let again = edge.origin.requests
            // A pooled connection that dies under a GET: asked once more on a fresh one, and no third time.
            #expect(try await edge.ask("GET", "/a?close").status == 502)
            #expect(edge.origin.requests == again + 2)
        }
    }

    @Test func `after an early reply neither connection is used again`() async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("POST /a?early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.first("connection") == "close")
            #expect(try await edge.echo("GET", "/b").connection == 2)
            await client.close()
        }
    }

    @Test func `when all connections are busy and enough wait, the next is told 503`() async throws {
        var setup = EdgeBench.Setup()
        setup.upstream = {
            $0.connectionsPerLoopMax = 1
            $0.waitingPerLoopMax = 1
            $0.firstByteTime = .seconds(1)
        }
        try await EdgeBench.with(setup) { edge in
            let busy = try await edge.client()
            busy.send("GET /a?stall HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { edge.origin.requests == 1 }
            let waiting = try await edge.client()
            waiting.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { EdgeCounters(edge.registry).forwarded.count == 2 }
            let reply = try await edge.ask("GET", "/c")
            #expect(reply.status == 503)
            #expect(reply.body.contains(#""code":"overloaded""#))
            #expect(try await busy.reply().status == 504)
            #expect(try await waiting.reply().status == 200)
            await busy.close()
            await waiting.close()
        }
    }

    @Test func `a large reply to a slow reader is held back at its source`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.stallTime = .seconds(30)
        try await EdgeBench.with(setup) { edge in
            let chunks = 8192
            let client = try await edge.client(readsAtOnce: false)
            client.send("GET /big?stream=\(chunks) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try await eventually { edge.origin.bytesSent > 0 }
            var last = -1
            // Until the source stands still: what is under way fills the sockets' buffers and no more.
            try await eventually {
                let now = edge.origin.bytesSent
                defer { last = now }
                try await Task.sleep(for: .milliseconds(100))
                return now == last
            }
            #expect(edge.origin.bytesSent < 48 << 20)
            client.readOn()
            try await eventually { client.isClosed }
            #expect(client.receivedBytes > chunks * 16 * 1024)
        }
    }

    @Test func `a large upload to a shop that does not read is held back at its source`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.limits.bodyBytesMax = 128 << 20
        setup.upstream = { $0.totalTime = .seconds(60) }
        try await EdgeBench.with(setup) { edge in
            let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
            let client = try await edge.client()
            client.send("POST /up?deaf HTTP/1.1\r\nHost: a\r\nContent-Length: \(128 << 20)\r\n\r\n")
            for _ in 0..<128 { client.send(piece) }
            try await eventually { edge.origin.requests == 1 }
            var last = -1
            try await eventually {
                let now = client.sentBytes
                defer { last = now }
                try await Task.sleep(for: .milliseconds(100))
                return now == last
            }
            #expect(client.sentBytes < 48 << 20)
            await client.close()
        }
    }

    @Test func `a large upload arrives whole where a rule allows it, and is refused elsewhere`() async throws {
        var setup = EdgeBench.Setup()
        setup.bodyRules = [BodyRule(path: "/up", bytesMax: 32 << 20, time: .seconds(60))]
        try await EdgeBench.with(setup) { edge in
            for target in ["/upper", "/"] {
                let refused = try await edge.client()
                refused.send("POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(32 << 20)\r\n\r\n")
                #expect(try await refused.reply().status == 413)
                await refused.close()
            }
            #expect(edge.origin.requests == 0)
            let client = try await edge.client()
            client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(32 << 20)\r\n\r\n")
            for _ in 0..<32 { client.send(ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)) }
            #expect(try await client.reply().status == 200)
            #expect(edge.origin.bytesRead == 32 << 20)
            await client.close()
        }
    }

    @Test func `draining lets a request under way end, closes idle connections, and takes no new ones`() async throws {
        try await EdgeBench.with { edge in
            let idle = try await edge.client()
            idle.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await idle.reply()
            let busy = try await edge.client()
            busy.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
            try await eventually { edge.origin.requests == 2 }
            await edge.services.triggerGracefulShutdown()
            try await eventually { idle.isClosed }
            #expect(!busy.isClosed)
            busy.send("bc")
            let reply = try await busy.reply()
            #expect(reply.status == 200)
            #expect(reply.first("connection") == "close")
            try await eventually { busy.isClosed }
            await #expect(throws: (any Error).self) { _ = try await edge.client() }
        }
    }

    @Test func `draining cuts off whoever does not end in time`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.drainTime = .milliseconds(200)
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            client.send("GET /b?stall HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { edge.origin.requests == 1 }
            await edge.services.triggerGracefulShutdown()
            try await eventually(within: .seconds(30)) { client.isClosed }
        }
    }
}
