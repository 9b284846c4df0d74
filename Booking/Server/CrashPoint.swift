import Foundation
import Synchronization

/// Ends the process at a named point when `USHER_CRASH_AT=<point>:<n>` says so: the n-th time it is reached.
/// For tests of recovery; without the variable it costs one comparison.
enum CrashPoint {
    private static let wanted: (point: String, count: Int)? = {
        guard let text = ProcessInfo.processInfo.environment["USHER_CRASH_AT"] else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let count = Int(parts[1]), count > 0 else { return nil }
        return (String(parts[0]), count)
    }()
    private static let reached = Atomic<Int>(0)

    static func reach(_ point: StaticString) {
        guard let wanted, wanted.point == point.description else { return }
        if reached.wrappingAdd(1, ordering: .relaxed).newValue == wanted.count { _exit(137) }
    }
}
