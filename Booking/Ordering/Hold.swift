/// A fenced lease on seats, kept in Redis. It may vanish at any moment: PostgreSQL's claims decide.
package struct Hold: Sendable, Equatable {
    package enum State: String, Sendable {
        /// Ends at its deadline.
        case active
        /// Belongs to an order; only the order's end releases it.
        case pinned
    }

    package var id: HoldID
    package var session: SessionID
    package var account: AccountID
    package var seats: [SeatNumber]
    package var state: State
    /// Grows with every hold of the session; a later change must carry it.
    package var fence: Int64
    package var deadline: Moment

    package init(
        id: HoldID,
        session: SessionID,
        account: AccountID,
        seats: [SeatNumber],
        state: State,
        fence: Int64,
        deadline: Moment
    ) {
        self.id = id
        self.session = session
        self.account = account
        self.seats = seats
        self.state = state
        self.fence = fence
        self.deadline = deadline
    }
}

package struct NewHold: Sendable {
    /// The same id again gives the same hold again.
    package var id: HoldID
    package var session: SessionID
    package var account: AccountID
    package var selection: SeatSelection
    /// Held and bought seats of one account never exceed it.
    package var limit: Int
    package var lifetime: Duration
    package var epoch: Int64
    /// The pass it was asked with; the first hold binds it to the account.
    package var pass: String?
    /// Whether those who drop holds again and again have to wait.
    package var coolsDown: Bool
    /// Made for somebody on the waiting list: it may have what is kept for them.
    package var isOffer: Bool

    package init(
        id: HoldID,
        session: SessionID,
        account: AccountID,
        selection: SeatSelection,
        limit: Int,
        lifetime: Duration,
        epoch: Int64,
        pass: String?,
        coolsDown: Bool = false,
        isOffer: Bool = false
    ) {
        self.id = id
        self.session = session
        self.account = account
        self.selection = selection
        self.limit = limit
        self.lifetime = lifetime
        self.epoch = epoch
        self.pass = pass
        self.coolsDown = coolsDown
        self.isOffer = isOffer
    }
}

package enum HoldFailure: Error, Sendable, Equatable {
    case seatsTaken([SeatNumber])
    /// The pick would leave these seats alone.
    case orphanSeats([SeatNumber])
    /// So many of the seats asked for are free, and that is not enough.
    case tooFewFree(Int)
    /// Too many holds were dropped; another one may be made after so long.
    case coolingDown(Duration)
    /// What has come back is offered to those on the waiting list first.
    case keptForWaiting
    /// No more time can be had.
    case extensionsSpent
    /// There are no seats together.
    case notTogether
    case limitExceeded(limit: Int, remaining: Int)
    /// The pass belongs to another account.
    case passBound
    case notFound
    case expired
    /// Redis is away, empty, or of another epoch: nothing may be held.
    case inventoryUnavailable(String)
}

/// What PostgreSQL decided about a hold's seats and Redis has yet to show.
package struct SeatProjection: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        /// The order exists: keep its seats held past the deadline of the hold.
        case pinned(until: Moment)
        case sold
        case free
        /// Given back, and not for sale.
        case blocked
    }

    /// Position in the outbox.
    package var position: Int64
    package var session: SessionID
    package var order: OrderID
    package var hold: HoldID
    package var account: AccountID
    package var seats: [SeatNumber]
    package var outcome: Outcome

    package init(
        position: Int64,
        session: SessionID,
        order: OrderID,
        hold: HoldID,
        account: AccountID,
        seats: [SeatNumber],
        outcome: Outcome
    ) {
        self.position = position
        self.session = session
        self.order = order
        self.hold = hold
        self.account = account
        self.seats = seats
        self.outcome = outcome
    }
}

/// The letters of a session's sections as Redis has them.
package struct SeatLetters: Sendable, Equatable {
    package var epoch: Int64
    package var sequence: Int64
    /// Per section: one letter per seat, each row followed by `|`.
    package var sections: [String]

    package init(epoch: Int64, sequence: Int64, sections: [String]) {
        self.epoch = epoch
        self.sequence = sequence
        self.sections = sections
    }
}

package struct SeatCounts: Sendable, Equatable {
    package var free: Int
    /// In active holds.
    package var held: Int
    /// In pinned holds: ordered, not yet sold.
    package var pending: Int
    package var sold: Int
    package var blocked: Int

    package init(free: Int, held: Int, pending: Int, sold: Int, blocked: Int) {
        self.free = free
        self.held = held
        self.pending = pending
        self.sold = sold
        self.blocked = blocked
    }
}

/// Everything needed to build a session in Redis anew from PostgreSQL.
package struct SessionInventory: Sendable {
    package struct Claim: Sendable, Equatable {
        package enum State: String, Sendable { case pending, sold, blocked }

        package var seat: SeatNumber
        package var state: State
        /// `nil` when blocked.
        package var order: OrderID?
        package var hold: HoldID?
        package var account: AccountID?
        /// Of the order, for pending claims.
        package var deadline: Moment?

        package init(
            seat: SeatNumber,
            state: State,
            order: OrderID?,
            hold: HoldID?,
            account: AccountID?,
            deadline: Moment?
        ) {
            self.seat = seat
            self.state = state
            self.order = order
            self.hold = hold
            self.account = account
            self.deadline = deadline
        }
    }

    package var session: SessionID
    package var epoch: Int64
    package var layout: SessionLayout
    package var claims: [Claim]

    package init(session: SessionID, epoch: Int64, layout: SessionLayout, claims: [Claim]) {
        self.session = session
        self.epoch = epoch
        self.layout = layout
        self.claims = claims
    }
}
