package import NIOCore

/// Every bound of a connection. The defaults are those of the edge; the admin listener uses the same.
package struct EdgeLimits: Sendable {
    package var requestLineBytesMax = 8 * 1024
    package var headerLineBytesMax = 8 * 1024
    package var headBytesMax = 16 * 1024
    package var headerCountMax = 64
    package var bodyBytesMax = 64 * 1024
    package var requestsPerConnectionMax = 1000
    /// From the first byte of a head to its end, however the bytes trickle in.
    package var headTime: TimeAmount = .seconds(5)
    /// How long the rest of a body may be waited for, in all. Time in which it is not asked for does not count.
    package var bodyTime: TimeAmount = .seconds(30)
    /// Bytes a second that a body must bring on average, once `bodyGraceTime` is over. 0 asks for none.
    package var bodyRateMin = 1024
    package var bodyGraceTime: TimeAmount = .seconds(5)
    /// Between a reply and the next request's first byte, and before the first request.
    package var idleTime: TimeAmount = .seconds(15)
    /// How long the visitor may take nothing of what waits to be sent, or less than `replyRateMin`.
    package var stallTime: TimeAmount = .seconds(8)
    /// Bytes a second that a visitor must take on average of a reply that waits to be sent. 0 asks for none.
    package var replyRateMin = 8 * 1024
    /// How long unread bytes are thrown away after a last reply, so that the reply is not lost to a reset.
    package var lingerTime: TimeAmount = .seconds(1)

    package init() {}
}

/// The limits of a listener, once for all its connections.
package final class SharedLimits: Sendable {
    package let values: EdgeLimits

    package init(_ values: EdgeLimits) {
        self.values = values
    }
}
