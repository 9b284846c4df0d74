/// Where a place stands in line.
package enum PlaceState: Sendable, Equatable {
    /// Has no rank yet: the draw or the end of the tie window is to come.
    case assigning
    /// `ahead` people are called before it.
    case waiting(ahead: UInt64)
    /// May claim. No deadline: it asked in time and is next when there is room.
    case called(deadline: Moment?)
    /// Did not come in time; may still claim for a while.
    case parked(deadline: Moment)
    case forfeited
    case admitted

    package var name: String {
        switch self {
        case .assigning: "assigning"
        case .waiting: "waiting"
        case .called: "called"
        case .parked: "parked"
        case .forfeited: "forfeited"
        case .admitted: "admitted"
        }
    }

    package var ahead: UInt64 {
        if case .waiting(let ahead) = self { ahead } else { 0 }
    }

    package var deadline: Moment? {
        switch self {
        case .called(let deadline): deadline
        case .parked(let deadline): deadline
        case .assigning, .waiting, .forfeited, .admitted: nil
        }
    }
}
