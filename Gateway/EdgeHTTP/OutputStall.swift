// How long a visitor may still let a reply wait. Pure: it is told the time and what the visitor has taken.
import NIOCore

/// Waiting uses the time up; what is taken meanwhile gives back as much as it should have lasted at `replyRateMin`, so
/// that small sips do not keep a connection.
struct OutputStall {
    private var left: TimeAmount?
    private var began: (time: NIODeadline, taken: UInt64)?
    private var ends: NIODeadline?

    /// The channel takes no more. `taken`: bytes that the visitor has acknowledged on this connection.
    mutating func begin(at now: NIODeadline, taken: UInt64, _ limits: EdgeLimits) {
        guard began == nil else { return }
        began = (now, taken)
        ends = now + EdgeLoop.tick + (left ?? limits.stallTime)
    }

    /// The channel takes more again.
    mutating func end(at now: NIODeadline, taken: UInt64, _ limits: EdgeLimits) {
        guard let began else { return }
        let waited = now - began.time
        left = min(limits.stallTime, (left ?? limits.stallTime) - waited + credit(taken &- began.taken, limits))
        self.began = nil
        ends = nil
    }

    private func credit(_ taken: UInt64, _ limits: EdgeLimits) -> TimeAmount {
        guard limits.replyRateMin > 0 else { return limits.stallTime }
        let most = limits.stallTime.nanoseconds / 1_000_000
        let worth = taken.multipliedReportingOverflow(by: 1000)
        guard !worth.overflow, worth.partialValue / UInt64(limits.replyRateMin) < most else { return limits.stallTime }
        return .milliseconds(Int64(worth.partialValue / UInt64(limits.replyRateMin)))
    }

    /// True once, when the time is over.
    mutating func hasPassed(at now: NIODeadline) -> Bool {
        guard let ends, ends <= now else { return false }
        self.ends = nil
        return true
    }
}
