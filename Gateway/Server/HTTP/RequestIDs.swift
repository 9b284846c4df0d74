/// Makes request ids: a random start of this loop, then a count. Unique, cheap, and they say nothing.
package final class RequestIDs {
    private let start: String
    private var count: UInt64 = 0

    /// - Parameter seed: random bits, other ones for each loop and each start.
    package init(seed: UInt64) {
        start = "req_" + String(seed, radix: 36) + "_"
    }

    package func next() -> String {
        count += 1
        return start + String(count, radix: 36)
    }
}
