import Foundation
import Synchronization

/// Ends the process at a named point of its work, as a power cut would. For tests of recovery; without the variables it
/// costs one comparison.
///
/// | variable | |
/// |---|---|
/// | `USHER_CRASH_AT=<point>:<n>` | the n-th time the point is reached |
/// | `USHER_CRASH_FILE=<path>` | when the point that is written in that file is reached; the file is removed |
enum CrashPoint {
    /// What is done at once or not at all: a commit, a call of the provider, a change in Redis. Each has a point before it
    /// and one after it, `capture.before` and `capture.after`.
    enum Deed: String, CaseIterable {
        // Buying.
        case order, payment, free, cancel, expired
        // Accepted first, decided later.
        case accepted, decided
        // A payment's saga: calls of the provider, and what is written down.
        case authorize, look, lookAgain, capture, void
        case confirm, action, declined, captured, impossible, voiding, voided, unanswered, postponed, stuck, retried
        case adopt, stray
        // Giving back.
        case refundAsked, refundSent, refundLook, refundAccepted, refunded, refundFailed, refundPostponed
        case refundSubmitted, refundDecided, refundedElsewhere
        case calledOff, callOffFinished
        // What the provider tells, answers kept for repeats, what Redis shows.
        case event, eventHandled, disputed, keyTaken, answerKept, shown, projected
    }

    static var names: [String] { Deed.allCases.flatMap { [name($0, "before"), name($0, "after")] } }

    static func before(_ deed: Deed) {
        if isArmed { reach(name(deed, "before")) }
    }

    static func after(_ deed: Deed) {
        if isArmed { reach(name(deed, "after")) }
    }

    private static let wanted: (point: String, count: Int)? = {
        guard let text = ProcessInfo.processInfo.environment["USHER_CRASH_AT"] else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let count = Int(parts[1]), count > 0 else { return nil }
        return (String(parts[0]), count)
    }()
    private static let file = ProcessInfo.processInfo.environment["USHER_CRASH_FILE"]
    private static let isArmed = wanted != nil || file != nil
    private static let reached = Atomic<Int>(0)

    private static func name(_ deed: Deed, _ side: String) -> String { "\(deed.rawValue).\(side)" }

    private static func reach(_ point: String) {
        if let wanted, wanted.point == point,
            reached.wrappingAdd(1, ordering: .relaxed).newValue == wanted.count
        {
            end()
        }
        // Whoever removes the file ends the process: a crash for each arming.
        if let file, let bytes = FileManager.default.contents(atPath: file),
            String(decoding: bytes, as: UTF8.self) == point, unlink(file) == 0
        {
            end()
        }
    }

    /// As kill -9 would: nothing is flushed, nobody is told.
    private static func end() { _exit(137) }
}
