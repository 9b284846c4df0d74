// One open socket: writes commands, matches replies to calls in order. Lives on its channel's event loop.

import NIOCore

final class RedisWire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let reader: ReplyReader
    private var awaited = CircularBuffer<AwaitedReplies>()
    private var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var closeReason: String?
    private static let batchCapacity = 4096

    /// Told once, after every awaited call has failed.
    var onClose: ((_ reason: String) -> Void)?
    var onWritable: (() -> Void)?
    /// Commands whose reply is still to come.
    private(set) var inFlight = 0

    init(replyBytesMax: Int) {
        reader = ReplyReader(replyBytesMax: replyBytesMax)
    }

    var isWritable: Bool { context.map { $0.channel.isActive && $0.channel.isWritable } ?? false }
    var isOpen: Bool { context?.channel.isActive ?? false }
    var hasLiveCalls: Bool { awaited.contains { $0.isLive } }
    var oldestDeadline: NIODeadline? { awaited.first?.deadline }

    /// Appends a call to the batch that the next `flush` writes.
    func send(_ call: RedisCall) {
        var bytes = call.bytes
        outbound.writeBuffer(&bytes)
        awaited.append(AwaitedReplies(call))
        inFlight += call.commandCount
    }

    func flush() {
        guard let context, outbound.readableBytes > 0 else { return }
        // Taken out first: a write can make the channel writable again, which comes back here.
        let batch = outbound
        outbound = context.channel.allocator.buffer(capacity: Self.batchCapacity)
        context.writeAndFlush(wrapOutboundOut(batch), promise: nil)
    }

    /// Tells callers whose deadline has passed.
    /// - Returns: the earliest deadline still to come.
    func expire(now: NIODeadline) -> NIODeadline? {
        var next: NIODeadline?
        var late: [RedisCall.Completion] = []
        for index in awaited.indices where awaited[index].isLive {
            let deadline = awaited[index].deadline
            if deadline > now {
                next = min(next ?? deadline, deadline)
            } else if let complete = awaited[index].abandon() {
                late.append(complete)
            }
        }
        for complete in late { complete(.failure(.unknownOutcome(reason: "no reply before the deadline"))) }
        return next
    }

    func close(reason: String) {
        closeReason = closeReason ?? reason
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        failAll()
    }

    func channelInactive(context: ChannelHandlerContext) {
        failAll()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(reason: "\(error)")
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { onWritable?() }
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard closeReason == nil else { return }
        do throws(ReplyFlaw) {
            try reader.feed(unwrapInboundIn(data).readableBytesView)
            while let value = try reader.next() {
                // The call is out of the queue while its completion runs, which may come back to this wire.
                guard var call = awaited.popFirst() else { throw ReplyFlaw(reason: "nobody asked") }
                inFlight -= 1
                if !call.take(value) { awaited.prepend(call) }
            }
        } catch {
            close(reason: "reply out of protocol: \(error.reason)")
        }
    }

    private func failAll() {
        let reason = closeReason ?? "the connection was lost"
        inFlight = 0
        while var call = awaited.popFirst() {
            call.abandon()?(.failure(.unknownOutcome(reason: reason)))
        }
        let tell = onClose
        onClose = nil
        onWritable = nil
        tell?(reason)
    }
}
