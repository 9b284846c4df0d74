// What staff does to seats, what is known of their past, and the comparison of both stores.

/// How far a buyer may lengthen a hold.
package struct HoldExtension: Sendable, Equatable {
    /// From now on.
    package var lifetime: Duration
    package var timesMax: Int
    /// A hold never lasts longer than this, all in all.
    package var sinceMadeMax: Duration
    package var epoch: Int64

    package init(lifetime: Duration, timesMax: Int, sinceMadeMax: Duration, epoch: Int64) {
        self.lifetime = lifetime
        self.timesMax = timesMax
        self.sinceMadeMax = sinceMadeMax
        self.epoch = epoch
    }
}

package enum ForcedChange: Sendable, Equatable, CaseIterable {
    /// Free seats and those in holds without an order.
    case block
    case unblock
    /// PostgreSQL says blocked.
    case mendBlocked
    /// PostgreSQL says that nobody has it.
    case mendFree
}

/// One thing that happened to a seat.
package struct SeatEvent: Sendable, Equatable {
    package var at: Moment
    /// The name of the event: `order.created`, `seat.blocked` …
    package var what: String
    package var order: OrderID?
    /// The buyer, or who of the staff did it.
    package var account: AccountID?
    package var reason: String?

    package init(at: Moment, what: String, order: OrderID?, account: AccountID?, reason: String?) {
        self.at = at
        self.what = what
        self.order = order
        self.account = account
        self.reason = reason
    }
}

/// What somebody of the staff does to seats.
package struct SeatAction: Sendable {
    package var id: ActionID
    package var session: SessionID
    package var account: AccountID
    package var seats: [SeatNumber]
    package var reason: String

    package init(id: ActionID, session: SessionID, account: AccountID, seats: [SeatNumber], reason: String) {
        self.id = id
        self.session = session
        self.account = account
        self.seats = seats
        self.reason = reason
    }
}

/// A session's seats in Redis at one moment.
package struct SeatStanding: Sendable, Equatable {
    package var epoch: Int64
    /// Seats in holds that belong to orders.
    package var ordered: Set<SeatNumber>
    /// By seat number.
    package var letters: [UInt8]

    package init(epoch: Int64, ordered: Set<SeatNumber>, letters: [UInt8]) {
        self.epoch = epoch
        self.ordered = ordered
        self.letters = letters
    }
}

/// Where Redis shows something else than PostgreSQL decided. Both are read one after the other while people buy, so
/// only what is found twice in a row is believed.
package struct SeatComparison: Sendable, Equatable {
    package struct Mismatch: Sendable, Hashable {
        package enum Cure: Sendable, Hashable {
            case project, mendFree, mendBlocked
        }

        package var seat: SeatNumber
        package var letter: UInt8
        package var claim: SessionInventory.Claim.State?
        package var order: OrderID?

        /// A blocked seat is freed first; what an order has of it is shown at the next look.
        package var cure: Cure {
            switch claim {
            case nil: .mendFree
            case .blocked: .mendBlocked
            case .pending, .sold: letter == UInt8(ascii: "B") ? .mendFree : .project
            }
        }
    }

    package let mismatches: Set<Mismatch>

    package init(_ standing: SeatStanding, _ claims: [SessionInventory.Claim]) {
        let claimed = Dictionary(claims.map { ($0.seat, $0) }) { first, _ in first }
        var found: Set<Mismatch> = []
        for (index, letter) in standing.letters.enumerated() {
            let seat = SeatNumber(index)
            let claim = claimed[seat]
            let isOrdered = standing.ordered.contains(seat)
            let isRight =
                switch (claim?.state, letter) {
                case (nil, UInt8(ascii: "F")), (.sold, UInt8(ascii: "S")), (.blocked, UInt8(ascii: "B")): true
                case (nil, UInt8(ascii: "H")): !isOrdered
                case (.pending, UInt8(ascii: "H")): true
                default: false
                }
            if !isRight {
                found.insert(Mismatch(seat: seat, letter: letter, claim: claim?.state, order: claim?.order))
            }
        }
        mismatches = found
    }

    package init(mismatches: Set<Mismatch>) { self.mismatches = mismatches }

    package func confirmed(by later: SeatComparison) -> SeatComparison {
        SeatComparison(mismatches: mismatches.intersection(later.mismatches))
    }

    /// What tells Redis of the orders' seats again.
    package func projections(_ claims: [SessionInventory.Claim], of session: SessionID) -> [SeatProjection] {
        let seats = Set(mismatches.filter { $0.cure == .project }.map(\.seat))
        let orders = Dictionary(grouping: claims.filter { seats.contains($0.seat) }, by: \.order)
        return orders.compactMap { order, claims in
            guard let order, let first = claims.first, let hold = first.hold, let account = first.account else {
                return nil
            }
            let isSold = first.state == .sold
            let until = first.deadline ?? Moment(milliseconds: 0)
            return SeatProjection(
                position: 0,
                session: session,
                order: order,
                hold: hold,
                account: account,
                seats: claims.map(\.seat).sorted(),
                outcome: isSold ? .sold : .pinned(until: until)
            )
        }
    }

    package func seats(_ cure: Mismatch.Cure) -> [SeatNumber] {
        mismatches.filter { $0.cure == cure }.map(\.seat).sorted()
    }
}
