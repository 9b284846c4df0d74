// Replies on their way out: gathered in the loop's buffer while requests are read, sent in one write.
import NIOCore

extension EdgeCodec {
    private static let gatheredMax = 64 * 1024

    /// A whole reply, or a part of a streamed one. What nobody waits for any more is dropped.
    package func give(_ part: EdgeReplyPart) {
        switch (part, replying) {
        case (.whole(let reply), .awaited): write(reply)
        case (.head(let head), .awaited): write(head)
        case (.body(let bytes), .streaming(let framing, let hasBody)):
            if hasBody, bytes.readableBytes > 0 { write(bytes, framing) }
        case (.end, .streaming(let framing, let hasBody)):
            if framing == .chunked, hasBody { append(ReplyWriter.lastChunk) }
            finish()
        default: break
        }
    }

    /// Sends what was given so far, unless more is about to come from the same read.
    package func flush() {
        if !isInBurst { sendOutput() }
    }

    private func write(_ reply: EdgeReply) {
        let closes = decideClose(asked: reply.closes)
        edge.lendOutput(to: self)
        edge.output.write(upTo: ReplyWriter.capacity(for: reply)) { [edge, isHeadRequest] writer in
            ReplyWriter.write(reply, isHead: isHeadRequest, closes: closes, date: edge.dateField, to: &writer)
        }
        if reply.body.readableBytes > ReplyWriter.joinedBodyBytesMax, !isHeadRequest, ReplyWriter.hasBody(reply.status)
        {
            append(reply.body)
        }
        finish()
    }

    private func write(_ head: EdgeReplyHead) {
        var framing = ReplyWriter.hasBody(head.status) ? head.framing : .none
        var asksToClose = head.closes
        if framing == .chunked, !isVersion11 {
            // HTTP/1.0 knows no chunks: the end of the connection ends the body.
            framing = .none
            asksToClose = true
        }
        let closes = decideClose(asked: asksToClose)
        edge.lendOutput(to: self)
        edge.output.write(upTo: ReplyWriter.capacity(for: head)) { [edge] writer in
            ReplyWriter.write(head, framing: framing, closes: closes, date: edge.dateField, to: &writer)
        }
        replying = .streaming(framing, hasBody: ReplyWriter.hasBody(head.status) && !isHeadRequest)
        isStreamingEvents = head.isEventStream
        if isStreamingEvents, isStopping { endEvents() }
    }

    /// Ends a stream of events whole; whoever reads it comes back, to another gateway if this one stops.
    func endEvents() {
        guard case .streaming(let framing, let hasBody) = replying else { return }
        mayKeepAlive = false
        if framing == .chunked, hasBody { append(ReplyWriter.lastChunk) }
        finish()
    }

    private func write(_ bytes: ByteBuffer, _ framing: EdgeReplyHead.Framing) {
        guard framing == .chunked else {
            append(bytes)
            return
        }
        edge.lendOutput(to: self)
        edge.output.write(upTo: ReplyWriter.chunkHeadBytesMax) {
            ReplyWriter.writeChunkHead(bytes.readableBytes, to: &$0)
        }
        append(bytes)
        append(ReplyWriter.lineEnd)
    }

    func append(_ text: StaticString) {
        edge.lendOutput(to: self)
        edge.output.writeStaticString(text)
    }

    /// Small pieces are copied behind the others, large ones go as they are.
    private func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > ReplyWriter.joinedBodyBytesMax else {
            edge.lendOutput(to: self)
            edge.output.writeImmutableBuffer(bytes)
            if edge.output.readableBytes > Self.gatheredMax { handOutputOver() }
            return
        }
        handOutputOver()
        context?.write(wrapOutboundOut(bytes), promise: nil)
        hasUnflushed = true
    }

    /// From the loop's buffer to the channel, without a flush.
    private func handOutputOver() {
        guard edge.outputOwner === self else { return }
        if edge.output.readableBytes > 0 {
            context?.write(wrapOutboundOut(edge.output), promise: nil)
            hasUnflushed = true
        }
        edge.takeOutputBack()
    }

    /// Sends all that was given. The loop's buffer is emptied behind the flush: by then the channel has let go of it,
    /// unless the visitor does not take it.
    func sendOutput() {
        let isOwner = edge.outputOwner === self
        guard let context, isOwner && edge.output.readableBytes > 0 || hasUnflushed || closesAfterOutput else {
            if isOwner { edge.takeOutputBack() }
            return
        }
        hasUnflushed = false
        let promise = closesAfterOutput ? context.eventLoop.makePromise(of: Void.self) : nil
        if isOwner {
            context.writeAndFlush(wrapOutboundOut(edge.output), promise: promise)
            edge.takeOutputBack()
        } else {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        }
        guard let promise else { return }
        closesAfterOutput = false
        promise.futureResult.assumeIsolated().whenComplete { _ in self.closeAfterReply() }
    }

    /// Decided once per reply, when its head is written.
    private func decideClose(asked: Bool) -> Bool {
        if asked || isDraining || !isRestHere { mayKeepAlive = false }
        return !mayKeepAlive
    }

    private func finish() {
        replying = .nothing
        isStreamingEvents = false
        if mayKeepAlive {
            if case .length = reading { skipBody() } else { settle() }
        } else {
            wasReadToItsEnd = isReadToItsEnd
            isClosing = true
            closesAfterOutput = true
            reading = .ended
        }
        if !isInBurst { sendOutput() }
    }

    /// Closing a socket with unread bytes resets it, and the visitor may lose the reply: so end our side first, and
    /// throw away what still comes for a moment.
    private func closeAfterReply() {
        guard let context, context.channel.isActive else { return }
        guard !wasReadToItsEnd else {
            context.close(promise: nil)
            return
        }
        lingerFor(limits.values.lingerTime)
        context.close(mode: .output, promise: nil)
        context.read()
    }
}
