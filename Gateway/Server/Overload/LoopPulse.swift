// How late an event loop runs what is due.
package import NIOCore
import Synchronization

/// A task that comes again every few milliseconds and notes how much too late it was.
package final class LoopPulse: Sendable {
    private static let beat = TimeAmount.milliseconds(25)

    private let lateNS = Atomic<Int64>(0)
    private let beats = Atomic<Int64>(0)
    private let lastBeatNS = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)

    package init() {}

    package func begin(on loop: any EventLoop) {
        loop.scheduleRepeatedTask(initialDelay: Self.beat, delay: Self.beat) { [self] _ in
            let now = NIODeadline.now().uptimeNanoseconds
            let due = lastBeatNS.load(ordering: .relaxed) + UInt64(Self.beat.nanoseconds)
            lateNS.wrappingAdd(Int64(clamping: now) - Int64(clamping: due), ordering: .relaxed)
            beats.wrappingAdd(1, ordering: .relaxed)
            lastBeatNS.store(now, ordering: .relaxed)
        }
    }

    /// The mean lateness since the last time it was asked for, in milliseconds; of a loop that stands still, for how
    /// long it has.
    package func lagMS() -> Double {
        let late = lateNS.exchange(0, ordering: .relaxed)
        let count = beats.exchange(0, ordering: .relaxed)
        guard count > 0 else {
            let now = NIODeadline.now().uptimeNanoseconds
            let stillNS = Int64(clamping: now) - Int64(clamping: lastBeatNS.load(ordering: .relaxed))
            return Double(max(0, stillNS - Self.beat.nanoseconds)) / 1e6
        }
        return max(0, Double(late) / Double(count) / 1e6)
    }
}
