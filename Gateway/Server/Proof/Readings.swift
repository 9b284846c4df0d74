import Synchronization

/// Reads of logs and records under way for visitors: so many at once, and no more.
package final class Readings: Sendable {
    package static let underWayMax = 64
    private let underWay = Atomic<Int>(0)

    package init() {}

    /// False when there are enough; otherwise `end` must follow.
    func begin() -> Bool {
        guard underWay.add(1, ordering: .relaxed).newValue <= Self.underWayMax else {
            end()
            return false
        }
        return true
    }

    func end() { underWay.subtract(1, ordering: .relaxed) }
}
