// How long a proxied exchange may take, and what may take as long as it likes.
import EdgeHTTP
import GatewayServer
import NIOCore
import NIOPosix
import TestSupport
import Testing

struct ProxyTimeTests {
    private static func setup(_ origin: RawOrigin, _ change: @escaping (inout UpstreamConfiguration) -> Void)
        -> EdgeBench.Setup
    {
        var setup = EdgeBench.Setup()
        setup.upstream = {
            $0.addresses = [ServiceAddress(host: "127.0.0.1", port: origin.port)]
            change(&$0)
        }
        return setup
    }

    @Test func `no first byte in time is 504 with the request's id`() async throws {
        let origin = try await RawOrigin.start { _, _ in nil }
        try await EdgeBench.with(Self.setup(origin) { $0.firstByteTime = .milliseconds(200) }) { edge in
            for body in [nil, "x"] {
                let reply = try await edge.ask(body == nil ? "GET" : "POST", "/", body: body)
                #expect(reply.status == 504)
                let id = try reply.first("usher-request-id").orThrow()
                #expect(reply.body.contains(#""request_id":"\#(id)""#))
                #expect(reply.body.contains(#""code":"upstream_timeout""#))
            }
            try await eventually { origin.openConnections == 0 }
        }
        await origin.stop()
    }

    @Test func `interim replies and waiting do not stretch the total time`() async throws {
        let origin = try await RawOrigin.start { _, _ in RawOrigin.Answer("HTTP/1.1 102 Processing\r\n\r\n") }
        let setup = Self.setup(origin) {
            $0.firstByteTime = .seconds(60)
            $0.totalTime = .milliseconds(300)
        }
        try await EdgeBench.with(setup) { edge in
            let reply = try await edge.ask("GET", "/")
            #expect(reply.status == 504)
        }
        await origin.stop()
    }

    @Test func `a silent body is cut off`() async throws {
        let origin = try await RawOrigin.start { _, _ in
            RawOrigin.Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        try await EdgeBench.with(Self.setup(origin) { $0.quietTime = .milliseconds(200) }) { edge in
            let client = try await edge.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { client.isClosed }
            #expect(client.text.hasSuffix("abc"))
        }
        await origin.stop()
    }

    @Test func `a stream of events lives on past every other time, and each event comes at once`() async throws {
        let source = try await EventSource.start()
        var setup = EdgeBench.Setup()
        setup.upstream = {
            $0.addresses = [ServiceAddress(host: "127.0.0.1", port: source.port)]
            $0.firstByteTime = .milliseconds(150)
            $0.totalTime = .milliseconds(150)
        }
        try await EdgeBench.with(setup) { edge in
            let client = try await edge.client()
            client.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            let start = ContinuousClock.now
            var number = 0
            // Each is sent only when the one before has arrived.
            while ContinuousClock.now - start < .milliseconds(900) {
                number += 1
                try await eventually { source.isOpen }
                source.send("data: \(number)\n\n")
                try await eventually { client.text.contains("data: \(number)\n\n") }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(number > 3)
            #expect(client.text.contains("content-type: text/event-stream"))
            #expect(!client.isClosed)
            await client.close()
            try await eventually {
                source.send(": is anybody there?\n\n")
                return !source.isOpen
            }
        }
        await source.stop()
    }
}
