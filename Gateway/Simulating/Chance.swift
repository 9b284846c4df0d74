// Seeded chance: the same seed gives the same crowd on every machine.
import Foundation

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Chance {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Evenly from 0 up to but not 1.
    mutating func share() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func happens(_ probability: Double) -> Bool { share() < probability }

    mutating func exponential(mean: Double) -> Double { -log(1 - share()) * mean }

    /// The whole number below or above, so that the mean comes out.
    mutating func whole(mean: Double) -> Int { Int(mean) + (happens(mean - mean.rounded(.down)) ? 1 : 0) }
}
