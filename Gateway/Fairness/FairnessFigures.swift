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
        inversions = Self.inversions(of: Self.inOrderOfRank(arrivals, ranks))
        guard count > 0 else { return }
        let positions = Self.positions(ranks)
        var moved = positions.enumerated().map { UInt64(($0.offset - $0.element).magnitude) }
        moved.sort()
        displacementP50 = moved[(count - 1) / 2]
        displacementP99 = moved[min(count - 1, (count * 99 + 99) / 100 - 1)]
        admittedPerDecile = (0..<10).map { decile in
            let part = isAdmitted[(count * decile / 10)..<(count * (decile + 1) / 10)]
            return part.isEmpty ? 0 : Double(part.count { $0 }) / Double(part.count)
        }
    }

    /// The place of each rank among all ranks, from 0.
    private static func positions(_ ranks: [UInt64]) -> [Int] {
        var positions = [Int](repeating: 0, count: ranks.count)
        for (position, index) in ranks.indices.sorted(by: { ranks[$0] < ranks[$1] }).enumerated() {
            positions[index] = position
        }
        return positions
    }

    private static func inOrderOfRank(_ arrivals: [Int64], _ ranks: [UInt64]) -> [Int64] {
        ranks.indices.sorted { ranks[$0] < ranks[$1] }.map { arrivals[$0] }
    }

    /// Pairs that stand in falling order, by merge sort (Knuth, TAOCP 3, §5.1.1).
    package static func inversions(of values: [Int64]) -> UInt64 {
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
