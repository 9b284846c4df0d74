/// A new order with its idempotency record: both are written in one transaction or neither is.
package struct NewOrder: Sendable {
    package struct Idempotency: Sendable {
        /// Who asked, and for which route.
        package var scope: String
        /// SHA-256 of the key.
        package var keyHash: [UInt8]
        /// SHA-256 of method, path and body.
        package var fingerprint: [UInt8]
        /// The answer to give again.
        package var replyStatus: Int
        package var replyBody: [UInt8]

        package init(scope: String, keyHash: [UInt8], fingerprint: [UInt8], replyStatus: Int, replyBody: [UInt8]) {
            self.scope = scope
            self.keyHash = keyHash
            self.fingerprint = fingerprint
            self.replyStatus = replyStatus
            self.replyBody = replyBody
        }
    }

    package var id: OrderID
    package var session: SessionID
    package var account: AccountID
    package var hold: HoldID
    package var fence: Int64
    /// Sorted by seat.
    package var items: [OrderItem]
    package var total: Money
    package var createdAt: Moment
    package var deadline: Moment
    /// Seats one account may have of the session.
    package var limit: Int
    package var idempotency: Idempotency

    package init(
        id: OrderID,
        session: SessionID,
        account: AccountID,
        hold: HoldID,
        fence: Int64,
        items: [OrderItem],
        total: Money,
        createdAt: Moment,
        deadline: Moment,
        limit: Int,
        idempotency: Idempotency
    ) {
        self.id = id
        self.session = session
        self.account = account
        self.hold = hold
        self.fence = fence
        self.items = items
        self.total = total
        self.createdAt = createdAt
        self.deadline = deadline
        self.limit = limit
        self.idempotency = idempotency
    }
}

package enum OrderCreation: Sendable, Equatable {
    case created
    /// The key was used for the same request before: its answer.
    case replayed(status: Int, body: [UInt8])
    /// The key was used for another request.
    case keyReused
    case seatsTaken([SeatNumber])
    case limitExceeded(limit: Int, remaining: Int)
    /// The session is not on sale any more.
    case notOnSale
}

package struct NewPayment: Sendable {
    package var id: PaymentID
    package var order: OrderID
    package var account: AccountID
    package var method: String
    /// The process that carries the saga out, until `lease` from now.
    package var owner: String
    package var lease: Duration
    package var now: Moment
    /// Attempts one order may have.
    package var attemptsMax: Int

    package init(
        id: PaymentID,
        order: OrderID,
        account: AccountID,
        method: String,
        owner: String,
        lease: Duration,
        now: Moment,
        attemptsMax: Int
    ) {
        self.id = id
        self.order = order
        self.account = account
        self.method = method
        self.owner = owner
        self.lease = lease
        self.now = now
        self.attemptsMax = attemptsMax
    }
}

package enum PaymentStart: Sendable, Equatable {
    case started(Payment)
    /// The order has a live attempt already: this one.
    case alreadyRunning(Payment)
    /// Not the buyer's order, or no order at all.
    case unknownOrder
    case deadlinePassed
    case attemptsExhausted
    /// The order is in a state in which nothing can be paid.
    case notPayable(OrderState)
}

package struct NewTicket: Sendable {
    package var id: TicketID
    package var number: String

    package init(id: TicketID, number: String) {
        self.id = id
        self.number = number
    }
}

package struct Confirmation: Sendable {
    package var payment: PaymentID
    package var reference: String
    package var authorized: Money
    /// As many as the order has items, given to its seats in order.
    package var tickets: [NewTicket]

    package init(payment: PaymentID, reference: String, authorized: Money, tickets: [NewTicket]) {
        self.payment = payment
        self.reference = reference
        self.authorized = authorized
        self.tickets = tickets
    }
}

package enum ConfirmOutcome: Sendable, Equatable {
    /// Claims are sold, tickets `pending`, payment `capturing`: from here only forward.
    case confirmed
    /// It was confirmed before.
    case alreadyConfirmed
    /// The order was cancelled or has lost its claims: the authorization must be voided.
    case refused(OrderState)
}

