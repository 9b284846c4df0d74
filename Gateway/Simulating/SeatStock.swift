/// The seats of the simulated shop: free, held by somebody who pays, sold.
struct SeatStock {
    private(set) var free: Int
    private(set) var held = 0
    private(set) var sold = 0
    let isLimited: Bool

    init(_ seats: Int?) {
        isLimited = seats != nil
        free = seats ?? .max / 4
    }

    var left: Int { free + held }

    /// As many as are free, at most the wanted ones.
    mutating func hold(_ wanted: Int) -> Int {
        let count = min(wanted, free)
        free -= count
        held += count
        return count
    }

    mutating func sell(_ count: Int) {
        held -= count
        sold += count
    }

    mutating func release(_ count: Int) {
        held -= count
        free += count
    }
}
