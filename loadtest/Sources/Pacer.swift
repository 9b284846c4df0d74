// When each visitor arrives. Open loop: the schedule does not wait for anybody's answer.

struct Pacer: Sendable, Equatable {
    let visitors: Int
    let window: Duration

    /// Evenly over the window: the first at once, the last just before its end.
    func arrival(of index: Int) -> Duration {
        guard visitors > 0 else { return .zero }
        return window * (Double(index) / Double(visitors))
    }
}

/// A small, fast, repeatable source of chance (Steele, Lea, Flood: “Fast splittable pseudorandom number generators”,
/// 2014). Not for secrets.
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
