// One connection, visitor's or operator's: carries out what the desk decided for each request, one at a time.
import EdgeHTTP
import NIOCore
import Operations
import UsherAPI

final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = EdgeRequestPart
    typealias OutboundOut = EdgeReplyPart

    private enum State {
        /// Between requests, or the reply is given and the rest of the request is of no interest.
        case idle
        case collecting(EdgeRequestHead, ByteBuffer, bytesMax: Int, answer: (EdgeRequest) -> RoomAnswer)
        case answering
        case forwarding(ProxyExchange)
    }

    private let desk: any RequestDesk
    private let ids: RequestIDs
    private let peer: ClientAddress
    private let counters: EdgeCounters
    private var state = State.idle
    private var requestID = ""

    init(desk: any RequestDesk, ids: RequestIDs, peer: ClientAddress, counters: EdgeCounters) {
        self.desk = desk
        self.ids = ids
        self.peer = peer
        self.counters = counters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context: context)
        case .body(let bytes): take(bytes, context: context)
        case .end: end(context: context)
        case .refused(let refusal): refuse(refusal, context: context)
        }
    }

    private func begin(_ head: EdgeRequestHead, context: ChannelHandlerContext) {
        counters.requests.increment()
        requestID = ids.next()
        switch desk.way(for: head, from: peer, id: requestID) {
        case .reply(let reply):
            give(reply, context: context)
        case .endpoint(let bytesMax, let answer):
            if case .length(let count) = head.framing, count > bytesMax {
                give(EdgeReply(.contentTooLarge, requestID: requestID), context: context)
                return
            }
            state = .collecting(head, ByteBuffer(), bytesMax: bytesMax, answer: answer)
            if head.framing != .none { context.read() }
        case .forward(let forwarding):
            counters.forwarded.increment()
            let visitor = ProxyVisitor(handler: self, context: context)
            let exchange = ProxyExchange(forwarding, visitor: visitor, requestID: requestID, counters: counters)
            state = .forwarding(exchange)
            exchange.begin()
        }
    }

    private func take(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch state {
        case .collecting(let head, var body, let bytesMax, let answer):
            state = .idle
            body.writeImmutableBuffer(bytes)
            guard body.readableBytes <= bytesMax else {
                give(EdgeReply(.contentTooLarge, requestID: requestID), context: context)
                return
            }
            state = .collecting(head, body, bytesMax: bytesMax, answer: answer)
            context.read()
        case .forwarding(let exchange): exchange.sendBody(bytes)
        case .idle, .answering: break
        }
    }

    private func end(context: ChannelHandlerContext) {
        switch state {
        case .collecting(let head, let body, _, let answer):
            state = .answering
            let address = desk.clientAddress(of: head, from: peer)
            let request = EdgeRequest(head: head, body: body, clientAddress: address, id: requestID)
            switch answer(request) {
            case .now(let reply): give(reply, context: context)
            case .later(let future): wait(for: future, context: context)
            }
        case .forwarding(let exchange): exchange.endBody()
        case .idle, .answering: break
        }
    }

    private func wait(for future: EventLoopFuture<EdgeReply>, context: ChannelHandlerContext) {
        let id = requestID
        future.hop(to: context.eventLoop).assumeIsolated().whenComplete { result in
            guard case .answering = self.state, self.requestID == id else { return }
            switch result {
            case .success(let reply): self.give(reply, context: context)
            case .failure: self.give(EdgeReply(.internalError, requestID: id), context: context)
            }
        }
    }

    private func refuse(_ refusal: EdgeRefusal, context: ChannelHandlerContext) {
        counters.malformed.increment()
        if case .forwarding(let exchange) = state { exchange.abandon() }
        // A head that was refused began no request: it gets an id of its own.
        if case .idle = state { requestID = ids.next() }
        let problem = refusal.problem
        give(EdgeReply(problem.code, detail: problem.detail, requestID: requestID, closes: true), context: context)
    }

    private func give(_ reply: EdgeReply, context: ChannelHandlerContext) {
        state = .idle
        var reply = reply
        reply.headers.add(HeaderName.requestID, requestID)
        context.writeAndFlush(wrapOutboundOut(.whole(reply)), promise: nil)
    }

    // MARK: What a proxied exchange gives

    func give(_ part: EdgeReplyPart, flush: Bool, context: ChannelHandlerContext) {
        if case .end = part { state = .idle }
        if case .whole = part { state = .idle }
        context.write(wrapOutboundOut(part), promise: nil)
        if flush { context.flush() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .forwarding(let exchange) = state { exchange.visitorIsWritable() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .forwarding(let exchange) = state { exchange.abandon() }
        state = .idle
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// The visitor's end of a proxied exchange.
struct ProxyVisitor {
    let handler: ConnectionHandler
    let context: ChannelHandlerContext

    var loop: any EventLoop { context.eventLoop }
    var isWritable: Bool { context.channel.isWritable }
    func read() { context.read() }
    func flush() { context.flush() }
    func close() { context.close(promise: nil) }
    func give(_ part: EdgeReplyPart, flush: Bool = false) { handler.give(part, flush: flush, context: context) }
}
