// The whole gateway over sockets: wiring, listeners, proxy and rooms together.
import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import QueueTokens
import Queueing
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsGatewayTests {
    private static let pages = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(components: "Gateway", "Pages").path

    @Test func `a visitor joins, is called, claims, and reaches the shop; booking ends the pass`() async throws {
        try await withTemporaryRedis { server in
            try await withRunningGateway(server) { ports, origin in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let policy = #"{"admission":{"ramp_seconds":0},"protects":[{"session":"\#(GatewayNode.session)"}]}"#
                let made = try await admin.ask(
                    "PUT",
                    "/admin/v1/rooms/sale",
                    ["Authorization: Bearer \(ports.token)", "If-None-Match: *"],
                    body: policy
                )
                #expect(made.status == 201)
                #expect(try await admin.ask("GET", "/readyz").status == 200)

                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let shop = "/v1/sessions/\(GatewayNode.session)/seats"
                try await eventually { try await visitor.ask("GET", shop).status == 403 }
                let device = "Usher-Device: \(GatewayNode.device(1))"
                let joined = try await visitor.ask("POST", "/v1/rooms/sale/join", [device])
                #expect(joined.status == 201)
                let place = try JSONDecoder().decode(JoinReply.self, from: Data(joined.body.utf8)).token
                var claimed = try await visitor.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(place)"])
                try await eventually {
                    if claimed.status == 202 {
                        claimed = try await visitor.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(place)"])
                    }
                    return claimed.status == 200
                }
                let pass = try JSONDecoder().decode(ClaimReply.self, from: Data(claimed.body.utf8)).pass.token
                let inside = try await visitor.ask("GET", shop, ["Usher-Pass: \(pass)", "Usher-Forged: 1"])
                #expect(inside.status == 200)
                let echo = try JSONDecoder().decode(EchoOrigin.Echo.self, from: Data(inside.body.utf8))
                #expect(echo.all("usher-pass") == [pass])
                #expect(echo.all("usher-forged").isEmpty)
                let bought = try await visitor.ask("POST", "\(shop)?command=complete", ["Usher-Pass: \(pass)"])
                #expect(bought.first("usher-command") == nil)
                try await eventually { try await visitor.ask("GET", shop, ["Usher-Pass: \(pass)"]).status == 403 }
                let keys = try await visitor.ask("GET", "/.well-known/jwks.json")
                #expect(try JWKS.decode(Array(keys.body.utf8)).keys.count == 2)
                let report = try await visitor.ask("GET", "/v1/rooms/sale/snapshot")
                #expect(report.first("usher-signature")?.hasPrefix("kid=place-") ?? false)
            }
        }
    }

    private struct Ports: Sendable {
        var visitors: Int
        var admin: Int
        var token: String
    }

    private func withRunningGateway(
        _ server: TemporaryRedis,
        _ body: @Sendable (Ports, EchoOrigin) async throws -> Void
    ) async throws {
        let folder = "/tmp/usher-gateway-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let origin = try await EchoOrigin.start(on: server.eventLoopGroup)
        let address = "http://127.0.0.1:\(origin.port)"
        let settings = try Settings.read(
            section: "gateway",
            keys: GatewayConfiguration.keys,
            arguments: [
                "--port", "0", "--admin-port", "0", "--redis", "\(try server.configuration())", "--booking", address,
                "--booking-operations", address, "--keys", folder + "/keys", "--admin-token-file",
                folder + "/admin.token", "--pages", Self.pages, "--event-loops", "2", "--snapshot-interval", "25ms",
                "--tick-interval", "50ms", "--drain-time", "5s", "--drain-lead", "0s",
            ],
            environment: [:]
        )
        let visitors = Mutex(0)
        let admin = Mutex(0)
        let wiring = try await Wiring(
            try GatewayConfiguration(settings),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onListening: { port in visitors.withLock { $0 = port } },
            onAdminListening: { port in admin.withLock { $0 = port } }
        )
        let group = ServiceGroup(
            configuration: .init(
                services: wiring.services.map { .init(service: $0) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually { visitors.withLock { $0 } > 0 && admin.withLock { $0 } > 0 }
            let token = try String(contentsOfFile: folder + "/admin.token", encoding: .utf8)
            try await body(
                Ports(
                    visitors: visitors.withLock { $0 },
                    admin: admin.withLock { $0 },
                    token: token.trimmingCharacters(in: .newlines)
                ),
                origin
            )
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await origin.stop()
        try await wiring.group.shutdownGracefully()
    }
}

extension RawClient {
    fileprivate func ask(
        _ method: String,
        _ target: String,
        _ headers: [String] = [],
        body: String = ""
    ) async throws -> Reply {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost"] + headers
        if !body.isEmpty || method != "GET" { lines.append("Content-Length: \(body.utf8.count)") }
        send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        return try await reply()
    }
}
