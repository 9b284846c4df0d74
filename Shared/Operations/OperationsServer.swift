// The listener behind an operations port: GET only, small answers, on its own event loop.

package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

package struct OperationsServer: Service {
    /// Answers a path, or `nil` for 404.
    package typealias Handler = @Sendable (_ path: String) async -> OperationsReply?

    private let address: String
    private let port: Int
    private let handler: Handler
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    private static let connectionsMax = 64
    private static let idleLimit = TimeAmount.seconds(30)

    /// Port 0 takes a free one; `onListening` is told the port once connections are accepted.
    package init(
        address: String,
        port: Int,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        handler: @escaping Handler
    ) {
        self.address = address
        self.port = port
        self.handler = handler
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: loops)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: Self.idleLimit))
                    try channel.pipeline.syncOperations.addHandler(IdleCloser())
                    return try NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        onListening(server.channel.localAddress?.port ?? port)
        let open = OpenConnections()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await server.executeThenClose { connections in
                    for try await connection in connections {
                        let number = open.count.wrappingAdd(1, ordering: .relaxed).newValue
                        group.addTask {
                            defer { open.count.wrappingSubtract(1, ordering: .relaxed) }
                            guard number <= Self.connectionsMax else {
                                connection.channel.close(promise: nil)
                                return
                            }
                            // An idle connection must not hold up the stop.
                            await cancelWhenGracefulShutdown { await serve(connection) }
                        }
                    }
                }
            }
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
        try await loops.shutdownGracefully()
    }

    private func serve(_ connection: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>) async {
        do {
            try await connection.executeThenClose { requests, replies in
                var head: HTTPRequestHead?
                for try await part in requests {
                    if case .head(let received) = part { head = received }
                    guard case .end = part, let request = head else { continue }
                    try await answer(request, on: replies)
                    guard request.isKeepAlive else { return }
                }
            }
        } catch {
            logger.debug("operations connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func answer(
        _ request: HTTPRequestHead,
        on replies: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        let path = request.uri.prefix { $0 != "?" }
        let isRead = request.method == .GET || request.method == .HEAD
        let found = isRead ? await handler(String(path)) : OperationsReply(status: 405, body: "GET only\n")
        let reply = found ?? OperationsReply(status: 404, body: "not found\n")
        let body = ByteBuffer(string: reply.body)
        let headers: HTTPHeaders = [
            "Content-Type": reply.contentType,
            "Content-Length": "\(body.readableBytes)",
            "Cache-Control": "no-store",
        ]
        let head = HTTPResponseHead(version: request.version, status: .init(statusCode: reply.status), headers: headers)
        try await replies.write(.head(head))
        if request.method != .HEAD { try await replies.write(.body(.byteBuffer(body))) }
        try await replies.write(.end(nil))
    }
}

private final class OpenConnections: Sendable {
    let count = Atomic<Int>(0)
}

/// Closes a connection on which nothing happened for a while.
private final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
