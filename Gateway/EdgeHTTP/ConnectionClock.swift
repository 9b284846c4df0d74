// The deadlines of one connection behind one scheduled task: moving a deadline costs no allocation.
import NIOCore

final class ConnectionClock {
    enum Deadline: Int, CaseIterable {
        /// No request is under way.
        case idle
        case head
        case body
        /// The visitor takes nothing of what waits to be sent.
        case stall
        case linger
    }

    private var ends = [NIODeadline?](repeating: nil, count: Deadline.allCases.count)
    private var scheduled: Scheduled<Void>?
    private var scheduledFor = NIODeadline.distantFuture
    private let loop: any EventLoop
    /// Called on the loop when a deadline has passed; the deadline is cleared before.
    var passed: ((Deadline) -> Void)?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func set(_ deadline: Deadline, after time: TimeAmount) {
        let end = loop.now + time
        ends[deadline.rawValue] = end
        guard end < scheduledFor else { return }
        schedule(at: end)
    }

    /// Moves nothing when the deadline is already running.
    func start(_ deadline: Deadline, after time: TimeAmount) {
        guard ends[deadline.rawValue] == nil else { return }
        set(deadline, after: time)
    }

    func clear(_ deadline: Deadline) {
        ends[deadline.rawValue] = nil
    }

    func stop() {
        scheduled?.cancel()
        scheduled = nil
        passed = nil
    }

    private func schedule(at end: NIODeadline) {
        scheduled?.cancel()
        scheduledFor = end
        scheduled = loop.assumeIsolated().scheduleTask(deadline: end) { self.fire() }
    }

    private func fire() {
        scheduledFor = .distantFuture
        let now = loop.now
        for deadline in Deadline.allCases {
            guard let end = ends[deadline.rawValue], end <= now else { continue }
            ends[deadline.rawValue] = nil
            passed?(deadline)
        }
        guard passed != nil, let next = ends.compactMap({ $0 }).min(), next < scheduledFor else { return }
        schedule(at: next)
    }
}
