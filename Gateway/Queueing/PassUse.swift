// From which networks passes are used, in a fixed amount of memory: finds the ones that two networks use at once.

/// A network as one household or company has it: the /24 of an IPv4 address, the /48 of an IPv6 address.
package struct PassNetwork: Sendable, Hashable {
    /// 0 is nobody's. The families are told apart by the lowest bit.
    package let bits: UInt64

    /// Of an address as 128 bits, IPv4 v4-mapped.
    package init(high: UInt64, low: UInt64) {
        bits = high == 0 && low >> 32 == 0xFFFF ? (low & 0xFFFF_FF00) << 16 | 2 : high & ~0xFFFF | 1
    }

    package init(bits: UInt64) {
        self.bits = bits
    }

    var isIPv6: Bool { bits & 1 == 1 }
    package var text: String { String(bits, radix: 16) }
}

/// When a pass was seen from which networks, the four latest. A pass that leaves a network and is back within a minute
/// is used from both; one that only goes elsewhere has moved. A visitor with IPv4 and IPv6 uses both all the time, so
/// each family counts for itself.
package struct PassSightings: Sendable, Equatable {
    package static let networksMax = 4
    package static let backWithinMS: Int64 = 60_000

    private(set) var networks: InlineFour = InlineFour()

    /// Four sightings without an array.
    struct InlineFour: Sendable, Equatable {
        var networks: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var times: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)

        static func == (left: Self, right: Self) -> Bool {
            left.networks == right.networks && left.times == right.times
        }

        subscript(index: Int) -> (network: UInt64, at: Int64) {
            get {
                switch index {
                case 0: (networks.0, times.0)
                case 1: (networks.1, times.1)
                case 2: (networks.2, times.2)
                default: (networks.3, times.3)
                }
            }
            set {
                switch index {
                case 0: (networks.0, times.0) = newValue
                case 1: (networks.1, times.1) = newValue
                case 2: (networks.2, times.2) = newValue
                default: (networks.3, times.3) = newValue
                }
            }
        }
    }

    package init() {}

    /// - Returns: whether the pass was here less than a minute ago and elsewhere since.
    package mutating func note(_ network: PassNetwork, atMS now: Int64) -> Bool {
        let known = (0..<Self.networksMax).first { networks[$0].network == network.bits }
        let place = known ?? Self.networksMax - 1
        let last = networks[place].at
        var wasElsewhere = false
        // The latest comes first.
        for index in stride(from: place, to: 0, by: -1) {
            let later = networks[index - 1]
            if later.network != 0, later.network & 1 == network.bits & 1 { wasElsewhere = true }
            networks[index] = later
        }
        networks[0] = (network.bits, max(now, known == nil ? now : last))
        return known != nil && wasElsewhere && now - last <= Self.backWithinMS
    }
}

package struct PassUseTable: Sendable {
    package struct Finding: Sendable, Equatable {
        /// The other gateways should hear of this use.
        package var isNews: Bool
        /// Two networks use the pass; said once a minute.
        package var isShared: Bool
    }

    package static let ways = 4
    package static let capacityMax = 1 << 18
    /// How often a use of the same pass from the same network is told to the others.
    package static let tellEveryMS: Int64 = 15_000

    private struct Slot {
        var pass: UInt64 = 0
        var sightings = PassSightings()
        var lastMS: Int64 = 0
        var told: UInt64 = 0
        var toldMS: Int64 = 0
        var sharedMS: Int64 = 0
    }

    private var slots: [Slot]
    private let bucketMask: UInt64
    private let seed: UInt64

    /// - Parameters:
    ///   - capacity: rounded up to a power of two, `ways` to `capacityMax`.
    ///   - seed: secret, so that nobody can aim at a bucket.
    package init(capacity: Int = 1 << 15, seed: UInt64) {
        var size = Self.ways
        while size < min(capacity, Self.capacityMax) { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        bucketMask = UInt64(size / Self.ways - 1)
        self.seed = seed
    }

    package var capacity: Int { slots.count }
    package static var bytesPerPass: Int { MemoryLayout<Slot>.stride }

    /// Notes one use. A full bucket forgets the pass that was used longest ago.
    package mutating func note(_ passID: String, from network: PassNetwork, atMS now: Int64) -> Finding {
        let pass = mark(of: passID)
        let start = Int(pass & bucketMask) * Self.ways
        var index = start
        for candidate in start..<(start + Self.ways) {
            if slots[candidate].pass == pass {
                index = candidate
                break
            }
            if slots[candidate].lastMS < slots[index].lastMS { index = candidate }
        }
        if slots[index].pass != pass { slots[index] = Slot(pass: pass) }
        slots[index].lastMS = now
        var finding = Finding(isNews: false, isShared: slots[index].sightings.note(network, atMS: now))
        if finding.isShared {
            let before = slots[index].sharedMS
            finding.isShared = before == 0 || now - before >= PassSightings.backWithinMS
            if finding.isShared { slots[index].sharedMS = now }
        }
        if slots[index].told != network.bits || now - slots[index].toldMS >= Self.tellEveryMS {
            slots[index].told = network.bits
            slots[index].toldMS = now
            finding.isNews = true
        }
        return finding
    }

    /// FNV-1a over the id, then the finalizer of SplitMix64; never 0, which is a free slot.
    private func mark(of passID: String) -> UInt64 {
        var hash = seed ^ 0xcbf2_9ce4_8422_2325
        for byte in passID.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return max(1, hash ^ (hash >> 31))
    }
}
