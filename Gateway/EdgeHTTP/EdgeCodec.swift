// The server side of a visitor's connection: bytes in, checked requests up; replies down, bytes out.
// It reads one request at a time: the next is parsed only when the reply to this one is complete, so pipelined
// replies keep their order, and what waits unread is bounded by two socket reads. All replies of one read go out in one
// write. Replies are in EdgeCodec+Replies.swift.
package import NIOCore

package final class EdgeCodec: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// With more than this many bytes unsent a channel is not writable, until less than `outputLowBytes` are left.
    package static let outputHighBytes = 32 * 1024
    package static let outputLowBytes = 16 * 1024

    enum Reading {
        case head
        case length(Int)
        case chunked(ChunkedDecoder)
        /// The request is complete; the next waits for the reply.
        case complete
        /// Nothing more is read as a request: refused, or closing.
        case ended
    }

    enum Replying {
        case nothing
        case awaited
        case streaming(EdgeReplyHead.Framing, hasBody: Bool)
    }

    package let edge: EdgeLoop
    let limits: SharedLimits
    let receiver: any EdgeReceiver
    private let isSecure: Bool
    var context: ChannelHandlerContext?
    /// Among the loop's connections.
    var position: Int?
    private var parser: RequestHeadParser
    private var pending = ByteBuffer()
    var reading = Reading.head
    var replying = Replying.nothing
    var isHeadRequest = false
    var isVersion11 = true
    var mayKeepAlive = true
    private var owesContinue = false
    private var isReadWanted = false
    var isDraining = false
    /// The listener stops, and waits for its connections to end.
    private(set) var isStopping = false
    /// The reply under way has no end of its own.
    var isStreamingEvents = false
    /// The visitor has ended its side.
    private var isInputClosed = false
    var isClosing = false
    private var isAdvancing = false
    /// Replies are gathered until the burst of reads is over.
    var isInBurst = false
    var hasUnflushed = false
    var closesAfterOutput = false
    /// When the last reply was given, nothing of what the visitor sent was left unread.
    var wasReadToItsEnd = false
    /// The rest of a small body whose reply has already been given is thrown away.
    var isSkippingBody = false
    private var requestCount = 0
    private var watch = ConnectionWatch()
    /// Of the request under way. A receiver may raise or lower it when it gets the head.
    package var bodyBytesMax = 0
    private var bodyBytes = 0
    /// Nil for the listener's own.
    package var bodyTime: TimeAmount? {
        get { watch.bodyTime }
        set { watch.bodyTime = newValue }
    }

    /// `isSecure` says the scheme of every request of the connection.
    package init(limits: SharedLimits, edge: EdgeLoop, receiver: any EdgeReceiver, isSecure: Bool = false) {
        self.limits = limits
        self.edge = edge
        self.receiver = receiver
        self.isSecure = isSecure
        self.parser = RequestHeadParser(limits: limits.values)
    }

    package var loop: any EventLoop { edge.loop }
    /// Whether the visitor takes bytes; kept here, as the channel is slow to tell.
    package private(set) var isWritable = true

    // MARK: The channel

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        edge.enter(self)
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        watch.wait(.idle, until: edge.deadline(after: limits.values.idleTime))
        context.read()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        reading = .ended
        replying = .nothing
        isStreamingEvents = false
        edge.leave(self)
        receiver.ended(on: self)
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        edge.leave(self)
        self.context = nil
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
        isInBurst = true
        advance()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isInBurst = false
        sendOutput()
        askForMore()
        context.fireChannelReadComplete()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable {
            watch.stall.end(at: edge.now, taken: edge.takenBytes(context.channel), limits.values)
            receiver.outputIsWritable(on: self)
            advance()
            askForMore()
        } else {
            watch.stall.begin(at: edge.now, taken: edge.takenBytes(context.channel), limits.values)
        }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is LastRepliesEvent: isDraining = true
        case is ChannelShouldQuiesceEvent:
            isDraining = true
            isStopping = true
            if isIdle { context.close(promise: nil) }
            if isStreamingEvents { endEvents() }
        case ChannelEvent.inputClosed:
            // Whoever has asked and ended its side still gets the answer, but events would come for ever.
            isInputClosed = true
            mayKeepAlive = false
            if case .nothing = replying { context.close(promise: nil) }
            if isStreamingEvents { context.close(promise: nil) }
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken socket: there is nobody to answer.
        context.close(promise: nil)
    }

    private var isIdle: Bool {
        if case .nothing = replying, case .head = reading { pending.readableBytes == 0 } else { false }
    }

    private var isEnded: Bool {
        if case .ended = reading { true } else { false }
    }

    // MARK: Reading on

    /// Asks for the next part of the body. The codec answers `100 Continue` when the visitor waits for it.
    package func read() {
        switch reading {
        case .length, .chunked:
            if owesContinue, case .awaited = replying {
                owesContinue = false
                append(ReplyWriter.continueBytes)
                if !isInBurst { sendOutput() }
            }
            isReadWanted = true
            watch.isBodyAsked = true
            if !isInBurst { context?.read() }
        case .head, .complete, .ended: break
        }
    }

    /// One read may lie in wait while a reply is awaited: asking for it early spares turning the socket's interest off
    /// and on again for every request.
    private func askForMore() {
        guard let context, !isInputClosed else { return }
        switch reading {
        // Bytes that are left are the start of a head, unless the visitor takes no replies.
        case .head: if !isClosing, isWritable || pending.readableBytes == 0 { context.read() }
        case .complete: if !isClosing, pending.readableBytes == 0 { context.read() }
        case .length, .chunked: if isReadWanted || isSkippingBody { context.read() }
        case .ended: break
        }
    }

    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        do throws(EdgeRefusal) {
            while try step() {}
        } catch {
            refuse(error)
        }
        // Gives the memory of the read back to the channel.
        if pending.readableBytes == 0 { pending = ByteBuffer() }
    }

    /// Takes one part out of the pending bytes; false when there is none.
    private func step() throws(EdgeRefusal) -> Bool {
        switch reading {
        case .head:
            guard pending.readableBytes > 0, isWritable else { return false }
            if watch.waitsFor != .head {
                watch.wait(.head, until: edge.deadline(after: limits.values.headTime))
            }
            guard var head = try parser.next(from: &pending) else { return false }
            head.isSecure = isSecure
            try take(head)
            return true
        case .length(let left):
            guard pending.readableBytes > 0, let bytes = pending.readSlice(length: min(left, pending.readableBytes))
            else { return false }
            reading = .length(left - bytes.readableBytes)
            deliver(bytes)
            if case .length(0) = reading { complete() }
            return true
        case .chunked(var decoder):
            let piece = try decoder.next(from: &pending)
            reading = .chunked(decoder)
            switch piece {
            case nil: return false
            case .bytes(let bytes):
                bodyBytes += bytes.readableBytes
                guard bodyBytes <= bodyBytesMax else { throw .bodyTooLarge }
                deliver(bytes)
            case .end: complete()
            }
            return true
        case .complete, .ended:
            return false
        }
    }

    private func take(_ head: EdgeRequestHead) throws(EdgeRefusal) {
        watch.stopWaiting()
        requestCount += 1
        isHeadRequest = head.method == .head
        isVersion11 = head.isVersion11
        mayKeepAlive = head.keepsAlive && requestCount < limits.values.requestsPerConnectionMax && !isInputClosed
        owesContinue = head.expectsContinue
        bodyBytes = 0
        bodyBytesMax = limits.values.bodyBytesMax
        replying = .awaited
        switch head.framing {
        case .none: reading = .complete
        case .length(let count): reading = .length(count)
        case .chunked: reading = .chunked(ChunkedDecoder())
        }
        if head.framing != .none { watch.beginBody() }
        receiver.received(.head(head), on: self)
        if case .length(let count) = head.framing, count > bodyBytesMax, case .awaited = replying {
            throw .bodyTooLarge
        }
        if head.framing == .none { receiver.received(.end, on: self) }
        settle()
    }

    private func deliver(_ bytes: ByteBuffer) {
        watch.bodyBytes += bytes.readableBytes
        isReadWanted = false
        watch.isBodyAsked = false
        guard !isSkippingBody, !isEnded else { return }
        receiver.received(.body(bytes), on: self)
    }

    private func complete() {
        guard !isEnded else { return }
        watch.endBody()
        reading = .complete
        if !isSkippingBody { receiver.received(.end, on: self) }
        settle()
    }

    /// Goes on to the next request once this one and its reply are both complete.
    func settle() {
        guard case .complete = reading, case .nothing = replying, !isClosing else { return }
        isSkippingBody = false
        reading = .head
        watch.wait(.idle, until: edge.deadline(after: limits.values.idleTime))
        guard !isAdvancing else { return }
        advance()
        if !isInBurst { askForMore() }
    }

    /// Throws away what is here of a body that is not wanted.
    func skipBody() {
        isSkippingBody = true
        settle()
        advance()
    }

    private func refuse(_ refusal: EdgeRefusal) {
        watch.stopWaiting()
        watch.endBody()
        reading = .ended
        mayKeepAlive = false
        if case .streaming = replying {
            context?.close(promise: nil)
            return
        }
        guard !isSkippingBody else {
            context?.close(promise: nil)
            return
        }
        if case .nothing = replying { replying = .awaited }
        receiver.received(.refused(refusal), on: self)
    }

    // MARK: Deadlines

    func lingerFor(_ time: TimeAmount) {
        watch.wait(.linger, until: edge.deadline(after: time))
    }

    /// Called with every tick of the loop's clock.
    func check(at now: NIODeadline) {
        switch watch.passed(at: now, limits.values) {
        case nil: break
        case .idle, .linger, .stall: context?.close(promise: nil)
        case .head, .body: refuse(.timedOut)
        }
    }

    // MARK: What the receiver asks

    /// Whether the rest of the request has come already, so that a reply now leaves nothing unread behind.
    var isRestHere: Bool {
        switch reading {
        case .head, .complete: true
        case .length(let left): left <= pending.readableBytes
        case .chunked, .ended: false
        }
    }

    var isReadToItsEnd: Bool {
        if case .complete = reading { pending.readableBytes == 0 } else { false }
    }

    /// Whether bytes of the request's body are here already and come as soon as its head has been taken.
    package var hasBodyInHand: Bool { pending.readableBytes > 0 }

    package func close() { context?.close(promise: nil) }
}
