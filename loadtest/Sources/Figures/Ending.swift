// How a visit ended. Every visitor must get one of these ends, and be told which.

enum Ending: Sendable, Equatable {
    case sold(seats: [String], order: String)
    /// While waiting or in the shop.
    case toldSoldOut(at: Step)
    case abandoned(at: LeavingPoint)
    /// Ten picks, ten times somebody was faster.
    case gaveUpPicking
    case declined
    /// By an answer that a working sale does not give.
    case refused(at: Step, code: String)
    /// Still there when the time was over.
    case unfinished(at: Step)

    /// Gone without telling anybody: the place or pass stays until it ends by itself.
    var isWithoutWord: Bool {
        switch self {
        case .abandoned, .unfinished: true
        default: false
        }
    }
}

/// Leaves the visitor's script from anywhere.
struct Departure: Error, Equatable {
    let ending: Ending
}
