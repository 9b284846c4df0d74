/// Addresses of one prefix length with the end of each: linear probing over two arrays, built once and then only read.
/// An admin wrote every address in it, so nobody can choose them to collide.
struct AddressSet: Sendable {
    private static let sizeLeast = 8

    private var keys: [NetworkAddress] = []
    /// Milliseconds since 1970; 0 is a free slot, the largest number an entry for good.
    private var ends: [Int64] = []
    private(set) var count = 0

    func end(of address: NetworkAddress) -> Int64? {
        guard count > 0 else { return nil }
        let index = slot(of: address)
        return ends[index] == 0 ? nil : ends[index]
    }

    /// - Returns: whether it is new.
    mutating func insert(_ address: NetworkAddress, endMS: Int64) -> Bool {
        if 2 * (count + 1) > keys.count { grow() }
        let index = slot(of: address)
        let isNew = ends[index] == 0
        keys[index] = address
        ends[index] = max(1, endMS)
        if isNew { count += 1 }
        return isNew
    }

    private mutating func grow() {
        let old = zip(keys, ends).filter { $0.1 != 0 }
        let size = max(Self.sizeLeast, keys.count * 2)
        keys = Array(repeating: NetworkAddress(high: 0, low: 0), count: size)
        ends = Array(repeating: 0, count: size)
        for (address, end) in old {
            let index = slot(of: address)
            keys[index] = address
            ends[index] = end
        }
    }

    /// Where an address is, or would be. At most half of the slots are taken, so the walk ends.
    private func slot(of address: NetworkAddress) -> Int {
        let mask = keys.count - 1
        var index = Int(truncatingIfNeeded: SplitMix.mix(SplitMix.mix(address.high) ^ address.low)) & mask
        while ends[index] != 0, keys[index] != address { index = (index + 1) & mask }
        return index
    }
}