package enum Cancellation: Sendable, Equatable {
    case cancelled
    /// It was cancelled before.
    case alreadyCancelled
    case unknownOrder
    /// A payment runs or has run: it cannot be cancelled now.
    case notCancellable(OrderState)
}

/// A payment whose saga has work to do, leased to the caller.
package struct SagaWork: Sendable, Equatable {
    package var payment: Payment
    package var orderState: OrderState

    package init(payment: Payment, orderState: OrderState) {
        self.payment = payment
        self.orderState = orderState
    }
}

/// Port to the truth about orders, payments and tickets. Every method is one transaction that moves states by
/// compare-and-set and writes its outbox rows; concurrent calls of one kind are combined.
package protocol OrderStore: Sendable {
    func create(_ order: NewOrder) async throws(StoreFailure) -> OrderCreation
    /// The stored answer of an idempotency key, when there is one: `replayed` or `keyReused`.
    func replay(scope: String, keyHash: [UInt8], fingerprint: [UInt8]) async throws(StoreFailure) -> OrderCreation?

    func order(_ id: OrderID) async throws(StoreFailure) -> Order?
    /// Newest first; `before` is the id of the last order of the page before.
    func orders(of account: AccountID, before: OrderID?, limit: Int) async throws(StoreFailure) -> [Order]
    /// Tickets of an account, newest first.
    func tickets(of account: AccountID, before: TicketID?, limit: Int) async throws(StoreFailure) -> [Ticket]
    func payment(_ id: PaymentID) async throws(StoreFailure) -> Payment?

    func beginPayment(_ payment: NewPayment) async throws(StoreFailure) -> PaymentStart
    /// authorizing → unknown; the saga is looked at again after `retryAfter`.
    func recordNoAnswer(_ payment: PaymentID, retryAfter: Duration) async throws(StoreFailure)
    /// Payment → failed, order → pending with at least `retryWindow` left to pay.
    func recordDeclined(_ payment: PaymentID, code: String, reference: String?, retryWindow: Duration)
        async throws(StoreFailure)
    /// Claims → sold, tickets `pending`, order → confirmed, payment → capturing: all or nothing.
    func confirm(_ confirmation: Confirmation) async throws(StoreFailure) -> ConfirmOutcome
    /// Payment → captured, order → paid, tickets → valid. Harmless when repeated.
    func recordCaptured(_ payment: PaymentID, amount: Money) async throws(StoreFailure)
    /// Payment → failed, order → failed, tickets void, claims deleted, quota returned.
    func recordCaptureImpossible(_ payment: PaymentID, code: String) async throws(StoreFailure)
    /// Payment (authorizing, unknown or authorized) → voiding with its reference; the order, when it is not final yet,
    /// → expired, its claims deleted and quota returned. The saga goes on with the void.
    func beginVoid(_ payment: PaymentID, reference: String) async throws(StoreFailure)
    /// Payment → voided.
    func recordVoided(_ payment: PaymentID) async throws(StoreFailure)
    /// Keeps the lease of a saga that is being worked on, or sets when to look again.
    func postpone(_ payment: PaymentID, by delay: Duration) async throws(StoreFailure)

    /// pending → cancelled, claims deleted, quota returned.
    func cancel(_ order: OrderID, by account: AccountID) async throws(StoreFailure) -> Cancellation
    /// Ends pending orders past their deadline that have no live payment; how many.
    func expireDue(limit: Int) async throws(StoreFailure) -> Int

    /// Leases open sagas whose lease has lapsed or whose time has come.
    func leaseSagas(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [SagaWork]
    /// Open sagas, for the backlog an operator sees.
    func openSagaCount() async throws(StoreFailure) -> Int

    /// What Redis has yet to show, oldest first.
    func unprojected(limit: Int) async throws(StoreFailure) -> [SeatProjection]
    func markProjected(_ positions: [Int64]) async throws(StoreFailure)

    /// Remembers an event of a provider; `false` when it was there already.
    func receive(source: String, event: String) async throws(StoreFailure) -> Bool
}
