import ArgumentParser
import NIOCore

/// What each buyer does.
enum BuyFlow: String, ExpressibleByArgument, Sendable, CaseIterable {
    case purchase, order, hold, map

    var firstStep: BuyStep {
        switch self {
        case .purchase, .hold: .hold
        case .order: .order
        case .map: .map
        }
    }
}

/// One request of a buyer.
enum BuyStep: String, CaseIterable, Sendable {
    case hold, order, pay, look, release, map
}

/// What a run does, and when it is enough.
struct BuyPlan: Sendable {
    var address: SocketAddress
    var authority: String
    var session: String
    var flow: BuyFlow
    var want: ClosedRange<Int>
    var connections: Int
    var time: TimeAmount
    var ordersMax: Int
    var seed: UInt64
}

/// One buyer on the way, whichever connection carries them.
struct Buyer {
    let number: Int
    /// Header lines, each with its end.
    let headers: String
    let quantity: Int
    var step: BuyStep
    var hold = ""
    var order = ""
    var tries = 0
}
