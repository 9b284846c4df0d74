/// Every state of an order and the only moves between them (a refusal is an answer, not an accident).
package enum OrderState: String, Sendable, CaseIterable {
    case pending, authorizing, authorized, confirmed, paid, cancelled, expired, failed

    package enum Event: String, Sendable, CaseIterable {
        case payStarted, declined, authorized, confirmed, captured, captureImpossible, cancelled, expired, abandoned
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> OrderState? {
        switch (self, event) {
        case (.pending, .payStarted): .authorizing
        case (.pending, .cancelled): .cancelled
        case (.pending, .expired): .expired
        case (.authorizing, .declined): .pending
        case (.authorizing, .authorized): .authorized
        // Only after the provider has confirmed that nothing is or will be authorized.
        case (.authorizing, .abandoned): .expired
        case (.authorized, .confirmed): .confirmed
        // Before the point of no return; the authorization is voided.
        case (.authorized, .cancelled): .cancelled
        case (.authorized, .abandoned): .expired
        case (.confirmed, .captured): .paid
        case (.confirmed, .captureImpossible): .failed
        default: nil
        }
    }

    /// Nothing more happens to the order by itself.
    package var isFinal: Bool {
        switch self {
        case .paid, .cancelled, .expired, .failed: true
        case .pending, .authorizing, .authorized, .confirmed: false
        }
    }
}

package struct OrderItem: Sendable, Equatable {
    package var seat: SeatNumber
    /// `<section>-<row>-<number>`, kept with the order as it was sold.
    package var name: String
    package var area: String
    package var price: Money

    package init(seat: SeatNumber, name: String, area: String, price: Money) {
        self.seat = seat
        self.name = name
        self.area = area
        self.price = price
    }
}

package struct Order: Sendable, Equatable {
    package var id: OrderID
    package var session: SessionID
    package var account: AccountID
    package var hold: HoldID
    package var state: OrderState
    package var total: Money
    package var createdAt: Moment
    /// To be paid by then.
    package var deadline: Moment
    package var items: [OrderItem]
    /// The newest payment.
    package var payment: Payment?
    package var tickets: [Ticket]

    package init(
        id: OrderID,
        session: SessionID,
        account: AccountID,
        hold: HoldID,
        state: OrderState,
        total: Money,
        createdAt: Moment,
        deadline: Moment,
        items: [OrderItem],
        payment: Payment?,
        tickets: [Ticket]
    ) {
        self.id = id
        self.session = session
        self.account = account
        self.hold = hold
        self.state = state
        self.total = total
        self.createdAt = createdAt
        self.deadline = deadline
        self.items = items
        self.payment = payment
        self.tickets = tickets
    }
}

package struct Ticket: Sendable, Equatable {
    package enum State: String, Sendable {
        /// The seat is sold, the money not yet captured.
        case pending
        case valid, void
    }

    package var id: TicketID
    package var order: OrderID
    package var session: SessionID
    package var seat: SeatNumber
    package var name: String
    /// 8 letters and digits for people.
    package var number: String
    package var generation: Int
    package var state: State

    package init(
        id: TicketID,
        order: OrderID,
        session: SessionID,
        seat: SeatNumber,
        name: String,
        number: String,
        generation: Int,
        state: State
    ) {
        self.id = id
        self.order = order
        self.session = session
        self.seat = seat
        self.name = name
        self.number = number
        self.generation = generation
        self.state = state
    }
}
