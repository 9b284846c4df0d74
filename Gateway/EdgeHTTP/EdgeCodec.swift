// The server side of a visitor's connection: bytes in, checked requests up; replies down, bytes out.
// It reads one request at a time: the next is parsed only when the reply to this one is complete, so pipelined
// replies keep their order, and what waits unread is bounded by one socket read.
package import NIOCore

package final class EdgeCodec: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = EdgeRequestPart
    package typealias OutboundIn = EdgeReplyPart
    package typealias OutboundOut = ByteBuffer

    private enum Reading {
        case head
        case length(Int)
        case chunked(ChunkedDecoder)
        /// The request is complete; the next waits for the reply.
        case complete
        /// Nothing more is read as a request: refused, or closing.
        case ended
    }

    private enum Replying {
        case nothing
        case awaited
        case streaming(EdgeReplyHead.Framing, hasBody: Bool)
    }

    private let limits: EdgeLimits
    private let date: EdgeDate
    private let isSecure: Bool
    private var parser: RequestHeadParser
    private var pending = ByteBuffer()
    private var reading = Reading.head
    private var replying = Replying.nothing
    private var bodyBytes = 0
    private var isHeadRequest = false
    private var isVersion11 = true
    private var mayKeepAlive = true
    private var owesContinue = false
    private var isDraining = false
    private var isClosing = false
    private var isAdvancing = false
    /// The rest of a small body whose reply has already been given is thrown away.
    private var isSkippingBody = false
    private var requestCount = 0
    private var clock: ConnectionClock?

    /// `isSecure` says the scheme of every request of the connection.
    package init(limits: EdgeLimits, date: EdgeDate, isSecure: Bool = false) {
        self.limits = limits
        self.date = date
        self.isSecure = isSecure
        self.parser = RequestHeadParser(limits: limits)
    }

    // MARK: Inbound

    package func handlerAdded(context: ChannelHandlerContext) {
        let clock = ConnectionClock(loop: context.eventLoop)
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        clock.passed = { [weak self] in self?.passed($0, context: context.value) }
        self.clock = clock
        if context.value.channel.isActive { begin(context: context.value) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context: context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        clock?.stop()
        reading = .ended
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        clock?.stop()
    }

    private func begin(context: ChannelHandlerContext) {
        clock?.set(.idle, after: limits.idleTime)
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if isClosing || isEnded {
            if isClosing { context.read() }
            return
        }
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            pending.writeBuffer(&bytes)
        }
        advance(context: context)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        // Nothing complete came out of what was read so far: ask for more.
        if case .head = reading, !isClosing { context.read() }
        if isSkippingBody { context.read() }
        context.fireChannelReadComplete()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            clock?.clear(.stall)
        } else {
            clock?.set(.stall, after: limits.stallTime)
        }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isDraining = true
            if case .nothing = replying, case .head = reading, pending.readableBytes == 0 {
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken socket: there is nobody to answer.
        context.close(promise: nil)
    }

    private var isEnded: Bool {
        if case .ended = reading { true } else { false }
    }

    // MARK: Requests

    private func advance(context: ChannelHandlerContext) {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        do throws(EdgeRefusal) {
            while try step(context: context) {}
        } catch {
            refuse(error, context: context)
        }
    }

    /// Takes one part out of the pending bytes; false when there is none.
    private func step(context: ChannelHandlerContext) throws(EdgeRefusal) -> Bool {
        switch reading {
        case .head:
            guard pending.readableBytes > 0 else { return false }
            clock?.clear(.idle)
            clock?.start(.head, after: limits.headTime)
            guard var head = try parser.next(from: &pending) else { return false }
            head.isSecure = isSecure
            try take(head, context: context)
            return true
        case .length(let left):
            guard pending.readableBytes > 0, let bytes = pending.readSlice(length: min(left, pending.readableBytes))
            else { return false }
            reading = .length(left - bytes.readableBytes)
            deliver(.body(bytes), context: context)
            if case .length(0) = reading { complete(context: context) }
            return true
        case .chunked(var decoder):
            let piece = try decoder.next(from: &pending)
            reading = .chunked(decoder)
            switch piece {
            case nil: return false
            case .bytes(let bytes):
                bodyBytes += bytes.readableBytes
                guard bodyBytes <= limits.bodyBytesMax else { throw .bodyTooLarge }
                deliver(.body(bytes), context: context)
            case .end: complete(context: context)
            }
            return true
        case .complete, .ended:
            return false
        }
    }

    private func take(_ head: EdgeRequestHead, context: ChannelHandlerContext) throws(EdgeRefusal) {
        clock?.clear(.head)
        requestCount += 1
        isHeadRequest = head.method == .head
        isVersion11 = head.isVersion11
        mayKeepAlive = head.keepsAlive && requestCount < limits.requestsPerConnectionMax
        owesContinue = head.expectsContinue
        bodyBytes = 0
        if case .length(let count) = head.framing, count > limits.bodyBytesMax { throw .bodyTooLarge }
        replying = .awaited
        switch head.framing {
        case .none:
            reading = .complete
        case .length(let count):
            reading = .length(count)
            clock?.set(.body, after: limits.bodyTime)
        case .chunked:
            reading = .chunked(ChunkedDecoder())
            clock?.set(.body, after: limits.bodyTime)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if head.framing == .none { context.fireChannelRead(wrapInboundOut(.end)) }
        settle(context: context)
    }

    private func deliver(_ part: EdgeRequestPart, context: ChannelHandlerContext) {
        guard !isSkippingBody, !isEnded else { return }
        context.fireChannelRead(wrapInboundOut(part))
    }

    private func complete(context: ChannelHandlerContext) {
        guard !isEnded else { return }
        clock?.clear(.body)
        reading = .complete
        deliver(.end, context: context)
        settle(context: context)
    }

    /// Goes on to the next request once this one and its reply are both complete.
    private func settle(context: ChannelHandlerContext) {
        guard case .complete = reading, case .nothing = replying, !isClosing else { return }
        isSkippingBody = false
        reading = .head
        clock?.set(.idle, after: limits.idleTime)
        if isAdvancing { return }
        advance(context: context)
        if case .head = reading { context.read() }
    }

    private func refuse(_ refusal: EdgeRefusal, context: ChannelHandlerContext) {
        clock?.clear(.head)
        clock?.clear(.body)
        clock?.clear(.idle)
        reading = .ended
        mayKeepAlive = false
        if case .streaming = replying {
            context.close(promise: nil)
            return
        }
        guard !isSkippingBody else {
            context.close(promise: nil)
            return
        }
        if case .nothing = replying { replying = .awaited }
        context.fireChannelRead(wrapInboundOut(.refused(refusal)))
    }

    private func passed(_ deadline: ConnectionClock.Deadline, context: ChannelHandlerContext) {
        switch deadline {
        case .idle, .stall, .linger: context.close(promise: nil)
        case .head, .body: refuse(.timedOut, context: context)
        }
    }

    // MARK: Replies

    package func read(context: ChannelHandlerContext) {
        switch reading {
        case .length, .chunked:
            if owesContinue, case .awaited = replying {
                owesContinue = false
                context.writeAndFlush(
                    wrapOutboundOut(ByteBuffer(staticString: ReplyWriter.continueBytes)),
                    promise: nil
                )
            }
            context.read()
        case .head, .complete, .ended: break
        }
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch (unwrapOutboundIn(data), replying) {
        case (.whole(let reply), .awaited): write(reply, context: context, promise: promise)
        case (.head(let head), .awaited): write(head, context: context, promise: promise)
        case (.body(let bytes), .streaming(let framing, let hasBody)):
            guard hasBody, bytes.readableBytes > 0 else {
                promise?.succeed()
                return
            }
            write(bytes, framing: framing, context: context, promise: promise)
        case (.end, .streaming(let framing, let hasBody)):
            var last = ByteBuffer()
            if framing == .chunked, hasBody { last.writeStaticString("0\r\n\r\n") }
            finish(last, context: context, promise: promise)
        default:
            // A reply nobody waits for any more.
            promise?.fail(ChannelError.inputClosed)
        }
    }

    private func write(_ reply: EdgeReply, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let closes = decideClose(asked: reply.closes)
        let buffer = context.channel.allocator.buffer(capacity: ReplyWriter.capacity(for: reply))
        let (first, rest) = ReplyWriter.write(
            reply,
            to: buffer,
            isHead: isHeadRequest,
            closes: closes,
            date: date.text
        )
        if let rest {
            context.write(wrapOutboundOut(first), promise: nil)
            finish(rest, context: context, promise: promise)
        } else {
            finish(first, context: context, promise: promise)
        }
    }

    private func write(_ head: EdgeReplyHead, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var framing = ReplyWriter.hasBody(head.status) ? head.framing : .none
        var asksToClose = head.closes
        if framing == .chunked, !isVersion11 {
            // HTTP/1.0 knows no chunks: the end of the connection ends the body.
            framing = .none
            asksToClose = true
        }
        var buffer = context.channel.allocator.buffer(capacity: 512)
        ReplyWriter.writeHead(
            status: head.status,
            headers: head.headers,
            framing: framing,
            closes: decideClose(asked: asksToClose),
            date: date.text,
            to: &buffer
        )
        replying = .streaming(framing, hasBody: ReplyWriter.hasBody(head.status) && !isHeadRequest)
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    private func write(
        _ bytes: ByteBuffer,
        framing: EdgeReplyHead.Framing,
        context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>?
    ) {
        guard framing == .chunked else {
            context.write(wrapOutboundOut(bytes), promise: promise)
            return
        }
        var head = context.channel.allocator.buffer(capacity: 16)
        ReplyWriter.writeChunkHead(bytes.readableBytes, to: &head)
        context.write(wrapOutboundOut(head), promise: nil)
        context.write(wrapOutboundOut(bytes), promise: nil)
        context.write(wrapOutboundOut(ByteBuffer(staticString: "\r\n")), promise: promise)
    }

    /// Decided once per reply, when its head is written.
    private func decideClose(asked: Bool) -> Bool {
        if asked || isDraining || !isRestHere { mayKeepAlive = false }
        return !mayKeepAlive
    }

    /// Whether the rest of the request has come already, so that a reply now leaves nothing unread behind.
    private var isRestHere: Bool {
        switch reading {
        case .head, .complete: true
        case .length(let left): left <= pending.readableBytes
        case .chunked, .ended: false
        }
    }

    private func finish(_ last: ByteBuffer, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        replying = .nothing
        guard !mayKeepAlive else {
            context.write(wrapOutboundOut(last), promise: promise)
            if case .length = reading { isSkippingBody = true }
            settle(context: context)
            if isSkippingBody { advance(context: context) }
            return
        }
        let isRead = isComplete
        isClosing = true
        reading = .ended
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        context.write(wrapOutboundOut(last), promise: written)
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (codec, context) = loopBound.value
            codec.close(context: context, isRead: isRead)
        }
    }

    private var isComplete: Bool {
        if case .complete = reading { pending.readableBytes == 0 } else { false }
    }

    /// Closing a socket with unread bytes resets it, and the visitor may lose the reply: so end our side first, and
    /// throw away what still comes for a moment.
    private func close(context: ChannelHandlerContext, isRead: Bool) {
        guard context.channel.isActive else { return }
        guard !isRead else {
            context.close(promise: nil)
            return
        }
        clock?.set(.linger, after: limits.lingerTime)
        context.close(mode: .output, promise: nil)
        context.read()
    }
}
