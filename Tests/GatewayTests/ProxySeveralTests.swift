// Several services behind one gateway: who gets what, and what happens when one of them goes.
import EdgeHTTP
import GatewayServer
import NIOCore
import Operations
import Synchronization
import TestSupport
import Testing

struct ProxySeveralTests {
    private static func named(_ name: String) -> RawOrigin.Script {
        { _, _ in RawOrigin.Answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(name)") }
    }

    private static func setup(_ ports: [Int], _ change: @escaping (inout UpstreamConfiguration) -> Void = { _ in })
        -> EdgeBench.Setup
    {
        var setup = EdgeBench.Setup()
        setup.upstream = {
            $0.addresses = ports.map { ServiceAddress(host: "127.0.0.1", port: $0) }
            change(&$0)
        }
        return setup
    }

    @Test func `requests go round, each with the Host of its service`() async throws {
        let origins = [try await RawOrigin.start(Self.named("a")), try await RawOrigin.start(Self.named("b"))]
        try await EdgeBench.with(Self.setup(origins.map(\.port))) { edge in
            var seen: Set<String> = []
            for _ in 0..<4 { seen.insert(try await edge.ask("GET", "/").body) }
            #expect(seen == ["a", "b"])
            for origin in origins {
                #expect(origin.requests.allSatisfy { $0.contains("\r\nHost: 127.0.0.1:\(origin.port)\r\n") })
            }
        }
        for origin in origins { await origin.stop() }
    }

    @Test func `a slow service gets fewer requests than a fast one`() async throws {
        let slow = try await RawOrigin.start { _, _ in nil }
        let fast = try await RawOrigin.start(Self.named("f"))
        try await EdgeBench.with(Self.setup([slow.port, fast.port])) { edge in
            let stuck = try await edge.client()
            stuck.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\nGET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
            // From the moment that one request hangs there, all others go to the other.
            try await eventually { slow.requests.count == 1 }
            for _ in 0..<6 { #expect(try await edge.ask("GET", "/").body == "f") }
            #expect(slow.requests.count == 1)
            await stuck.close()
        }
        await slow.stop()
        await fast.stop()
    }

    @Test func `what could not be sent to one is sent to another, and the dead one is left alone`() async throws {
        let dead = try await RawOrigin.start(Self.named("d"))
        await dead.stop()
        let good = try await RawOrigin.start(Self.named("g"))
        try await EdgeBench.with(Self.setup([dead.port, good.port]) { $0.ejection.failures = 2 }) { edge in
            for _ in 0..<10 {
                let reply = try await edge.ask("POST", "/", body: "x")
                #expect(reply.body == "g")
            }
            let counters = EdgeCounters(edge.registry)
            #expect(counters.upstreamRetries.count == 2)
            #expect(counters.upstreamEjections.count == 1)
            #expect(counters.upstreamFailures.count == 0)
        }
        await good.stop()
    }

    @Test func `a service that breaks its replies is ejected`() async throws {
        let broken = try await RawOrigin.start { _, _ in RawOrigin.Answer("nonsense\r\n\r\n") }
        let good = try await RawOrigin.start(Self.named("g"))
        try await EdgeBench.with(Self.setup([broken.port, good.port]) { $0.ejection.failures = 3 }) { edge in
            var statuses: [Int] = []
            for _ in 0..<20 { statuses.append(try await edge.ask("GET", "/").status) }
            #expect(statuses.count { $0 == 502 } == 3)
            #expect(statuses.suffix(10).allSatisfy { $0 == 200 })
        }
        await broken.stop()
        await good.stop()
    }

    @Test(arguments: [nil, "/healthz"])
    func `checks find out that one is down before a request does, and that it is back`(_ path: String?) async throws {
        let script: RawOrigin.Script = { _, received in
            RawOrigin.Answer(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
                received.contains("/healthz") ? .closes : .keeps
            )
        }
        let first = try await RawOrigin.start(Self.named("a"))
        let port: Int
        do {
            let second = try await RawOrigin.start(script)
            port = second.port
            await second.stop()
        }
        let setup = Self.setup([first.port, port]) {
            $0.checkInterval = .milliseconds(20)
            $0.checkPath = path
            $0.ejection.failures = 1000
        }
        try await EdgeBench.with(setup) { edge in
            let counters = EdgeCounters(edge.registry)
            try await eventually {
                let before = counters.upstreamRetries.count
                for _ in 0..<4 { _ = try await edge.ask("GET", "/") }
                return counters.upstreamRetries.count == before
            }
            let back = try await RawOrigin.start(port: port, script)
            try await eventually { try await edge.ask("GET", "/").body == "b" }
            await back.stop()
        }
        await first.stop()
    }
}
