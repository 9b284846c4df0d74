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
    /// In the order they were asked for.
    package var refunds: [Refund] = []
    /// What a refund costs its buyer, as it was when the order was made.
    package var refundTerms = RefundTerms()
    /// The buyer's bank wants the money back, and it is not decided yet.
    package var isDisputed = false
    /// The buyer wants it cancelled; the provider has to agree first.
    package var isCancelRequested = false
    /// Why it was accepted and could not be made all the same.
    package var failureCode: String?
    /// The number of its last event.
    package var version: Int64 = 1

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
    package typealias State = TicketState

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
