// A listener: accepts within its bounds, gives each connection its handlers, and drains on shutdown.
package import EdgeHTTP
package import Logging
package import NIOCore
package import NIOPosix
import ServiceLifecycle

package struct ListenerConfiguration: Sendable {
    package var host: String
    /// 0 takes a free one.
    package var port: Int
    package var limits = EdgeLimits()
    package var connectionsMax = 20_000
    package var connectionsPerAddressMax = 64
    /// TLS ends in front of the plain port, so that every request there is `https` too.
    package var isSecure = false
    /// How long a request under way may take to end once the gateway is told to stop.
    package var drainTime: Duration = .seconds(30)

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

package struct EdgeListener: Service {
    private static let backlog: Int32 = 4096
    /// Connections taken in one turn of the loop. With NIO's default of 4 a busy loop, whose turns are long, lets new
    /// visitors wait for many seconds while those already connected are served.
    private static let acceptsPerTurnMax: UInt = 256

    private let name: String
    private let configuration: ListenerConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let counters: EdgeCounters
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void
    private let makeDesk: @Sendable (any EventLoop) -> any RequestDesk

    /// `makeDesk` is called once for each event loop, on it.
    package init(
        name: String,
        configuration: ListenerConfiguration,
        group: MultiThreadedEventLoopGroup,
        counters: EdgeCounters,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        makeDesk: @escaping @Sendable (any EventLoop) -> any RequestDesk
    ) {
        self.name = name
        self.configuration = configuration
        self.group = group
        self.counters = counters
        self.logger = logger
        self.onListening = onListening
        self.makeDesk = makeDesk
    }

    package func run() async throws {
        let loops = try await makeLoops()
        let census = ConnectionCensus(
            totalMax: configuration.connectionsMax,
            perAddressMax: configuration.connectionsPerAddressMax,
            counters: counters
        )
        let server = try await bind(loops, census)
        let port = server.localAddress?.port ?? configuration.port
        logger.notice("listening", metadata: ["listener": "\(name)", "port": "\(port)"])
        onListening(port)
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                try? await server.closeFuture.get()
            } onCancel: {
                server.close(promise: nil)
            }
        } onGracefulShutdown: {
            server.close(promise: nil)
        }
        await drain(loops, census)
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

    private func bind(_ loops: [ListenerLoop], _ census: ConnectionCensus) async throws -> any Channel {
        let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.loop), $0) })
        let limits = SharedLimits(configuration.limits)
        let isSecure = configuration.isSecure
        let counters = counters
        let door = ListenerDoor(census: census)
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.maxMessagesPerRead, value: Self.acceptsPerTurnMax)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                door.server = channel
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 16 * 1024, high: 32 * 1024))
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 32 * 1024)
            )
            .childChannelInitializer { channel in
                let address = channel.remoteAddress.flatMap { ClientAddress($0) } ?? .unknown
                guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)], door.admits(address, channel) else {
                    return channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try loop.parts.value.add(
                        channel,
                        peer: address,
                        isSecure: isSecure,
                        limits: limits,
                        counters: counters
                    )
                }
            }
            .bind(host: configuration.host, port: configuration.port)
            .get()
    }

    /// Idle connections end at once, the others after their reply; whoever is left at the end is cut off.
    private func drain(_ loops: [ListenerLoop], _ census: ConnectionCensus) async {
        logger.notice("draining", metadata: ["listener": "\(name)", "connections": "\(census.total)"])
        for loop in loops { loop.loop.execute { loop.parts.value.quiesce() } }
        let end = ContinuousClock.now + configuration.drainTime
        while census.total > 0, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
        for loop in loops { loop.loop.execute { loop.parts.value.closeAll() } }
        logger.notice("drained", metadata: ["listener": "\(name)", "cut_off": "\(census.total)"])
    }
}
