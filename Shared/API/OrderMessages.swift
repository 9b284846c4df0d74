// Orders, payments and tickets as booking tells them.

package struct OrderReply: Codable, Sendable {
    package struct Show: Codable, Sendable {
        package var id: String
        package var title: String

        package init(id: String, title: String) {
            self.id = id
            self.title = title
        }
    }

    package struct Session: Codable, Sendable {
        package var id: String
        package var title: String
        package var startsAt: String

        package init(id: String, title: String, startsAt: String) {
            self.id = id
            self.title = title
            self.startsAt = startsAt
        }

        private enum CodingKeys: String, CodingKey {
            case id, title
            case startsAt = "starts_at"
        }
    }

    package struct Seat: Codable, Sendable {
        package var seat: String
        package var area: String
        package var price: MoneyReply

        package init(seat: String, area: String, price: MoneyReply) {
            self.seat = seat
            self.area = area
            self.price = price
        }
    }

    package var id: String
    /// processing, pending, authorizing, authorized, confirmed, paid, refunding, partially_refunded, refunded,
    /// charged_back, cancelled, expired, failed.
    package var state: String
    package var show: Show
    package var session: Session
    package var seats: [Seat]
    package var total: MoneyReply
    package var createdAt: String
    package var payBy: String
    /// Seconds left to pay; 0 when there is nothing to pay any more.
    package var secondsLeft: Int
    package var payment: PaymentReply?
    package var tickets: [TicketReply]
    package var refunds: [RefundReply]?
    package var disputed: Bool?
    /// Of an order that was accepted and failed: the code of the problem it would have been answered with.
    package var failureCode: String?

    package init(
        id: String,
        state: String,
        show: Show,
        session: Session,
        seats: [Seat],
        total: MoneyReply,
        createdAt: String,
        payBy: String,
        secondsLeft: Int,
        payment: PaymentReply?,
        tickets: [TicketReply],
        refunds: [RefundReply]? = nil,
        disputed: Bool? = nil,
        failureCode: String? = nil
    ) {
        self.refunds = refunds
        self.disputed = disputed
        self.failureCode = failureCode
        self.id = id
        self.state = state
        self.show = show
        self.session = session
        self.seats = seats
        self.total = total
        self.createdAt = createdAt
        self.payBy = payBy
        self.secondsLeft = secondsLeft
        self.payment = payment
        self.tickets = tickets
    }

    private enum CodingKeys: String, CodingKey {
        case id, state, show, session, seats, total
        case createdAt = "created_at"
        case payBy = "pay_by"
        case secondsLeft = "seconds_left"
        case payment, tickets, refunds, disputed
        case failureCode = "failure_code"
    }
}

/// Body of `POST /v1/orders/{id}/payments`.
package struct PaymentRequest: Codable, Sendable {
    /// A payment method of the provider, for example `pm_card_visa`; none for an order that costs nothing.
    package var paymentMethod: String?

    package init(paymentMethod: String?) {
        self.paymentMethod = paymentMethod
    }

    private enum CodingKeys: String, CodingKey {
        case paymentMethod = "payment_method"
    }
}

package struct PaymentReply: Codable, Sendable {
    package var id: String
    package var orderID: String
    /// authorizing, requires_action, unknown, authorized, capturing, captured, failed, voiding, voided, stray.
    package var state: String
    package var amount: MoneyReply
    package var declineCode: String?
    /// What the buyer has to do, with `requires_action`.
    package var nextAction: NextAction?
    package var refunded: MoneyReply?

    package struct NextAction: Codable, Sendable {
        /// redirect, qr_code or script.
        package var type: String
        /// Go there.
        package var url: String?
        /// Show this as a QR code.
        package var code: String?
        /// For the provider's own script.
        package var clientSecret: String?

        package init(type: String, url: String?, code: String?, clientSecret: String?) {
            self.type = type
            self.url = url
            self.code = code
            self.clientSecret = clientSecret
        }

        private enum CodingKeys: String, CodingKey {
            case type, url, code
            case clientSecret = "client_secret"
        }
    }

    package init(
        id: String,
        orderID: String,
        state: String,
        amount: MoneyReply,
        declineCode: String?,
        nextAction: NextAction? = nil,
        refunded: MoneyReply? = nil
    ) {
        self.nextAction = nextAction
        self.refunded = refunded
        self.id = id
        self.orderID = orderID
        self.state = state
        self.amount = amount
        self.declineCode = declineCode
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case orderID = "order_id"
        case state, amount
        case declineCode = "decline_code"
        case nextAction = "next_action"
        case refunded
    }
}

package struct TicketReply: Codable, Sendable {
    package var id: String
    package var orderID: String
    package var sessionID: String
    package var seat: String
    /// Short number for people: 8 characters.
    package var number: String
    /// pending, valid, void …
    package var state: String
    /// The signed code to show at the door; present once the ticket is valid.
    package var code: String?

    package init(
        id: String,
        orderID: String,
        sessionID: String,
        seat: String,
        number: String,
        state: String,
        code: String?
    ) {
        self.id = id
        self.orderID = orderID
        self.sessionID = sessionID
        self.seat = seat
        self.number = number
        self.state = state
        self.code = code
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case orderID = "order_id"
        case sessionID = "session_id"
        case seat, number, state, code
    }
}
