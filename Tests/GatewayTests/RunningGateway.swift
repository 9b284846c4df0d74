// A whole gateway with its listeners, on a Redis of its own and before an echoing origin.
import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import GatewayServer

struct RunningPorts: Sendable {
    var visitors: Int
    var admin: Int
    var token: String
}

/// Later arguments win over those a test needs.
func withRunningGateway(
    _ server: TemporaryRedis,
    arguments: [String] = [],
    _ body: @Sendable (RunningPorts, EchoOrigin) async throws -> Void
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
            folder + "/admin.token", "--pages", EdgeBench.pagesFolder, "--event-loops", "2", "--snapshot-interval",
            "25ms", "--tick-interval", "50ms", "--drain-time", "5s", "--drain-lead", "0s", "--overload-lag", "60s",
            "--connections-max", "1000",
            "--rooms-file", folder + "/rooms.json", "--arrivals", folder + "/arrivals", "--beacon-relays", "",
        ] + arguments,
        environment: [:]
    )
    let visitors = Mutex(0)
    let admin = Mutex(0)
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let wiring = try await Wiring(
        try GatewayConfiguration(settings),
        logger: quiet,
        onListening: { port in visitors.withLock { $0 = port } },
        onAdminListening: { port in admin.withLock { $0 = port } }
    )
    let group = ServiceGroup(
        configuration: .init(services: wiring.services.map { .init(service: $0) }, logger: quiet)
    )
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await eventually { visitors.withLock { $0 } > 0 && admin.withLock { $0 } > 0 }
        let token = try String(contentsOfFile: folder + "/admin.token", encoding: .utf8)
        let ports = RunningPorts(
            visitors: visitors.withLock { $0 },
            admin: admin.withLock { $0 },
            token: token.trimmingCharacters(in: .newlines)
        )
        try await body(ports, origin)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
    await origin.stop()
    try await wiring.group.shutdownGracefully()
}

extension RawClient {
    func ask(
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
