/// 128 bits that name a client: an address block, or a hash of an account.
package struct LimitKey: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

extension LimitKey {
    /// Two FNV-1a hashes of an account's id. Ids are ours, so nobody can choose them to collide.
    package init(account: String) {
        var account = account
        self = account.withUTF8 { bytes in
            var high: UInt64 = 0xCBF2_9CE4_8422_2325
            var low: UInt64 = 0x8422_2325_CBF2_9CE4
            for byte in bytes {
                high = (high ^ UInt64(byte)) &* 0x100_0000_01B3
                low = (low ^ UInt64(byte)) &* 0x100_0000_01B3
            }
            return LimitKey(high: high, low: low)
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): its finalizer as a hash, and its sequence for spreading waits.
package struct SplitMix: Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    package mutating func next() -> UInt64 {
        let value = Self.mix(state)
        state &+= 0x9e37_79b9_7f4a_7c15
        return value
    }

    /// Evenly from 0 up to, not including, `end`.
    package mutating func below(_ end: UInt64) -> UInt64 { next().multipliedFullWidth(by: end).high }
}

/// How a client is known in a table: 64 bits, mixed with a secret so that nobody can aim at a bucket. Two IPv4 addresses
/// never share one, nor two IPv6 networks; other pairs by a chance of 2⁻⁶⁴.
package struct ClientMark: Sendable, Equatable {
    let bits: UInt64

    @inline(__always)
    init(_ key: LimitKey, seed: UInt64) {
        let mixed = SplitMix.mix(SplitMix.mix(key.high ^ seed) ^ key.low)
        // Zero marks a free slot.
        bits = mixed == 0 ? 1 : mixed
    }
}
