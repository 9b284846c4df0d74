// How late an event loop runs what is due because of its own work.
import Glibc
package import NIOCore
import Synchronization

/// A task that comes again every few milliseconds and notes how much too late it was. Only lateness for which the loop
/// was working counts: one that was kept from the processor by other programs has no load to shed.
package final class LoopPulse: Sendable {
    private static let beat = TimeAmount.milliseconds(25)

    private struct Beats {
        var lateNS: Int64 = 0
        var count: Int64 = 0
        var lastNS = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        var lastWorkNS: Int64 = 0
        /// The clock of the loop's thread: how long it has worked.
        var work: clockid_t?
    }

    private let beats = Mutex(Beats())

    package init() {}

    package func begin(on loop: any EventLoop) {
        loop.execute { [self] in
            var work = clockid_t()
            guard pthread_getcpuclockid(pthread_self(), &work) == 0 else { return }
            beats.withLock { beats in
                beats.work = work
                beats.lastWorkNS = Self.read(work)
                beats.lastNS = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
            }
        }
        loop.scheduleRepeatedTask(initialDelay: Self.beat, delay: Self.beat) { [self] _ in take() }
    }

    private func take() {
        beats.withLock { beats in
            guard let (lateNS, nowNS, workNS) = Self.lateness(beats) else { return }
            beats.lateNS += lateNS
            beats.count += 1
            beats.lastNS = nowNS
            beats.lastWorkNS = workNS
        }
    }

    /// The mean lateness since the last time it was asked for, in milliseconds; of a loop that does not come round, for
    /// how long it has been at it.
    package func lagMS() -> Double {
        beats.withLock { beats in
            guard beats.count > 0 else { return Double(Self.lateness(beats)?.lateNS ?? 0) / 1e6 }
            let mean = Double(beats.lateNS) / Double(beats.count) / 1e6
            beats.lateNS = 0
            beats.count = 0
            return mean
        }
    }

    private static func lateness(_ beats: Beats) -> (lateNS: Int64, nowNS: Int64, workNS: Int64)? {
        guard let work = beats.work else { return nil }
        let nowNS = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        let workNS = read(work)
        let lateNS = max(0, nowNS - beats.lastNS - beat.nanoseconds)
        return (min(lateNS, max(0, workNS - beats.lastWorkNS)), nowNS, workNS)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
