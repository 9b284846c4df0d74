// Kept-alive connections to one service, for one event loop. Bounded: so many connections, so many who wait.
import EdgeHTTP
package import NIOCore
import NIOPosix

package struct UpstreamConfiguration: Sendable {
    package var host: String
    package var port: Int
    package var connectionsPerLoopMax = 256
    package var waitingPerLoopMax = 2048
    /// Shorter than the service's own, so that a connection is not used while it is being closed.
    package var idleTime: TimeAmount = .seconds(8)
    package var connectTime: TimeAmount = .seconds(1)
    package var firstByteTime: TimeAmount = .seconds(10)
    package var totalTime: TimeAmount = .seconds(30)

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Value of `Host`.
    package var authority: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

package enum ProxyFailure: Error, Equatable {
    case unreachable
    case closedEarly
    case timedOut
    /// Every connection is busy and too many wait already.
    case crowded
}

package final class UpstreamPool {
    package let configuration: UpstreamConfiguration
    private let loop: any EventLoop
    private var idle: [UpstreamConnection] = []
    private var waiting = CircularBuffer<ProxyExchange>()
    /// Open or being opened.
    private var openCount = 0
    private var sweep: RepeatedTask?

    package init(_ configuration: UpstreamConfiguration, loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    /// Starts closing connections that nobody has used for a while.
    package func begin() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        sweep = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.closeStale()
        }
    }

    package func stop() {
        sweep?.cancel()
        for connection in idle { connection.close() }
    }

    /// Calls `connected` or `failed` of the exchange, now or later.
    func lend(to exchange: ProxyExchange, mustBeFresh: Bool) {
        while !mustBeFresh, let connection = idle.popLast() {
            guard connection.isOpen else { continue }
            exchange.connected(connection)
            return
        }
        if openCount < configuration.connectionsPerLoopMax {
            connect(for: exchange)
        } else if waiting.count < configuration.waitingPerLoopMax {
            waiting.append(exchange)
        } else {
            exchange.failed(.crowded)
        }
    }

    /// A connection whose last reply was whole and whose last request was sent whole.
    func takeBack(_ connection: UpstreamConnection) {
        guard connection.isOpen else { return }
        connection.idleSince = loop.now
        connection.wasUsed = true
        while let next = waiting.popFirst() {
            guard !next.isDone else { continue }
            next.connected(connection)
            return
        }
        idle.append(connection)
    }

    func closed(_ connection: UpstreamConnection) {
        idle.removeAll { $0 === connection }
        openCount -= 1
        connectForWaiting()
    }

    private func connectForWaiting() {
        while openCount < configuration.connectionsPerLoopMax, let next = waiting.popFirst() {
            if !next.isDone { connect(for: next) }
        }
    }

    private func connect(for exchange: ProxyExchange) {
        openCount += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(configuration.connectTime)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 16 * 1024, high: 32 * 1024))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try UpstreamHandlers.add(to: channel)
                    try channel.pipeline.syncOperations.addHandler(UpstreamConnection(pool: bound.value))
                }
            }
            .connect(host: configuration.host, port: configuration.port)
            .hop(to: loop)
            .flatMapThrowing { try $0.pipeline.syncOperations.handler(type: UpstreamConnection.self) }
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let connection):
                    connection.hasConnected = true
                    if exchange.isDone { self.takeBack(connection) } else { exchange.connected(connection) }
                case .failure:
                    self.openCount -= 1
                    exchange.failed(.unreachable)
                    self.connectForWaiting()
                }
            }
    }

    private func closeStale() {
        let end = loop.now - configuration.idleTime
        // The least used are at the front.
        while let first = idle.first, first.idleSince < end {
            idle.removeFirst()
            first.close()
        }
    }
}
