// One connection to a service: hands what comes to the exchange that has borrowed it.
import EdgeHTTP
import NIOCore

final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = EdgeReplyPart
    typealias OutboundOut = EdgeRequestPart

    private let pool: UpstreamPool
    private var context: ChannelHandlerContext?
    private var exchange: ProxyExchange?
    var idleSince = NIODeadline.uptimeNanoseconds(0)
    /// Whether an exchange before this one has used it: then it may have been closed in the meantime.
    var wasUsed = false
    /// Until then the pool counts the connection by the attempt to open it.
    var hasConnected = false

    init(pool: UpstreamPool) {
        self.pool = pool
    }

    var isOpen: Bool { context?.channel.isActive ?? false }
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func lend(to exchange: ProxyExchange) {
        self.exchange = exchange
    }

    func write(_ part: EdgeRequestPart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    func flush() { context?.flush() }
    func read() { context?.read() }

    /// Back into the pool.
    func release() {
        exchange = nil
        pool.takeBack(self)
    }

    /// Never to be used again.
    func close() {
        exchange = nil
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else {
            // A service that speaks unasked.
            context.close(promise: nil)
            return
        }
        exchange.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.receivedAll()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.upstreamIsWritable() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let exchange = exchange
        self.exchange = nil
        if hasConnected { pool.closed(self) }
        exchange?.upstreamClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
