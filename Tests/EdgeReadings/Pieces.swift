/// Sebastiano Vigna's SplitMix64: the same numbers in every run.
package struct SplitMix: Sendable {
    private var state: UInt64

    package init(state: UInt64) {
        self.state = state
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Ways to cut a connection's bytes into reads.
package enum Pieces {
    /// Mostly short pieces, sometimes the whole rest at once; the same ones for the same seed.
    package static func cut(_ bytes: [UInt8], seed: UInt64) -> [ArraySlice<UInt8>] {
        var random = SplitMix(state: seed)
        let lengthMax = [1, 3, 17, 200][Int(random.next() % 4)]
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = random.next() % 16 == 0 ? rest.count : 1 + Int(random.next() % UInt64(lengthMax))
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    /// FNV-1a (Fowler, Noll, Vo), so that the bytes themselves choose how they are cut.
    package static func seed(of bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
