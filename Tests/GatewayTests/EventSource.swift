import NIOCore
import NIOPosix
import Synchronization

/// A service that begins an event stream for its one visitor and sends what a test gives it.
final class EventSource: Sendable {
    private let server = Mutex<(any Channel)?>(nil)
    private let stream = Mutex<(any Channel)?>(nil)
    let port: Int

    private init(port: Int) {
        self.port = port
    }

    var isOpen: Bool { stream.withLock { $0?.isActive ?? false } }

    func send(_ text: String) {
        let chunk = String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n"
        _ = stream.withLock { $0?.writeAndFlush(ByteBuffer(string: chunk)) }
    }

    static func start() async throws -> EventSource {
        let made = Mutex<EventSource?>(nil)
        let server = try await ServerBootstrap(group: MultiThreadedLoops.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(made.withLock { $0 }))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let source = EventSource(port: server.localAddress?.port ?? 0)
        source.server.withLock { $0 = server }
        made.withLock { $0 = source }
        return source
    }

    func stop() async {
        try? await server.withLock { $0 }?.close().get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let source: EventSource?

        init(_ source: EventSource?) {
            self.source = source
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
            source?.stream.withLock { $0 = context.channel }
        }
    }
}
