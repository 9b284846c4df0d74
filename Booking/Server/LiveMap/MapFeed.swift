// One subscriber of a live map: a bounded line of buffers between the reader and the connection.

import NIOCore
import Synchronization

final class MapFeed: Sendable {
    /// Events a slow reader may be behind; then it is dropped, and comes back with its last event's id.
    static let backlogMax = 64

    let events: AsyncStream<ByteBuffer>
    private let line: AsyncStream<ByteBuffer>.Continuation
    /// Closes the connection of a reader that takes nothing.
    private let close: @Sendable () -> Void

    init(close: @escaping @Sendable () -> Void) {
        (events, line) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.backlogMax))
        self.close = close
    }

    /// `false` when the reader is too slow and has been dropped.
    func send(_ event: ByteBuffer) -> Bool {
        switch line.yield(event) {
        case .enqueued: return true
        case .dropped, .terminated:
            line.finish()
            close()
            return false
        @unknown default: return false
        }
    }

    func end() { line.finish() }
}
