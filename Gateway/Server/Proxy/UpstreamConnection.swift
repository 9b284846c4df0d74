// One connection to a service: writes the request of the exchange that has borrowed it, reads the reply for it.
import EdgeHTTP
import NIOCore
import NIOPosix

final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A reply no longer than this, and here at once, is given on in one piece.
    private static let wholeBodyBytesMax = 32 * 1024

    let service: Int
    private let pool: UpstreamPool
    private var context: ChannelHandlerContext?
    private var exchange: ProxyExchange?
    private var parser = UpstreamReplyParser()
    private var pending = ByteBuffer()
    /// Kept between requests: once a request has been sent its bytes are free to be overwritten.
    private var requestBytes = ByteBuffer()
    private var isChunked = false
    private var closesAfterReply = false
    private var hasFailed = false
    var idleSince = NIODeadline.uptimeNanoseconds(0)
    /// Whether an exchange before this one has used it: then it may have been closed in the meantime.
    var wasUsed = false
    /// Among the pool's connections.
    var position = 0
    /// Until then the pool counts the connection by the attempt to open it.
    var hasConnected = false
    /// Carries a stream of events, or did.
    var isSetAside = false

    private init(service: Int, pool: UpstreamPool) {
        self.service = service
        self.pool = pool
    }

    static func open(
        to address: ServiceAddress,
        service: Int,
        pool: UpstreamPool
    ) -> EventLoopFuture<UpstreamConnection> {
        let bound = NIOLoopBound(pool, eventLoop: pool.loop)
        return ClientBootstrap(group: pool.loop)
            .connectTimeout(pool.configuration.connectTime)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 16 * 1024, high: 32 * 1024))
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 64 * 1024)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = UpstreamConnection(service: service, pool: bound.value)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .connect(host: address.host, port: address.port)
            .hop(to: pool.loop)
            .flatMapThrowing { try $0.pipeline.syncOperations.handler(type: UpstreamConnection.self) }
    }

    private(set) var isOpen = false
    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: The request

    func begin(_ exchange: ProxyExchange, _ forwarding: Forwarding) {
        self.exchange = exchange
        closesAfterReply = false
        isChunked = forwarding.head.framing == .chunked
        parser.expectReply(to: forwarding.head.method)
        requestBytes.clear()
        ForwardedHead.write(forwarding, host: pool.authority(of: service), to: &requestBytes)
        context?.write(wrapOutboundOut(requestBytes), promise: nil)
    }

    func writeBody(_ bytes: ByteBuffer) {
        guard isChunked else {
            context?.write(wrapOutboundOut(bytes), promise: nil)
            return
        }
        context?.write(wrapOutboundOut(UpstreamRequest.chunkStart(bytes.readableBytes)), promise: nil)
        context?.write(wrapOutboundOut(bytes), promise: nil)
        context?.write(wrapOutboundOut(UpstreamRequest.chunkEnd), promise: nil)
    }

    func writeEnd() {
        if isChunked { context?.write(wrapOutboundOut(UpstreamRequest.lastChunk), promise: nil) }
    }

    func flush() { context?.flush() }

    func pass(to now: NIODeadline) { exchange?.pass(to: now) }

    /// The visitor takes more of the reply.
    func readOn() { context?.read() }

    /// Back into the pool without having been used.
    func release() {
        exchange = nil
        pool.takeBack(self)
    }

    /// Never to be used again.
    func close() {
        exchange = nil
        isOpen = false
        context?.close(promise: nil)
    }

    // MARK: The reply

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        isOpen = true
        // Always one read is asked for, in the pool too: it shows a connection that the service has closed.
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard exchange != nil else {
            // A service that speaks unasked.
            close()
            return
        }
        var bytes = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        do throws(UpstreamFlaw) {
            while let exchange, let piece = try parser.next(from: &pending) { take(piece, exchange) }
        } catch {
            fail(.broken(error))
        }
        // Nothing of it is kept, so that its memory can take the next read.
        if pending.readableBytes == 0 { pending = Self.nothing }
    }

    private static let nothing = ByteBuffer()

    private func take(_ piece: UpstreamReplyParser.Piece, _ exchange: ProxyExchange) {
        switch piece {
        case .head(let head):
            closesAfterReply = head.closes || !exchange.isRequestSent
            if let body = parser.rest(from: &pending, bytesMax: Self.wholeBodyBytesMax) {
                end { exchange.replied(head, body) }
            } else {
                exchange.received(head)
            }
        case .body(let bytes): exchange.received(bytes)
        case .end: end { exchange.receivedEnd() }
        }
    }

    /// The reply is whole. The connection is given back first: the visitor's next request may come out of `tell`.
    private func end(_ tell: () -> Void) {
        exchange = nil
        if closesAfterReply || isSetAside || pending.readableBytes > 0 {
            pending = Self.nothing
            close()
        } else {
            pool.takeBack(self)
        }
        tell()
    }

    private func fail(_ failure: ProxyFailure) {
        let exchange = exchange
        close()
        exchange?.failed(failure, of: service)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let exchange else {
            context.read()
            return
        }
        if exchange.wantsMore() { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.upstreamIsWritable() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        if let exchange, !hasFailed, case .end? = try? parser.ended() {
            closesAfterReply = true
            end { exchange.receivedEnd() }
        }
        let exchange = exchange
        self.exchange = nil
        if hasConnected { pool.closed(self) }
        exchange?.upstreamClosed(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset ends no body, not even one that ends with the connection.
        hasFailed = true
        context.close(promise: nil)
    }
}
