/// Which seats a hold is to take: picked by hand, chosen for the buyer, or so many places of areas.
package enum SeatSelection: Sendable, Equatable {
    /// Sorted, each once. With `leavesNoOrphan` a pick that leaves a single seat alone is refused, unless no other
    /// pick of as many seats in the section could do better.
    case named([SeatNumber], leavesNoOrphan: Bool)
    case best(BestSeats)
    case areas([AreaWish])

    /// Seats asked for.
    package var quantity: Int {
        switch self {
        case .named(let seats, _): seats.count
        case .best(let best): best.quantity
        case .areas(let areas): areas.reduce(0) { $0 + $1.quantity }
        }
    }
}

/// The best seats there are. Together in a row without leaving a single seat alone, else together, else (from four on)
/// two halves near each other, else the largest blocks, down to single seats. Never from areas.
package struct BestSeats: Sendable, Equatable {
    package var quantity: Int
    /// Indices of the sections to choose from; none means all.
    package var sections: [Int]
    /// Take what there is, when there is less than asked for.
    package var isPartial: Bool
    /// Together in one row or not at all.
    package var isTogether: Bool
    /// At least one accessible seat; such seats are given to nobody else.
    package var isAccessible: Bool

    package init(
        quantity: Int,
        sections: [Int] = [],
        isPartial: Bool = false,
        isTogether: Bool = false,
        isAccessible: Bool = false
    ) {
        self.quantity = quantity
        self.sections = sections
        self.isPartial = isPartial
        self.isTogether = isTogether
        self.isAccessible = isAccessible
    }
}

/// Places of one area (a section of kind `area`).
package struct AreaWish: Sendable, Equatable {
    /// The section's index.
    package var section: Int
    package var quantity: Int

    package init(section: Int, quantity: Int) {
        self.section = section
        self.quantity = quantity
    }
}
