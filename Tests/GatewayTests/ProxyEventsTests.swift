import EdgeHTTP
import ServiceLifecycle
import Testing
import TestSupport

@testable import GatewayServer

/// Streams of events through the proxy: what they take, and when they end.
struct ProxyEventsTests {
    private func reader(_ edge: EdgeBench) async throws -> RawClient {
        let client = try await edge.client()
        client.send("GET /map?events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
        try await eventually { client.text.contains("data: begun") || client.text.contains("HTTP/1.1 503") }
        return client
    }

    @Test func `readers of streams take no connection from those who buy`() async throws {
        var setup = EdgeBench.Setup()
        setup.upstream = {
            $0.connectionsPerLoopMax = 1
            $0.waitingPerLoopMax = 0
        }
        try await EdgeBench.with(setup) { edge in
            var readers: [RawClient] = []
            for _ in 0..<5 { readers.append(try await reader(edge)) }
            for reader in readers { #expect(reader.text.contains("data: begun")) }
            for _ in 0..<3 { #expect(try await edge.ask("GET", "/orders").status == 200) }
            #expect(edge.origin.openConnections == 6)
            for reader in readers { await reader.close() }
            try await eventually { edge.origin.openConnections <= 1 }
        }
    }

    @Test func `beyond the bound of streams a reader is told to come later, and others are served`() async throws {
        var setup = EdgeBench.Setup()
        setup.upstream = { $0.streamsPerLoopMax = 2 }
        try await EdgeBench.with(setup) { edge in
            let first = try await reader(edge)
            let second = try await reader(edge)
            let third = try await reader(edge)
            #expect(third.text.hasPrefix("HTTP/1.1 503"))
            #expect(third.text.contains("Retry-After: "))
            #expect(!third.text.contains("data: begun"))
            await third.close()
            #expect(try await edge.ask("GET", "/orders").status == 200)
            // One leaves, another comes in.
            await first.close()
            try await eventually {
                let next = try await reader(edge)
                let isIn = next.text.contains("data: begun")
                await next.close()
                return isIn
            }
            await second.close()
        }
    }

    @Test func `a reader who ends its side is gone for the service, too`() async throws {
        try await EdgeBench.with { edge in
            let client = try await reader(edge)
            await client.endInput()
            try await eventually { edge.origin.openConnections == 0 }
            try await eventually { client.isClosed }
        }
    }

    @Test func `a listener that stops ends streams whole and does not wait for their readers`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.drainTime = .seconds(3600)
        try await EdgeBench.with(setup) { edge in
            let client = try await reader(edge)
            await edge.services.triggerGracefulShutdown()
            try await eventually { client.isClosed }
            #expect(client.text.hasSuffix("0\r\n\r\n"))
            try await eventually { edge.origin.openConnections == 0 }
        }
    }
}
