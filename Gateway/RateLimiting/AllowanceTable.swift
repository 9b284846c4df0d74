/// 128 bits that name a client: an address block, or a hash of an account.
package struct LimitKey: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static let global = LimitKey(high: 0, low: 0)
}

/// Allowances of many clients in a fixed amount of memory: buckets of eight; a full bucket forgets the client that has used
/// least. A forgotten client starts with a full burst, so forgetting errs towards letting in.
package struct AllowanceTable: Sendable {
    package static let ways = 8
    package static let capacityMax = 1 << 22

    private struct Slot {
        var key: LimitKey
        var allowance: Allowance
        var isUsed: Bool
    }

    private var slots: [Slot]
    private let bucketMask: UInt64
    private let seed: UInt64
    /// How often a client with something to remember was forgotten.
    package private(set) var evictions = 0

    /// - Parameters:
    ///   - capacity: rounded up to a power of two, 8 to `capacityMax`.
    ///   - seed: secret, so that nobody can aim at a bucket.
    package init(capacity: Int, seed: UInt64) {
        var size = Self.ways
        while size < min(capacity, Self.capacityMax) { size *= 2 }
        slots = Array(repeating: Slot(key: .global, allowance: Allowance(), isUsed: false), count: size)
        bucketMask = UInt64(size / Self.ways - 1)
        self.seed = seed
    }

    package var capacity: Int { slots.count }

    package func ask(_ key: LimitKey, _ rate: Rate, at nowNS: Int64) -> Allowance.Decision {
        let start = bucket(of: key)
        for index in start..<(start + Self.ways) where slots[index].isUsed && slots[index].key == key {
            return slots[index].allowance.ask(rate, at: nowNS)
        }
        return Allowance().ask(rate, at: nowNS)
    }

    package mutating func take(_ key: LimitKey, _ rate: Rate, at nowNS: Int64) -> Allowance.Decision {
        let start = bucket(of: key)
        var victim = start
        for index in start..<(start + Self.ways) {
            guard slots[index].isUsed else {
                if slots[victim].isUsed { victim = index }
                continue
            }
            if slots[index].key == key { return slots[index].allowance.take(rate, at: nowNS) }
            if slots[victim].isUsed, slots[index].allowance.arrivalNS < slots[victim].allowance.arrivalNS {
                victim = index
            }
        }
        if slots[victim].isUsed, slots[victim].allowance.arrivalNS > nowNS { evictions += 1 }
        slots[victim] = Slot(key: key, allowance: Allowance(), isUsed: true)
        return slots[victim].allowance.take(rate, at: nowNS)
    }

    private func bucket(of key: LimitKey) -> Int {
        var mixed = Self.mix(key.high ^ seed)
        mixed = Self.mix(mixed ^ key.low)
        return Int(mixed & bucketMask) * Self.ways
    }

    /// The finalizer of SplitMix64.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
