// The deadlines of one connection. Pure: it is told the time with every tick.
import NIOCore

struct ConnectionWatch {
    enum Wait {
        /// No request is under way.
        case idle
        case head
        case body
        /// The visitor takes nothing of what waits to be sent.
        case stall
        case linger
    }

    /// One of idle, head and linger, as a connection is in one of them at a time.
    private(set) var waitsFor: Wait?
    private var waitEnd = NIODeadline.distantFuture
    var stall = OutputStall()

    /// Body bytes of the request under way, and for how long they were waited for. Time in which nobody asks for more
    /// is the service's, not the visitor's.
    var bodyBytes = 0
    var isBodyAsked = false
    /// Of the request under way, in place of the listener's.
    var bodyTime: TimeAmount?
    private var hasBody = false
    private var bodyTicks: Int64 = 0

    mutating func wait(_ wait: Wait, until end: NIODeadline) {
        waitsFor = wait
        waitEnd = end
    }

    mutating func stopWaiting() {
        waitsFor = nil
        waitEnd = .distantFuture
    }

    mutating func beginBody() {
        hasBody = true
        bodyTime = nil
        bodyBytes = 0
        bodyTicks = 0
    }

    mutating func endBody() {
        hasBody = false
        isBodyAsked = false
    }

    /// What has run out. It is told once.
    mutating func passed(at now: NIODeadline, _ limits: EdgeLimits) -> Wait? {
        if let waitsFor, waitEnd <= now {
            stopWaiting()
            return waitsFor
        }
        if stall.hasPassed(at: now) { return .stall }
        guard hasBody, isBodyAsked else { return nil }
        bodyTicks += 1
        let waited = EdgeLoop.tick * bodyTicks
        guard waited > (bodyTime ?? limits.bodyTime) + EdgeLoop.tick || isTooSlow(waited, limits) else { return nil }
        endBody()
        return .body
    }

    private func isTooSlow(_ waited: TimeAmount, _ limits: EdgeLimits) -> Bool {
        let counted = waited - limits.bodyGraceTime
        guard counted > .zero else { return false }
        return Int64(bodyBytes) < counted.nanoseconds / 1_000_000 * Int64(limits.bodyRateMin) / 1000
    }
}

extension TimeAmount {
    fileprivate static let zero = TimeAmount.nanoseconds(0)
}
