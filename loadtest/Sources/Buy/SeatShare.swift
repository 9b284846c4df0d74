// How many seats each buyer asks for, so that together they ask for no more than there are.
struct SeatShare: Sendable {
    private var free: Int
    private var chance: SplitMix64

    /// `free` seats are to be given out.
    init(free: Int, chance: SplitMix64) {
        self.free = free
        self.chance = chance
    }

    /// As many as chance says, fewer when fewer are left; nil when none is.
    mutating func take(_ want: ClosedRange<Int>) -> Int? {
        guard free > 0 else { return nil }
        let count = min(Int.random(in: want, using: &chance), free)
        free -= count
        return count
    }

    mutating func giveBack(_ count: Int) { free += count }
}
