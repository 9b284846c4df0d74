// Whether a list of times kept a pace, exactly and in one pass over it.

package enum Pace {
    /// Grants are decided a moment before their time is written down, and times are whole milliseconds.
    package static let slack: Int64 = 5

    /// A span in which more happened than allowed.
    package struct Excess: Equatable, Sendable {
        package var from: Int64
        package var through: Int64
        package var count: Int
    }

    /// One excess for each time at which some span that ends there is too full: the fullest such span.
    ///
    /// The span from time i to time j holds j − i + 1 grants and may hold burst + rate · (tⱼ − tᵢ). With
    /// f(k) = k − rate · tₖ that is f(j) − f(i) + 1 ≤ burst, and it is enough to compare with the smallest f so far.
    package static func excesses(_ times: [Int64], _ allowance: RoomFacts.Allowance) -> [Excess] {
        // In grants · 60,000, so that all numbers are whole.
        let unit: Int64 = 60_000
        let rate = Int64(allowance.perMinute)
        let allowed = Int64(allowance.burst) * unit + rate * slack
        var excesses: [Excess] = []
        var lowest = Int64.max
        var lowestIndex = 0
        guard let first = times.first else { return [] }
        for (index, time) in times.enumerated() {
            let height = Int64(index) * unit - rate * (time - first)
            if height < lowest { (lowest, lowestIndex) = (height, index) }
            if height - lowest + unit > allowed {
                excesses.append(Excess(from: times[lowestIndex], through: time, count: index - lowestIndex + 1))
            }
        }
        return excesses
    }
}

/// Passes that have not ended, counted at moments that only move forward.
struct LivePasses {
    private var ends: [String: Int64] = [:]
    /// A binary heap of ends, the nearest first; an entry that is not in `ends` any more is old.
    private var queue: [(end: Int64, pass: String)] = []

    mutating func set(_ pass: String, until end: Int64) {
        ends[pass] = end
        queue.append((end, pass))
        var child = queue.count - 1
        while child > 0, queue[child].end < queue[(child - 1) / 2].end {
            queue.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func end(_ pass: String) { ends[pass] = nil }

    /// How many are live at `now`: those that end later.
    mutating func count(at now: Int64) -> Int {
        while let next = queue.first, next.end <= now {
            if ends[next.pass] == next.end { ends[next.pass] = nil }
            dropFirst()
        }
        return ends.count
    }

    private mutating func dropFirst() {
        queue.swapAt(0, queue.count - 1)
        queue.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < queue.count {
                if queue[child].end < queue[least].end { least = child }
            }
            if least == parent { return }
            queue.swapAt(parent, least)
            parent = least
        }
    }
}
