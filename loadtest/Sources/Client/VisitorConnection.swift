// A visitor's one socket: bound to the visitor's own address, opened when needed, kept alive between requests.
import NIOCore
import NIOHTTP1
import NIOPosix

/// Where the gateway listens.
struct Target: Sendable, Equatable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `http://host:port`, nothing else: visitors of a local test need no TLS.
    init?(url: String) {
        guard url.hasPrefix("http://") else { return nil }
        var rest = url.dropFirst("http://".count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, parts.count <= 2, !rest.contains("/") else { return nil }
        guard let port = parts.count == 2 ? Int(parts[1]) : 80, (1...65_535).contains(port) else { return nil }
        self.host = String(host)
        self.port = port
    }

    var authority: String { "\(host):\(port)" }

    /// Blocks for as long as the name server takes.
    func lookUp() throws -> SocketAddress { try SocketAddress.makeAddressResolvingHost(host, port: port) }
}

/// Owned by one task; not for sharing.
final class VisitorConnection {
    static let connectTimeout = TimeAmount.seconds(10)

    private let target: Target
    private let address: SocketAddress
    private let source: String?
    private let group: any EventLoopGroup
    private let replyTimeout: TimeAmount
    private var channel: (any Channel)?

    /// `address` is the target's, looked up once for all visitors.
    init(
        target: Target,
        address: SocketAddress,
        source: String?,
        group: any EventLoopGroup,
        replyTimeout: TimeAmount = .seconds(30)
    ) {
        self.target = target
        self.address = address
        self.source = source
        self.group = group
        self.replyTimeout = replyTimeout
    }

    /// The address of a visitor: from 127.10.0.0 up, one each for the first 15 million.
    static func source(ofVisitor index: Int) -> String {
        "127.\(10 + index / 65_536 % 240).\(index / 256 % 256).\(index % 256)"
    }

    func send(_ request: Request) async throws(TransportFailure) -> Reply {
        let channel = try await openChannel()
        let promise = channel.eventLoop.makePromise(of: Reply.self)
        let exchange = Exchange(request: request, host: target.authority, promise: promise)
        // Closing fails the promise, so that a silent server or a cancelled visitor ends the wait.
        let deadline = channel.eventLoop.scheduleTask(in: replyTimeout) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        channel.writeAndFlush(exchange).whenFailure { _ in promise.fail(TransportFailure.lost) }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            throw error as? TransportFailure ?? .lost
        }
    }

    func close() {
        channel?.close(promise: nil)
        channel = nil
    }

    private func openChannel() async throws(TransportFailure) -> any Channel {
        if let channel, channel.isActive { return channel }
        do {
            var bootstrap = ClientBootstrap(group: group)
                .connectTimeout(Self.connectTimeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(ExchangeHandler())
                    }
                }
            if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
            let opened = try await bootstrap.connect(to: address).get()
            channel = opened
            return opened
        } catch {
            throw .notConnected
        }
    }
}
