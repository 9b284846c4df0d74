package import NIOCore

/// Stands where the socket is: whether the codec has asked for the next read. A real channel reads only when asked, an
/// embedded one always, so a codec that forgets to ask would go unseen.
package final class ReadDemand: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer

    private var isAsked = false

    package init() {}

    package func read(context: ChannelHandlerContext) {
        isAsked = true
        context.read()
    }

    /// Uses the demand up. False when there was none.
    package func take() -> Bool {
        defer { isAsked = false }
        return isAsked
    }
}
