// Fairness as visitors can see it with their own clocks.

/// One visitor's join: when it was first sent, when its answer came, the number in the answer.
struct JoinRecord: Sendable, Equatable {
    var sent: Duration
    var answered: Duration
    var number: UInt64
}

enum Inversions {
    /// Pairs in which A's join was answered before B's join was sent, and yet A's number is higher. O(n log n): joins
    /// are gone through in the order of sending, those answered before are kept in a Fenwick tree by number.
    static func count(_ joins: [JoinRecord]) -> Int {
        let numbers = joins.map(\.number).sorted()
        let bySending = joins.sorted { $0.sent < $1.sent }
        let byAnswer = joins.sorted { $0.answered < $1.answered }
        var answered = FenwickTree(count: joins.count)
        var next = 0
        var total = 0
        for join in bySending {
            while next < byAnswer.count, byAnswer[next].answered < join.sent {
                answered.add(1, at: firstIndex(of: byAnswer[next].number, in: numbers))
                next += 1
            }
            // Those below the first index above this number are not higher.
            total += next - answered.sum(below: firstIndex(of: join.number + 1, in: numbers))
        }
        return total
    }

    /// Numbers given to more than one visitor.
    static func repeatedNumbers(_ joins: [JoinRecord]) -> Int {
        joins.count - Set(joins.map(\.number)).count
    }

    private static func firstIndex(of number: UInt64, in sorted: [UInt64]) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Prefix sums under changes (Fenwick, 1994).
struct FenwickTree {
    private var sums: [Int]

    init(count: Int) { sums = Array(repeating: 0, count: count + 1) }

    mutating func add(_ value: Int, at index: Int) {
        var position = index + 1
        while position < sums.count {
            sums[position] += value
            position += position & -position
        }
    }

    func sum(below index: Int) -> Int {
        var position = index
        var total = 0
        while position > 0 {
            total += sums[position]
            position -= position & -position
        }
        return total
    }
}
