// One connection, visitor's or operator's: carries out what the desk decided for each request, one at a time.
import EdgeHTTP
import NIOCore
import Operations
import UsherAPI

final class ConnectionHandler: EdgeReceiver {
    private enum State {
        /// Between requests, or the reply is given and the rest of the request is of no interest.
        case idle
        case collecting(EdgeRequestHead, ByteBuffer, bytesMax: Int, answer: (EdgeRequest) -> RoomAnswer)
        case answering
        case forwarding(ProxyExchange)
    }

    private let desk: any RequestDesk
    private let peer: ClientAddress
    /// Value of `Strict-Transport-Security`.
    private let strictTransport: String?
    private let counters: EdgeCounters
    private var state = State.idle
    private var requestID = RequestID.none

    init(desk: any RequestDesk, peer: ClientAddress, strictTransport: String?, counters: EdgeCounters) {
        self.desk = desk
        self.peer = peer
        self.strictTransport = strictTransport
        self.counters = counters
    }

    func received(_ part: EdgeRequestPart, on codec: EdgeCodec) {
        switch part {
        case .head(let head): begin(head, on: codec)
        case .body(let bytes): take(bytes, on: codec)
        case .end: end(on: codec)
        case .refused(let refusal): refuse(refusal, on: codec)
        }
    }

    private func begin(_ head: EdgeRequestHead, on codec: EdgeCodec) {
        counters.requests.increment()
        requestID = codec.edge.nextID()
        switch desk.way(for: head, from: peer, id: requestID) {
        case .reply(let reply):
            give(reply, on: codec)
        case .later(let future):
            state = .answering
            wait(for: future, on: codec)
        case .soon(let begin):
            state = .answering
            begin(taker(on: codec))
        case .endpoint(let bytesMax, let answer):
            guard allowBody(of: head, bytesMax, on: codec) else { return }
            state = .collecting(head, ByteBuffer(), bytesMax: bytesMax, answer: answer)
            if head.framing != .none { codec.read() }
        case .forward(let forwarding):
            guard allowBody(of: head, forwarding.bodyRule?.bytesMax ?? codec.bodyBytesMax, on: codec) else { return }
            if let rule = forwarding.bodyRule { codec.bodyTime = rule.time }
            counters.forwarded.increment()
            let visitor = ProxyVisitor(handler: self, codec: codec)
            let exchange = ProxyExchange(forwarding, visitor: visitor)
            state = .forwarding(exchange)
            exchange.begin()
        }
    }

    /// False when the body is known to be too long, and answered so.
    private func allowBody(of head: EdgeRequestHead, _ bytesMax: Int, on codec: EdgeCodec) -> Bool {
        codec.bodyBytesMax = bytesMax
        guard case .length(let count) = head.framing, count > bytesMax else { return true }
        give(EdgeReply(.contentTooLarge, requestID: requestID), on: codec)
        return false
    }

    private func take(_ bytes: ByteBuffer, on codec: EdgeCodec) {
        switch state {
        case .collecting(let head, var body, let bytesMax, let answer):
            state = .idle
            body.writeImmutableBuffer(bytes)
            guard body.readableBytes <= bytesMax else {
                give(EdgeReply(.contentTooLarge, requestID: requestID), on: codec)
                return
            }
            state = .collecting(head, body, bytesMax: bytesMax, answer: answer)
            codec.read()
        case .forwarding(let exchange): exchange.sendBody(bytes)
        case .idle, .answering: break
        }
    }

    private func end(on codec: EdgeCodec) {
        switch state {
        case .collecting(let head, let body, _, let answer):
            state = .answering
            let address = desk.clientAddress(of: head, from: peer)
            let request = EdgeRequest(head: head, body: body, clientAddress: address, id: requestID)
            switch answer(request) {
            case .now(let reply): give(reply, on: codec)
            case .later(let future): wait(for: future, on: codec)
            case .soon(let begin): begin(taker(on: codec))
            }
        case .forwarding(let exchange): exchange.endBody()
        case .idle, .answering: break
        }
    }

    private func wait(for future: EventLoopFuture<EdgeReply>, on codec: EdgeCodec) {
        let id = requestID
        future.hop(to: codec.loop).assumeIsolated().whenComplete { result in
            guard case .answering = self.state, self.requestID == id else { return }
            switch result {
            case .success(let reply): self.give(reply, on: codec)
            case .failure: self.give(EdgeReply(.internalError, requestID: id), on: codec)
            }
        }
    }

    /// What takes the reply to this request, should it still be waited for.
    private func taker(on codec: EdgeCodec) -> (EdgeReply) -> Void {
        let id = requestID
        return { reply in
            guard case .answering = self.state, self.requestID == id else { return }
            self.give(reply, on: codec)
        }
    }

    private func refuse(_ refusal: EdgeRefusal, on codec: EdgeCodec) {
        counters.malformed.increment()
        if case .forwarding(let exchange) = state { exchange.abandon() }
        // A head that was refused began no request: it gets an id of its own.
        if case .idle = state { requestID = codec.edge.nextID() }
        let problem = refusal.problem
        give(EdgeReply(problem.code, detail: problem.detail, requestID: requestID, closes: true), on: codec)
    }

    private func give(_ reply: EdgeReply, on codec: EdgeCodec) {
        state = .idle
        var reply = reply
        reply.requestID = requestID
        if let strictTransport { reply.headers.add(HeaderName.strictTransport, strictTransport) }
        codec.give(.whole(reply))
    }

    // MARK: What a proxied exchange gives

    func give(_ part: EdgeReplyPart, flush: Bool, on codec: EdgeCodec) {
        if case .end = part { state = .idle }
        if case .whole = part { state = .idle }
        codec.give(strictTransport.map { part.adding($0) } ?? part)
        if flush { codec.flush() }
    }

    func outputIsWritable(on codec: EdgeCodec) {
        if case .forwarding(let exchange) = state { exchange.visitorIsWritable() }
    }

    func ended(on codec: EdgeCodec) {
        if case .forwarding(let exchange) = state { exchange.abandon() }
        state = .idle
    }
}

extension EdgeReplyPart {
    fileprivate func adding(_ strictTransport: String) -> EdgeReplyPart {
        switch self {
        case .whole(var reply):
            reply.headers.set(HeaderName.strictTransport, strictTransport)
            return .whole(reply)
        case .head(var head):
            head.headers.set(HeaderName.strictTransport, strictTransport)
            return .head(head)
        case .body, .end:
            return self
        }
    }
}

/// The visitor's end of a proxied exchange.
struct ProxyVisitor {
    let handler: ConnectionHandler
    let codec: EdgeCodec

    var loop: any EventLoop { codec.loop }
    var isWritable: Bool { codec.isWritable }
    var hasBodyInHand: Bool { codec.hasBodyInHand }
    func read() { codec.read() }
    func flush() { codec.flush() }
    func close() { codec.close() }
    func give(_ part: EdgeReplyPart, flush: Bool = false) { handler.give(part, flush: flush, on: codec) }
}
