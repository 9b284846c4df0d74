import EdgeHTTP
import Foundation
import GatewayServer
import Logging
import NIOCore
import NIOPosix
import Operations
import RateLimiting
import ServiceLifecycle
import Synchronization
import TestSupport

enum MultiThreadedLoops {
    static let group = MultiThreadedEventLoopGroup.singleton
    static var any: any EventLoop { group.any() }
}

/// A visitors' port over fake rooms and an echoing origin.
struct EdgeBench: Sendable {
    struct Setup {
        var listener = ListenerConfiguration(host: "127.0.0.1", port: 0)
        var upstream: (inout UpstreamConfiguration) -> Void = { _ in }
        var limits = LimitPlan(rules: [])
        /// Nanoseconds of the limits' clock; the real one without it.
        var clock: (@Sendable () -> Int64)?
        var proxies: [AddressBlock] = []
        var bodyRules: [BodyRule] = []
        var overload = Overload(MetricsRegistry())
        /// Nothing listens where the origin should be.
        var isOriginDown = false
        var captcha: CaptchaSite?
    }

    let port: Int
    /// 0 without TLS.
    let tlsPort: Int
    let rooms: FakeRooms
    let limits: Limits
    let origin: EchoOrigin
    let group: MultiThreadedEventLoopGroup
    let services: ServiceGroup
    let registry: MetricsRegistry

    func client(from address: String = "127.0.0.1", readsAtOnce: Bool = true) async throws -> RawClient {
        try await RawClient.connect(to: port, from: address, on: MultiThreadedLoops.group, readsAtOnce: readsAtOnce)
    }

    /// One request on a connection of its own.
    func ask(
        _ method: String = "GET",
        _ target: String,
        _ headers: [String] = [],
        body: String? = nil,
        from address: String = "127.0.0.1"
    ) async throws -> RawClient.Reply {
        let client = try await client(from: address)
        var lines = ["\(method) \(target) HTTP/1.1", "Host: shop.example"] + headers
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        let reply = try await client.reply(toHead: method == "HEAD")
        await client.close()
        return reply
    }

    func echo(
        _ method: String = "GET",
        _ target: String,
        _ headers: [String] = [],
        body: String? = nil
    ) async throws -> EchoOrigin.Echo {
        try Self.echo(in: try await ask(method, target, headers, body: body))
    }

    static func echo(in reply: RawClient.Reply) throws -> EchoOrigin.Echo {
        try JSONDecoder().decode(EchoOrigin.Echo.self, from: Data(reply.body.utf8))
    }

    static let pagesFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Gateway/Pages").path

    static func with(
        _ setup: Setup = Setup(),
        threads: Int = 1,
        _ body: (EdgeBench) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let origin = try await EchoOrigin.start(on: MultiThreadedLoops.group)
        if setup.isOriginDown { await origin.stop() }
        let rooms = FakeRooms()
        let registry = MetricsRegistry()
        let port = Mutex<Int?>(nil)
        let tlsPort = Mutex(0)
        var setup = setup
        setup.listener.tls?.onListening = { taken in tlsPort.withLock { $0 = taken } }
        let counters = LimitCounters(registry, setup.limits)
        let limits =
            setup.clock.map { Limits(setup.limits, seed: 1, counters: counters, clock: $0) }
            ?? Limits(setup.limits, seed: 1, counters: counters)
        let listener = try listener(setup, group, rooms, limits, registry, originPort: origin.port) { taken in
            port.withLock { $0 = taken }
        }
        var configuration = ServiceGroupConfiguration(services: [listener], logger: Self.quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(40)
        let services = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            try await eventually { port.withLock { $0 } != nil }
            let bench = EdgeBench(
                port: try port.withLock { $0 }.orThrow(),
                tlsPort: tlsPort.withLock { $0 },
                rooms: rooms,
                limits: limits,
                origin: origin,
                group: group,
                services: services,
                registry: registry
            )
            do {
                try await body(bench)
            } catch {
                await services.triggerGracefulShutdown()
                tasks.cancelAll()
                throw error
            }
            await services.triggerGracefulShutdown()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        await origin.stop()
        try await group.shutdownGracefully()
    }

    private static var quiet: Logger {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }

    private static func listener(
        _ setup: Setup,
        _ group: MultiThreadedEventLoopGroup,
        _ rooms: FakeRooms,
        _ limits: Limits,
        _ registry: MetricsRegistry,
        originPort: Int,
        onListening: @escaping @Sendable (Int) -> Void
    ) throws -> EdgeListener {
        let counters = EdgeCounters(registry)
        let pages = try WaitingPages(folder: pagesFolder, captcha: setup.captcha)
        var upstream = UpstreamConfiguration(host: "127.0.0.1", port: originPort)
        setup.upstream(&upstream)
        let configuration = upstream
        let overload = setup.overload
        let rule = AddressRule(trustedProxies: setup.proxies)
        let bodyRules = setup.bodyRules
        return EdgeListener(
            name: "visitors",
            configuration: setup.listener,
            group: group,
            counters: counters,
            logger: quiet,
            overload: overload,
            onListening: onListening
        ) { loop in
            let booking = UpstreamPool(configuration, loop: loop, counters: counters)
            booking.begin()
            return VisitorDesk(
                rooms: rooms,
                pages: pages,
                addressRule: rule,
                limits: limits,
                booking: booking,
                bodyRules: bodyRules,
                counters: counters,
                overload: overload
            )
        }
    }
}
