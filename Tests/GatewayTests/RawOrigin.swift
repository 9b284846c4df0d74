import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A service that answers with exactly the bytes it is told to, and ends its connections as it is told to.
final class RawOrigin: Sendable {
    struct Answer: Sendable {
        enum Ending: Sendable {
            case keeps, closes, resets
        }

        var bytes: String
        var ending = Ending.keeps

        init(_ bytes: String, _ ending: Ending = .keeps) {
            self.bytes = bytes
            self.ending = ending
        }
    }

    /// Told the number of the request (from 1) and what has come of it, its head at least; nil waits for more.
    typealias Script = @Sendable (_ request: Int, _ received: String) -> Answer?

    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private struct State {
        var requests: [String] = []
        var connections = 0
        var openConnections: [ObjectIdentifier: any Channel] = [:]
    }

    private let script: Script
    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)
    let port: Int

    /// What came of each request until it was answered.
    var requests: [String] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }
    var openConnections: Int { state.withLock { $0.openConnections.count } }

    private init(port: Int, script: @escaping Script) {
        self.port = port
        self.script = script
    }

    static func start(port: Int = 0, _ script: @escaping Script) async throws -> RawOrigin {
        let made = Mutex<RawOrigin?>(nil)
        let server = try await ServerBootstrap(group: MultiThreadedLoops.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let origin = made.withLock({ $0 }) else { throw Missing() }
                    try channel.pipeline.syncOperations.addHandler(Handler(origin))
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .get()
        let origin = RawOrigin(port: server.localAddress?.port ?? 0, script: script)
        origin.channel.withLock { $0 = server }
        made.withLock { $0 = origin }
        return origin
    }

    /// Dies with all its connections.
    func stop() async {
        try? await channel.withLock { $0 }?.close().get()
        for connection in state.withLock({ Array($0.openConnections.values) }) {
            try? await connection.close().get()
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let origin: RawOrigin
        private var received = ""
        private var request = 0

        init(_ origin: RawOrigin) {
            self.origin = origin
        }

        func channelActive(context: ChannelHandlerContext) {
            origin.state.withLock {
                $0.connections += 1
                $0.openConnections[ObjectIdentifier(context.channel)] = context.channel
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            origin.state.withLock { $0.openConnections[ObjectIdentifier(context.channel)] = nil }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard received.contains("\r\n\r\n") else { return }
            if request == 0 {
                request = origin.state.withLock {
                    $0.requests.append("")
                    return $0.requests.count
                }
            }
            origin.state.withLock { $0.requests[request - 1] = received }
            guard let answer = origin.script(request, received) else { return }
            received = ""
            request = 0
            give(answer, context: context)
        }

        private func give(_ answer: Answer, context: ChannelHandlerContext) {
            let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer.bytes)))
            switch answer.ending {
            case .keeps: break
            case .closes: written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            case .resets:
                written.assumeIsolated().whenComplete { _ in
                    // Closing without lingering sends a reset.
                    let channel = context.channel as? any SocketOptionProvider
                    channel?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated()
                        .whenComplete { _ in context.close(promise: nil) }
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
