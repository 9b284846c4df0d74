// What is remembered of the networks that joins come from, in a fixed amount of memory. An entry is made only for an
// answer that was right, so filling the table costs as much as joining.

package struct PrefixHistory: Sendable {
    package static let ways = 4
    package static let slotsMax = 1 << 16
    /// Joins count for one to two windows.
    package static let windowMS: Int64 = 300_000
    /// Waits of one prefix that may end within one waiting time.
    package static let waitsAtOnceMax = 4

    private struct Slot {
        var prefix: UInt64 = 0
        var isUsed = false
        var window: Int64 = 0
        var current: Float = 0
        var before: Float = 0
        /// GCRA of the waits: theoretical arrival time of the next one, ms.
        var arrivalMS: Int64 = 0

        mutating func turn(to next: Int64) {
            guard next > window else { return }
            before = next == window + 1 ? current : 0
            current = 0
            window = next
        }
    }

    private var slots: [Slot]
    private let bucketMask: UInt64
    private let seed: UInt64

    /// - Parameters:
    ///   - capacity: rounded up to a power of two, `ways` to `slotsMax`.
    ///   - seed: secret, so that nobody can aim at a bucket.
    package init(capacity: Int = 1 << 14, seed: UInt64) {
        var size = Self.ways
        while size < min(capacity, Self.slotsMax) { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        bucketMask = UInt64(size / Self.ways - 1)
        self.seed = seed
    }

    package var capacity: Int { slots.count }

    /// An IPv4 address, or the /48 of an IPv6 address given as 128 bits (IPv4 v4-mapped).
    package static func prefix(high: UInt64, low: UInt64) -> UInt64 {
        high == 0 && low >> 32 == 0xFFFF ? low << 16 : high & ~0xFFFF | 1
    }

    package func joins(of prefix: UInt64, atMS now: Int64) -> Double {
        guard let index = find(prefix) else { return 0 }
        var slot = slots[index]
        slot.turn(to: now / Self.windowMS)
        let passed = Double(now % Self.windowMS) / Double(Self.windowMS)
        return Double(slot.before) * (1 - passed) + Double(slot.current)
    }

    package mutating func noteJoin(of prefix: UInt64, atMS now: Int64) {
        let index = findOrMake(prefix)
        slots[index].turn(to: now / Self.windowMS)
        slots[index].current += 1
    }

    /// Takes one place by waiting: `waitsAtOnceMax` in one waiting time.
    /// - Returns: nil when it may, else the milliseconds after which one may.
    package mutating func takeWait(of prefix: UInt64, seconds: Int, atMS now: Int64) -> Int64? {
        let index = findOrMake(prefix)
        let wait = Int64(seconds) * 1000
        let interval = wait / Int64(Self.waitsAtOnceMax)
        let arrival = max(slots[index].arrivalMS, now)
        let excess = arrival + interval - now - wait
        guard excess <= 0 else { return excess }
        slots[index].turn(to: now / Self.windowMS)
        slots[index].arrivalMS = arrival + interval
        return nil
    }

    private func bucket(of prefix: UInt64) -> Range<Int> {
        // The finalizer of SplitMix64.
        var z = (prefix ^ seed) &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        let start = Int((z ^ (z >> 31)) & bucketMask) * Self.ways
        return start..<(start + Self.ways)
    }

    private func find(_ prefix: UInt64) -> Int? {
        bucket(of: prefix).first { slots[$0].isUsed && slots[$0].prefix == prefix }
    }

    /// A full bucket forgets who was seen longest ago.
    private mutating func findOrMake(_ prefix: UInt64) -> Int {
        if let index = find(prefix) { return index }
        let range = bucket(of: prefix)
        let free = range.first { !slots[$0].isUsed }
        let oldest = range.min { (slots[$0].window, slots[$0].arrivalMS) < (slots[$1].window, slots[$1].arrivalMS) }
        let index = free ?? oldest ?? range.lowerBound
        slots[index] = Slot(prefix: prefix, isUsed: true)
        return index
    }
}
