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
    /// So many accepted orders wait already that no other one is.
    case backlogFull
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
    /// SHA-256 of the request's key, and of its method, path and body: kept with the attempt.
    package var keyHash: [UInt8]
    package var fingerprint: [UInt8]

    package init(
        id: PaymentID,
        order: OrderID,
        account: AccountID,
        method: String,
        owner: String,
        lease: Duration,
        now: Moment,
        attemptsMax: Int,
        keyHash: [UInt8],
        fingerprint: [UInt8]
    ) {
        self.keyHash = keyHash
        self.fingerprint = fingerprint
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
    /// This very request began it before.
    case replayed(Payment)
    /// The key belongs to another request.
    case keyReused
    /// Nothing is to be paid.
    case free
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
    /// It is being paid: the provider has to agree first.
    case requested
    case unknownOrder
    /// A payment runs or has run: it cannot be cancelled now.
    case notCancellable(OrderState)
}

/// What became of an order that costs nothing.
package enum FreeSale: Sendable, Equatable {
    case sold
    case unknownOrder
    case refused(OrderState)
}

/// A payment whose saga has work to do, leased to the caller.
package struct SagaWork: Sendable, Equatable {
    package var payment: Payment
    package var orderState: OrderState
    /// The buyer wants the order cancelled.
    package var isCancelRequested: Bool
    /// To be paid by then.
    package var deadline: Moment

    package init(
        payment: Payment,
        orderState: OrderState,
        isCancelRequested: Bool = false,
        deadline: Moment = Moment(milliseconds: .max / 2)
    ) {
        self.payment = payment
        self.orderState = orderState
        self.isCancelRequested = isCancelRequested
        self.deadline = deadline
    }
}

/// Sagas with work to do, and those of them somebody must look at.
package struct SagaCounts: Sendable, Equatable {
    package var open: Int
    package var stuck: Int

    package init(open: Int, stuck: Int) {
        self.open = open
        self.stuck = stuck
    }
}

/// Port to the truth about orders, payments and tickets. Every method is one transaction that moves states by
/// compare-and-set and writes its outbox rows; concurrent calls of one kind are combined.
package protocol OrderStore: Sendable {
    func create(_ order: NewOrder) async throws(StoreFailure) -> OrderCreation
    /// The stored answer of an idempotency key, when there is one: `replayed` or `keyReused`.
    func replay(scope: String, keyHash: [UInt8], fingerprint: [UInt8]) async throws(StoreFailure) -> OrderCreation?

    func order(_ id: OrderID) async throws(StoreFailure) -> Order?
    /// One text for each order that changes with anything its buyer can see.
    func stamps(of orders: [OrderID]) async throws(StoreFailure) -> [OrderID: String]
    /// Newest first; `before` is the id of the last order of the page before.
    func orders(of account: AccountID, before: OrderID?, limit: Int) async throws(StoreFailure) -> [Order]
    /// Tickets of an account, newest first.
    func tickets(of account: AccountID, before: TicketID?, limit: Int) async throws(StoreFailure) -> [Ticket]
    func payment(_ id: PaymentID) async throws(StoreFailure) -> Payment?
    /// The order a ticket belongs to.
    func order(of ticket: TicketID) async throws(StoreFailure) -> OrderID?

    func beginPayment(_ payment: NewPayment) async throws(StoreFailure) -> PaymentStart
    /// authorizing → unknown; the saga is looked at again after `retryAfter`.
    func recordNoAnswer(_ payment: PaymentID, retryAfter: Duration) async throws(StoreFailure)
    /// → requires_action; the saga is looked at again after `lookAfter`.
    func recordAction(_ payment: PaymentID, _ action: PaymentAction?, reference: String, lookAfter: Duration)
        async throws(StoreFailure)
    /// Payment → failed, order → pending with at least `retryWindow` left to pay, or → cancelled when that was asked
    /// for. An attempt that does not count leaves the buyer as many as before.
    func recordDeclined(_ payment: PaymentID, code: String, reference: String?, counts: Bool, retryWindow: Duration)
        async throws(StoreFailure)
    /// Claims → sold, tickets `pending`, order → confirmed, payment → capturing: all or nothing.
    func confirm(_ confirmation: Confirmation) async throws(StoreFailure) -> ConfirmOutcome
    /// Payment → captured, order → paid, tickets → valid. Harmless when repeated.
    func recordCaptured(_ payment: PaymentID, amount: Money) async throws(StoreFailure)
    /// Payment → failed, order → failed, tickets void, claims deleted, quota returned.
    func recordCaptureImpossible(_ payment: PaymentID, code: String) async throws(StoreFailure)
    /// Payment (not captured yet) → voiding with its reference. The order, when it is not final yet, → `then` with its
    /// claims deleted and quota returned: at once (`endsNow`), or when the void is done. The saga goes on with the void.
    func beginVoid(_ payment: PaymentID, reference: String, then: OrderState, endsNow: Bool)
        async throws(StoreFailure)
    /// Payment → voided, and the order that waited for it → what it was to become.
    func recordVoided(_ payment: PaymentID, retryWindow: Duration) async throws(StoreFailure)
    /// The provider holds money of an attempt that had ended, and its order can still use it: payment and order →
    /// authorized. With `reclaim` also an expired order whose seats are all free. `false` when the order cannot.
    func adopt(_ payment: PaymentID, reference: String, reclaim: Bool) async throws(StoreFailure) -> Bool
    /// The provider has money that no order can use: payment → stray. What was taken is refunded.
    func recordStray(_ payment: PaymentID, reference: String, captured: Money, retryWindow: Duration)
        async throws(StoreFailure)
    /// Somebody must look; looked at again after `delay`.
    func markStuck(_ payment: PaymentID, reason: String, delay: Duration) async throws(StoreFailure)
    /// Keeps the lease of a saga that is being worked on, or sets when to look again.
    func postpone(_ payment: PaymentID, by delay: Duration) async throws(StoreFailure)

    /// pending → paid for an order that costs nothing: claims sold, tickets valid.
    func sellFree(_ order: OrderID, to account: AccountID, tickets: [NewTicket], now: Moment)
        async throws(StoreFailure) -> FreeSale
    /// pending or processing → cancelled, claims deleted, quota returned. An order that is being paid is marked, and its saga woken.
    func cancel(_ order: OrderID, by account: AccountID) async throws(StoreFailure) -> Cancellation
    /// Ends pending orders past their deadline that have no live payment; how many.
    func expireDue(limit: Int) async throws(StoreFailure) -> Int

    /// Leases open sagas whose lease has lapsed or whose time has come.
    func leaseSagas(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [SagaWork]
    /// Leases one saga out of turn; `nil` when somebody works on it. Keeps the provider's id when it was not known.
    func leaseSaga(_ payment: PaymentID, reference: String?, owner: String, lease: Duration)
        async throws(StoreFailure) -> SagaWork?
    /// By the provider's id.
    func payment(withReference reference: String) async throws(StoreFailure) -> Payment?
    /// Staff want a saga tried anew; `false` when it is not open.
    func retrySaga(_ payment: PaymentID) async throws(StoreFailure) -> Bool
    /// Open sagas, for the backlog an operator sees. One is stuck when it says so, or is open for longer than that.
    func sagaCounts(stuckAfter: Duration) async throws(StoreFailure) -> SagaCounts

    /// What Redis has yet to show, oldest first.
    func unprojected(limit: Int) async throws(StoreFailure) -> [SeatProjection]
    func markProjected(_ positions: [Int64]) async throws(StoreFailure)
}
