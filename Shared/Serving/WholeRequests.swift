package import NIOCore
package import NIOHTTP1

/// Keeps what an HTTP client flushes until the request is whole: its head and its body then take one write here and one
/// read at the other end, instead of up to three of each. For requests whose body is there when they are sent; what is
/// more than the channel may keep goes out at once.
package final class WholeRequests: ChannelDuplexHandler {
    package typealias InboundIn = NIOAny
    package typealias OutboundIn = HTTPClientRequestPart

    private var isWhole = true

    /// For a connection of `AsyncHTTPClient`, once it is set up.
    package static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
            try pipeline.addHandler(WholeRequests(), position: .after(encoder))
        }
    }

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: isWhole = false
        case .body: break
        case .end: isWhole = true
        }
        context.write(data, promise: promise)
    }

    package func flush(context: ChannelHandlerContext) {
        guard isWhole || !context.channel.isWritable else { return }
        context.flush()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable { context.flush() }
        context.fireChannelWritabilityChanged()
    }
}
