import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An endpoint of somebody: remembers what it got and answers as it is told.
final class WebhookReceiver: Sendable {
    struct Call: Sendable {
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    private struct State {
        var calls: [Call] = []
        /// Statuses of the next answers; then 200.
        var answers: [UInt] = []
        /// Never answers.
        var isDeaf = false
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    var calls: [Call] { state.withLock { $0.calls } }
    var url: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port ?? 0 })/hook" }

    static func with(
        answers: [UInt] = [],
        isDeaf: Bool = false,
        _ body: (WebhookReceiver) async throws -> Void
    ) async throws {
        let receiver = WebhookReceiver()
        receiver.state.withLock {
            $0.answers = answers
            $0.isDeaf = isDeaf
        }
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(receiver))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        receiver.channel.withLock { $0 = server }
        do {
            try await body(receiver)
        } catch {
            try? await server.close()
            throw error
        }
        try await server.close()
    }

    /// - Returns: the status to answer; `nil` for silence.
    fileprivate func take(_ call: Call) -> UInt? {
        state.withLock { state in
            state.calls.append(call)
            if state.isDeaf { return nil }
            return state.answers.isEmpty ? 200 : state.answers.removeFirst()
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let receiver: WebhookReceiver
        private var call = Call(headers: [:], body: [])

        init(_ receiver: WebhookReceiver) { self.receiver = receiver }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): call = Call(headers: head.headers, body: [])
            case .body(let buffer): call.body += buffer.readableBytesView
            case .end:
                guard let status = receiver.take(call) else { return }
                let head = HTTPResponseHead(
                    version: .http1_1,
                    status: .init(statusCode: Int(status)),
                    headers: ["Content-Length": "0"]
                )
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
