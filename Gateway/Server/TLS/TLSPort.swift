// What a TLS port is made of: its settings, and the handlers it puts in front of the codec.
package import NIOCore
import NIOSSL
import Operations

package struct TLSPort: Sendable {
    /// 0 takes a free one.
    package var port: Int
    package var shelf: CertificateShelf
    /// From the first byte of a connection to the end of its handshake.
    package var handshakeTime: TimeAmount = .seconds(5)
    /// How long browsers are to insist on TLS; zero says nothing.
    package var strictTransport: Duration = .zero
    package var onListening: @Sendable (Int) -> Void = { _ in }

    package init(port: Int, shelf: CertificateShelf) {
        self.port = port
        self.shelf = shelf
    }

    /// The value of `Strict-Transport-Security`.
    var strictTransportValue: String? {
        strictTransport > .zero ? "max-age=\(strictTransport.components.seconds)" : nil
    }

    /// Called on the channel's loop, before the codec is added.
    func addHandlers(to channel: any Channel, counters: EdgeCounters) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(NIOSSLServerHandler(context: shelf.context))
        try pipeline.addHandler(HandshakeGate(handshakeTime: handshakeTime, counters: counters))
    }
}
