// A listener: a plain port, a TLS port or both with one house behind them. Accepts within its bounds, gives each
// connection its handlers, and drains on shutdown.
import EdgeHTTP
package import Logging
package import NIOCore
package import NIOPosix
import RateLimiting
import ServiceLifecycle

struct ListenerFault: Error, CustomStringConvertible {
    var host: String
    var port: Int
    var error: any Error

    var description: String { "cannot listen on \(host) port \(port): \(error)" }
}

package struct EdgeListener: Service {
    private static let backlog: Int32 = 4096
    /// How much of a reply the kernel takes before the visitor's own window: slow readers do not fill its memory.
    private static let unsentBytesMax = 128 * 1024

    private let name: String
    private let configuration: ListenerConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let counters: EdgeCounters
    private let logger: Logger
    private let overload: Overload?
    private let onListening: @Sendable (Int) -> Void
    private let onDraining: @Sendable () -> Void
    private let makeDesk: @Sendable (any EventLoop) -> any RequestDesk

    /// `makeDesk` is called once for each event loop, on it. `onListening` is told the plain port.
    package init(
        name: String,
        configuration: ListenerConfiguration,
        group: MultiThreadedEventLoopGroup,
        counters: EdgeCounters,
        logger: Logger,
        overload: Overload? = nil,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        onDraining: @escaping @Sendable () -> Void = {},
        makeDesk: @escaping @Sendable (any EventLoop) -> any RequestDesk
    ) {
        self.name = name
        self.configuration = configuration
        self.group = group
        self.counters = counters
        self.logger = logger
        self.overload = overload
        self.onListening = onListening
        self.onDraining = onDraining
        self.makeDesk = makeDesk
    }

    package func run() async throws {
        let loops = try await makeLoops()
        let census = ConnectionCensus(
            totalMax: configuration.connectionsMax,
            perAddressMax: configuration.connectionsPerAddressMax,
            counters: counters
        )
        let door = ListenerDoor(census: census)
        overload?.watch { door.setShut($0 >= .connections) }
        let servers = try await open(loops, door)
        await untilStopped(servers)
        await drain(servers, loops, census)
    }

    private func makeLoops() async throws -> [ListenerLoop] {
        var loops: [ListenerLoop] = []
        for loop in group.makeIterator() {
            let made = try await loop.submit { [makeDesk] in
                NIOLoopBound(ListenerLoop.Parts(desk: makeDesk(loop), loop: loop), eventLoop: loop)
            }.get()
            loops.append(ListenerLoop(loop: loop, parts: made))
        }
        return loops
    }

    /// TLS first, so that a plain port that redirects knows where to.
    private func open(_ loops: [ListenerLoop], _ door: ListenerDoor) async throws -> [any Channel] {
        var servers: [any Channel] = []
        var tlsPort = 0
        if let tls = configuration.tls {
            let server = try await bind(loops, door, .tls(tls), port: tls.port)
            tlsPort = server.localAddress?.port ?? tls.port
            logger.notice("listening", metadata: ["listener": "\(name)", "port": "\(tlsPort)", "tls": "true"])
            servers.append(server)
            tls.onListening(tlsPort)
        }
        let entrance: Entrance
        switch configuration.plain {
        case .off: return servers
        case .serve: entrance = .plain(isSecure: configuration.isSecure)
        case .redirect: entrance = .redirect(RedirectDesk(port: configuration.tlsPublicPort ?? tlsPort))
        }
        let server = try await bind(loops, door, entrance, port: configuration.port)
        let port = server.localAddress?.port ?? configuration.port
        logger.notice("listening", metadata: ["listener": "\(name)", "port": "\(port)"])
        servers.append(server)
        onListening(port)
        return servers
    }

    private func bind(
        _ loops: [ListenerLoop],
        _ door: ListenerDoor,
        _ entrance: Entrance,
        port: Int
    ) async throws -> any Channel {
        let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.loop), $0) })
        let limits = SharedLimits(configuration.limits)
        let counters = counters
        let speaksPlain = if case .tls = entrance { false } else { true }
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.tcpOption(.notSentLowWater), value: Self.unsentBytesMax)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        door.makePacer(on: channel.eventLoop, speaksPlain: speaksPlain)
                    )
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: EdgeCodec.outputLowBytes, high: EdgeCodec.outputHighBytes)
            )
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 32 * 1024)
            )
            .childChannelInitializer { channel in
                let address = channel.remoteAddress.flatMap { ClientAddress($0) } ?? .unknown
                guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)] else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try loop.parts.value.add(
                        channel,
                        peer: address,
                        entrance: entrance,
                        limits: limits,
                        counters: counters
                    )
                }
            }
            .bind(host: configuration.host, port: port)
            .flatMapErrorThrowing { [host = configuration.host] in
                throw ListenerFault(host: host, port: port, error: $0)
            }
            .get()
    }

    /// Until the gateway is told to stop, or a listening socket breaks.
    private func untilStopped(_ servers: [any Channel]) async {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        for server in servers { server.closeFuture.whenComplete { _ in stop.finish() } }
        await withGracefulShutdownHandler {
            for await _ in stops {}
        } onGracefulShutdown: {
            stop.finish()
        }
    }

    /// First it is only said that the end is near, so that balancers and clients turn elsewhere while everything still
    /// works. Then nobody new comes in, idle connections end at once, the others after their reply.
    private func drain(_ servers: [any Channel], _ loops: [ListenerLoop], _ census: ConnectionCensus) async {
        let end = ContinuousClock.now + configuration.drainTime
        logger.notice("draining", metadata: ["listener": "\(name)", "connections": "\(census.total)"])
        onDraining()
        for loop in loops { loop.loop.execute { loop.parts.value.announceEnd() } }
        try? await Task.sleep(for: min(configuration.drainLead, configuration.drainTime))
        for server in servers { try? await server.close().get() }
        for loop in loops { loop.loop.execute { loop.parts.value.quiesce() } }
        while census.total > 0, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
        for loop in loops { loop.loop.execute { loop.parts.value.closeAll() } }
        logger.notice("drained", metadata: ["listener": "\(name)", "cut_off": "\(census.total)"])
    }
}

extension NIOBSDSocket.Option {
    /// `TCP_NOTSENT_LOWAT` of tcp(7). Connections inherit it from their listening socket.
    fileprivate static let notSentLowWater = NIOBSDSocket.Option(rawValue: 25)
}
