// How fair a room was, in numbers: out-of-order pairs, how far people moved, who got in.

package struct FairnessFigures: Sendable, Equatable, Codable {
    /// Pairs of places of which the earlier arrival was put behind the later one.
    package var inversions: UInt64 = 0
    package var pairs: UInt64 = 0
    /// Ranks between arrival and call: half of the places moved by no more, and ninety-nine of a hundred.
    package var displacementP50: UInt64 = 0
    package var displacementP99: UInt64 = 0
    /// Share of places that got a pass, by tenths of the arrivals.
    package var admittedPerDecile: [Double] = []

    package var inversionRate: Double { pairs == 0 ? 0 : Double(inversions) / Double(pairs) }

    enum CodingKeys: String, CodingKey {
        case inversions, pairs
        case displacementP50 = "displacement_p50"
        case displacementP99 = "displacement_p99"
        case admittedPerDecile = "admitted_per_decile"
    }

    /// - Parameters:
    ///   - arrivals: milliseconds of the places' arrival, in order of their numbers.
    ///   - ranks: their ranks, all different.
    ///   - isAdmitted: whether each got a pass.
    package init(arrivals: [Int64], ranks: [UInt64], isAdmitted: [Bool]) {
        let count = arrivals.count
        precondition(ranks.count == count && isAdmitted.count == count, "figures need all three of every place")
        pairs = UInt64(count) * UInt64(max(count - 1, 0)) / 2
        guard count > 0 else { return }
        admittedPerDecile = (0..<10).map { decile in
            let part = isAdmitted[(count * decile / 10)..<(count * (decile + 1) / 10)]
            return part.isEmpty ? 0 : Double(part.count { $0 }) / Double(part.count)
        }
        guard let order = Self.orderOfCall(ranks) else {
            inversions = Self.inversions(of: arrivals)
            return
        }
        inversions = Self.inversions(of: order.map { arrivals[Int($0)] })
        // How many moved how far: without sorting a million distances.
        var moved = [UInt32](repeating: 0, count: count)
        for (position, index) in order.enumerated() { moved[abs(position - Int(index))] += 1 }
        displacementP50 = Self.distance(of: (count - 1) / 2, in: moved)
        displacementP99 = Self.distance(of: min(count - 1, (count * 99 + 99) / 100 - 1), in: moved)
    }

    /// The places, by index, as they are called; nil when that is the order they came in.
    private static func orderOfCall(_ ranks: [UInt64]) -> [UInt32]? {
        guard zip(ranks, ranks.dropFirst()).contains(where: { $0 > $1 }) else { return nil }
        return (0..<UInt32(ranks.count)).sorted { ranks[Int($0)] < ranks[Int($1)] }
    }

    /// The distance of the place that comes at `index` when all are sorted by theirs.
    private static func distance(of index: Int, in moved: [UInt32]) -> UInt64 {
        var seen = 0
        for (distance, count) in moved.enumerated() {
            seen += Int(count)
            if seen > index { return UInt64(distance) }
        }
        return 0
    }

    /// Pairs that stand in falling order, by merge sort (Knuth, TAOCP 3, §5.1.1).
    package static func inversions(of values: [Int64]) -> UInt64 {
        guard zip(values, values.dropFirst()).contains(where: { $0 > $1 }) else { return 0 }
        var (values, merged) = (values, values)
        var inversions: UInt64 = 0
        var width = 1
        while width < values.count {
            for start in stride(from: 0, to: values.count, by: 2 * width) {
                let middle = min(start + width, values.count)
                let end = min(start + 2 * width, values.count)
                var (left, right) = (start, middle)
                for target in start..<end {
                    if left < middle, right == end || values[left] <= values[right] {
                        merged[target] = values[left]
                        left += 1
                    } else {
                        merged[target] = values[right]
                        right += 1
                        inversions += UInt64(middle - left)
                    }
                }
            }
            swap(&values, &merged)
            width *= 2
        }
        return inversions
    }
}
