// One kept connection: a buyer's requests one by one, then the next buyer's.
import NIOCore
import UsherAPI

final class BuyerLine: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The payment method of the mock provider that always succeeds.
    private static let card = "pm_card_visa"
    private static let retryPause = TimeAmount.milliseconds(50)
    private static let triesMax = 200

    private let run: BuyRun
    private var buyer: Buyer?
    private var received = ByteBuffer()
    private var sentAt = NIODeadline.now()
    private var isLeaving = false

    init(run: BuyRun, buyer: Buyer?) {
        self.run = run
        self.buyer = buyer
    }

    func channelActive(context: ChannelHandlerContext) {
        buyer == nil ? begin(context) : send(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        run.lineEnded(with: buyer)
        buyer = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        do {
            guard let reply = try PlainReply.next(from: &received) else { return }
            if received.readableBytes == 0 { received = ByteBuffer() }
            answered(reply, context)
        } catch {
            context.close(promise: nil)
        }
    }

    /// The next buyer, or the end of the line.
    private func begin(_ context: ChannelHandlerContext) {
        buyer = run.nextBuyer()
        guard buyer != nil else { return context.close(promise: nil) }
        send(context)
    }

    private func answered(_ reply: PlainReply, _ context: ChannelHandlerContext) {
        guard var buyer else { return context.close(promise: nil) }
        run.tally.answered(buyer.step, after: .now() - sentAt, status: reply.status)
        isLeaving = reply.closes
        guard reply.status < 300 else { return refused(reply, buyer, context) }
        buyer.tries = 0
        switch buyer.step {
        case .hold:
            buyer.hold = reply.text(after: "\"id\":\"") ?? ""
            buyer.step = run.plan.flow == .hold ? .release : .order
        case .order:
            buyer.order = reply.text(after: "\"id\":\"") ?? ""
            buyer.step = .pay
        case .pay, .look:
            guard reply.contains("\"state\":\"paid\"") else {
                buyer.step = .look
                return later(buyer, context)
            }
            run.tally.bought(reply.texts(after: "\"seat\":\"").uniqued())
            return ended(context)
        case .release:
            run.giveBack(buyer)
            return ended(context)
        case .map:
            return ended(context)
        }
        self.buyer = buyer
        isLeaving ? context.close(promise: nil) : send(context)
    }

    private func ended(_ context: ChannelHandlerContext) {
        buyer = nil
        guard isLeaving else { return begin(context) }
        // The server closes this connection: the next buyer needs another one.
        if let next = run.nextBuyer() { run.openLine(for: next) }
        context.close(promise: nil)
    }

    /// Busy or unwell servers are asked again; any other refusal is the buyer's end.
    private func refused(_ reply: PlainReply, _ buyer: Buyer, _ context: ChannelHandlerContext) {
        let mayPass = reply.status == 429 || reply.status >= 500
        guard mayPass, buyer.tries < Self.triesMax else {
            run.tally.unfinished += 1
            return ended(context)
        }
        later(buyer, context)
    }

    private func later(_ waiting: Buyer, _ context: ChannelHandlerContext) {
        var waiting = waiting
        waiting.tries += 1
        buyer = waiting
        guard waiting.tries <= Self.triesMax else {
            run.tally.unfinished += 1
            return ended(context)
        }
        guard !isLeaving else { return context.close(promise: nil) }
        let (line, bound) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.loopBound)
        context.eventLoop.scheduleTask(in: Self.retryPause) {
            if bound.value.channel.isActive { line.value.send(bound.value) }
        }
    }

    private func send(_ context: ChannelHandlerContext) {
        guard let buyer else { return }
        sentAt = .now()
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: text(for: buyer))), promise: nil)
    }

    private func text(for buyer: Buyer) -> String {
        let session = run.plan.session
        func request(_ method: String, _ path: String, _ body: String?, hasKey: Bool = false) -> String {
            let name = "\(run.plan.seed)-\(buyer.number)-\(buyer.step.rawValue)"
            let key = hasKey ? "\(HeaderName.idempotencyKey): \(name)\r\n" : ""
            let length = body.map { "Content-Type: application/json\r\nContent-Length: \($0.utf8.count)\r\n" } ?? ""
            return "\(method) \(path) HTTP/1.1\r\nHost: \(run.plan.authority)\r\n\(buyer.headers)\(key)\(length)\r\n"
                + (body ?? "")
        }
        let seats = "{\"best\":{\"quantity\":\(buyer.quantity)}}"
        switch buyer.step {
        case .hold: return request("POST", Path.holds(session), seats, hasKey: true)
        case .order:
            let body = buyer.hold.isEmpty ? seats : "{\"hold_id\":\"\(buyer.hold)\"}"
            return request("POST", Path.orders(session), body, hasKey: true)
        case .pay:
            let body = "{\"payment_method\":\"\(Self.card)\"}"
            return request("POST", Path.payments(buyer.order), body, hasKey: true)
        case .look: return request("GET", Path.order(buyer.order), nil)
        case .release: return request("DELETE", Path.holds(session) + "/" + buyer.hold, nil)
        case .map: return request("GET", Path.seats(session), nil)
        }
    }
}

extension Array where Element == String {
    /// An order names each seat twice: as an item and on its ticket.
    fileprivate func uniqued() -> [String] {
        var found: [String] = []
        for element in self where !found.contains(element) { found.append(element) }
        return found
    }
}
