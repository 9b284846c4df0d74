// What PostgreSQL holds, as far as the promises speak of it.

package import Ordering

/// A seat of a session.
package struct Seat: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var session: SessionID
    package var number: SeatNumber

    package init(_ session: SessionID, _ number: SeatNumber) {
        self.session = session
        self.number = number
    }

    package var description: String { "\(session) seat \(number)" }

    package static func < (left: Seat, right: Seat) -> Bool {
        (left.session, left.number) < (right.session, right.number)
    }
}

package struct BookingFacts: Sendable {
    package struct Session: Sendable {
        package var id: SessionID
        package var epoch: Int64
        package var seatCount: Int
        /// Whether Redis must have its seats: it can be seen or sold.
        package var isLoaded: Bool

        package init(id: SessionID, epoch: Int64, seatCount: Int, isLoaded: Bool) {
            self.id = id
            self.epoch = epoch
            self.seatCount = seatCount
            self.isLoaded = isLoaded
        }
    }

    package struct Order: Sendable {
        package var id: OrderID
        package var session: SessionID
        package var account: AccountID
        package var hold: HoldID
        package var state: OrderState
        package var total: Money
        /// Seat → price.
        package var items: [SeatNumber: Int64]
        /// The number of its last event, as the order has it.
        package var version = 1
        /// Its events in the outbox, and the number of the last of them.
        package var eventCount = 1
        package var lastEvent = 1
        package var isDisputed = false

        package init(
            id: OrderID,
            session: SessionID,
            account: AccountID,
            hold: HoldID,
            state: OrderState,
            total: Money,
            items: [SeatNumber: Int64]
        ) {
            self.id = id
            self.session = session
            self.account = account
            self.hold = hold
            self.state = state
            self.total = total
            self.items = items
        }

        package var seats: Set<Seat> { Set(items.keys.map { Seat(session, $0) }) }
    }

    package struct Claim: Sendable {
        package enum State: String, Sendable {
            case pending, sold, blocked
        }

        package var seat: Seat
        package var state: State
        /// `nil` for a blocked seat.
        package var order: OrderID?

        package init(seat: Seat, state: State, order: OrderID?) {
            self.seat = seat
            self.state = state
            self.order = order
        }
    }

    package struct Ticket: Sendable {
        package var id: TicketID
        package var order: OrderID
        package var seat: Seat
        package var number: String
        package var state: Ordering.Ticket.State

        package init(id: TicketID, order: OrderID, seat: Seat, number: String, state: Ordering.Ticket.State) {
            self.id = id
            self.order = order
            self.seat = seat
            self.number = number
            self.state = state
        }
    }

    package struct Payment: Sendable {
        package var id: PaymentID
        package var order: OrderID
        package var state: PaymentState
        package var amount: Money
        package var captured: Int64
        package var reference: String?
        package var refunded: Int64 = 0
        /// Being given back, and given back by other ways than the provider's.
        package var refunding: Int64 = 0
        package var settled: Int64 = 0

        package init(
            id: PaymentID,
            order: OrderID,
            state: PaymentState,
            amount: Money,
            captured: Int64,
            reference: String?
        ) {
            self.id = id
            self.order = order
            self.state = state
            self.amount = amount
            self.captured = captured
            self.reference = reference
        }
    }

    package struct Refund: Sendable {
        package var id: RefundID
        package var payment: PaymentID?
        package var kind: Ordering.Refund.Kind
        package var state: RefundState
        package var amount: Int64
        package var tickets: [TicketID]

        package init(
            id: RefundID,
            payment: PaymentID?,
            kind: Ordering.Refund.Kind,
            state: RefundState,
            amount: Int64,
            tickets: [TicketID]
        ) {
            self.id = id
            self.payment = payment
            self.kind = kind
            self.state = state
            self.amount = amount
            self.tickets = tickets
        }
    }

    package struct Quota: Sendable {
        package var session: SessionID
        package var account: AccountID
        package var used: Int
        package var limit: Int

        package init(session: SessionID, account: AccountID, used: Int, limit: Int) {
            self.session = session
            self.account = account
            self.used = used
            self.limit = limit
        }
    }

    package var sessions: [Session] = []
    package var orders: [OrderID: Order] = [:]
    package var claims: [Claim] = []
    package var tickets: [Ticket] = []
    package var payments: [Payment] = []
    package var refunds: [Refund] = []
    package var quotas: [Quota] = []
    /// Decisions that Redis has yet to show.
    package var waitingProjections = 0

    package init() {}
}
