// Numbers and ranks: who comes when. Everything outside the drawn blocks is called in order of arrival.

/// Numbers that are shuffled among themselves.
package struct RankBlock: Sendable, Hashable {
    package let first: UInt64
    package let count: UInt64
    package let seed: Digest

    package init(first: UInt64, count: UInt64, seed: Digest) {
        self.first = first
        self.count = count
        self.seed = seed
    }

    package var last: UInt64 { first + count - 1 }

    /// The rank of each member in order of number: element i belongs to number `first + i`.
    package func ranks() -> [UInt32] {
        let order = Shuffle.order(of: Int(count), seed: seed)
        var ranks = [UInt32](repeating: 0, count: order.count)
        for (position, member) in order.enumerated() { ranks[Int(member)] = UInt32(first) + UInt32(position) }
        return ranks
    }
}

/// Ranks of all numbers, four bytes for each number up to the last block.
package struct RankTable: Sendable, Equatable {
    /// Ranks are kept as 32-bit numbers; 0 stands for "the rank is the number".
    package static let numberMax = UInt64(UInt32.max)
    package static let bytesPerNumber = 4

    private var ranks: [UInt32] = []

    package init() {}

    /// One past the highest number that has an entry of its own.
    package var end: UInt64 { UInt64(ranks.count) + 1 }

    package func rank(of number: UInt64) -> UInt64 {
        guard number > 0, number < end else { return number }
        let rank = ranks[Int(number - 1)]
        return rank == 0 ? number : UInt64(rank)
    }

    /// Computes a block's order and enters it; false when it overlaps what is there already, is empty or goes beyond
    /// `numberMax`.
    @discardableResult
    package mutating func append(_ block: RankBlock) -> Bool {
        guard canHold(block.first, block.count) else { return false }
        enter(block.ranks(), at: block.first)
        return true
    }

    /// Enters ranks as they are stored: big-endian, four bytes for each number from `first`. Those there already are
    /// overwritten. False when the length is odd or they do not fit.
    @discardableResult
    package mutating func write(packed bytes: [UInt8], from first: UInt64) -> Bool {
        let count = UInt64(bytes.count / Self.bytesPerNumber)
        guard bytes.count % Self.bytesPerNumber == 0, first > 0, count <= Self.numberMax,
            first <= Self.numberMax - count
        else { return false }
        let values = bytes.withUnsafeBytes { bytes in
            (0..<Int(count)).map { bytes.bigEndian(at: Self.bytesPerNumber * $0, as: UInt32.self) }
        }
        enter(values, at: first)
        return true
    }

    /// The form of `write(packed:from:)`.
    package static func packed(_ ranks: [UInt32]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: ranks.count * bytesPerNumber) { bytes, initialized in
            let raw = UnsafeMutableRawBufferPointer(bytes)
            for (index, rank) in ranks.enumerated() {
                raw.storeBytes(of: rank.bigEndian, toByteOffset: index * bytesPerNumber, as: UInt32.self)
            }
            initialized = raw.count
        }
    }

    /// Numbers in order of rank for the ranks `1 ..< end`: element k has rank k + 1. Nil when two numbers share a rank.
    package func numbers() -> [UInt32]? {
        var numbers = [UInt32](repeating: 0, count: ranks.count)
        for number in 1..<max(end, 1) {
            let rank = rank(of: number)
            guard rank >= 1, rank < end, numbers[Int(rank - 1)] == 0 else { return nil }
            numbers[Int(rank - 1)] = UInt32(number)
        }
        return numbers
    }

    /// Who has a rank. Searches the table: for many, ask `numbers()` once.
    package func number(of rank: UInt64) -> UInt64? {
        guard rank > 0 else { return nil }
        guard rank < end else { return rank }
        if self.rank(of: rank) == rank { return rank }
        return ranks.firstIndex(of: UInt32(rank)).map { UInt64($0) + 1 }
    }

    private func canHold(_ first: UInt64, _ count: UInt64) -> Bool {
        first >= end && count > 0 && count <= Self.numberMax && first <= Self.numberMax - count
    }

    private mutating func enter(_ values: [UInt32], at first: UInt64) {
        let start = Int(first - 1)
        let missing = start + values.count - ranks.count
        if missing > 0 { ranks.append(contentsOf: repeatElement(0, count: missing)) }
        ranks.replaceSubrange(start..<(start + values.count), with: values)
    }
}
