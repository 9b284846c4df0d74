/// One seat, as buyers see it: at most one hold, order or owner at any moment. Times are milliseconds of one clock.
///
/// A hold or an order that nobody paid may end by itself at its deadline or later, which nobody tells; so a state is the
/// set of what the seat may be. Redis shows what PostgreSQL decided with a lag, so a look that sees the seat held says
/// little; one that sees it free or sold must be true.
package struct SeatModel: HistoryModel {
    package enum Seat: Hashable, Sendable {
        case free
        /// `until` is `nil` when the answer was lost: then it may end at any time.
        case held(hold: String, until: Int64?)
        case ordered(order: String, until: Int64?)
        case sold(order: String)
    }

    package enum Input: Sendable, Hashable {
        case hold(String)
        case release(hold: String)
        case order(String, hold: String)
        case pay(order: String)
        case cancel(order: String)
        case look
        /// The store of holds was lost or rewound: holds without an order may be gone.
        case loseHolds
    }

    package enum Output: Sendable, Hashable {
        /// Held or ordered until then.
        case until(Int64)
        /// The seat was somebody else's.
        case taken
        /// The hold or order had ended.
        case gone
        case done
        /// Paid, and the ticket valid.
        case sold
        /// `F`, `H`, `S`, `B` as the map has it.
        case seen(Character)
        case unknown
    }

    /// How far the clocks of the processes may be apart.
    package static let skew: Int64 = 1000
    /// What got no answer took effect within this time of its call, or never.
    package static let unansweredMax: Int64 = 120_000

    package let initial: Set<Seat> = [.free]

    package init() {}

    package func after(_ state: Set<Seat>, _ operation: HistoryOperation<Input, Output>) -> Set<Seat>? {
        let latest = min(operation.returned, operation.called + Self.unansweredMax)
        let may = state.union(state.compactMap { Self.mayEnd($0, by: latest) ? .free : nil })
        let next = Set(may.flatMap { Self.after($0, operation.input, operation.output) })
        return next.isEmpty ? nil : next
    }

    package func onlyLooks(_ operation: HistoryOperation<Input, Output>) -> Bool {
        switch (operation.input, operation.output) {
        case (.look, _), (.hold, .taken), (.order, .gone), (.pay, .gone): true
        default: false
        }
    }

    /// What the seat may be afterwards; nothing when it cannot have answered so.
    private static func after(_ seat: Seat, _ input: Input, _ output: Output) -> [Seat] {
        switch (input, output) {
        case (.hold(let hold), .until(let until)): seat == .free ? [.held(hold: hold, until: until)] : []
        case (.hold, .taken): seat == .free ? [] : [seat]
        case (.hold(let hold), _): seat == .free ? [seat, .held(hold: hold, until: nil)] : [seat]
        case (.release(let hold), .done): seat.isHeld(by: hold) ? [.free] : [seat]
        case (.release(let hold), _): seat.isHeld(by: hold) ? [seat, .free] : [seat]
        case (.order(let order, let hold), .until(let until)):
            seat.isHeld(by: hold) ? [.ordered(order: order, until: until)] : []
        case (.order(_, let hold), .gone): seat.isHeld(by: hold) ? [] : [seat]
        case (.order(let order, let hold), _):
            seat.isHeld(by: hold) ? [seat, .ordered(order: order, until: nil)] : [seat]
        case (.pay(let order), .sold):
            seat.isOrdered(by: order) || seat == .sold(order: order) ? [.sold(order: order)] : []
        case (.pay(let order), .until(let until)):
            seat.isOrdered(by: order) ? [.ordered(order: order, until: until)] : []
        case (.pay(let order), .gone): seat == .sold(order: order) ? [] : [seat]
        case (.pay(let order), _): seat.isOrdered(by: order) ? [seat, .sold(order: order)] : [seat]
        case (.cancel(let order), .done): seat.isOrdered(by: order) ? [.free] : []
        case (.cancel(let order), _): seat.isOrdered(by: order) ? [seat, .free] : [seat]
        case (.look, .seen("F")): seat == .free ? [seat] : []
        case (.look, .seen("S")): seat.isSold ? [seat] : []
        case (.look, _): [seat]
        case (.loseHolds, _): seat.isHeld ? [seat, .free] : [seat]
        }
    }

    private static func mayEnd(_ seat: Seat, by time: Int64) -> Bool {
        switch seat {
        case .free, .sold: false
        case .held(_, let until), .ordered(_, let until): until.map { $0 <= time + skew } ?? true
        }
    }
}

extension SeatModel.Seat {
    fileprivate var isHeld: Bool { if case .held = self { true } else { false } }
    fileprivate var isSold: Bool { if case .sold = self { true } else { false } }
    fileprivate func isHeld(by hold: String) -> Bool { if case .held(hold, _) = self { true } else { false } }
    fileprivate func isOrdered(by order: String) -> Bool { if case .ordered(order, _) = self { true } else { false } }
}
