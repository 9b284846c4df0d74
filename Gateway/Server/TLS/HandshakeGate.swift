// Stands behind the TLS handler: a handshake ends in time or the connection does, and a closed connection is closed soon.
import NIOCore
import NIOSSL
import NIOTLS
import Operations

final class HandshakeGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let handshakeTime: TimeAmount
    private let counters: EdgeCounters
    private var deadline: Scheduled<Void>?
    private var isOpen = false
    private var isClosing = false
    private var isInputClosed = false

    init(handshakeTime: TimeAmount, counters: EdgeCounters) {
        self.handshakeTime = handshakeTime
        self.counters = counters
    }

    func channelActive(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: handshakeTime) {
            self.counters.handshakesCut.increment()
            self.deadline = nil
            self.cut(context)
        }
        context.fireChannelActive()
    }

    /// Past the TLS handler, which would first say goodbye to somebody who has not said hello.
    private func cut(_ context: ChannelHandlerContext) {
        let transport = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
        (transport ?? context).close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            isOpen = true
            stopClock()
            counters.handshakes.increment()
        } else if event as? ChannelEvent == .inputClosed {
            isInputClosed = true
            if isClosing { cut(context) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is not TLS, or of no version and cipher we speak. The TLS handler has closed already.
        if !isOpen, deadline != nil { counters.handshakesFailed.increment() }
        stopClock()
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopClock()
        context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.close(mode: mode, promise: promise)
        guard case .all = mode else { return }
        isClosing = true
        // The visitor's goodbye must be read to be heard; a visitor who has gone without one says none any more. In
        // both cases the TLS handler would wait out its time.
        if isInputClosed { cut(context) } else { context.read() }
    }

    private func stopClock() {
        deadline?.cancel()
        deadline = nil
    }
}
