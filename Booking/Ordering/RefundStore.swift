/// A refund whose saga has work to do, leased to the caller.
package struct RefundDetails: Sendable, Equatable {
    package var refund: Refund
    package var session: SessionID
    package var account: AccountID

    package init(refund: Refund, session: SessionID, account: AccountID) {
        self.refund = refund
        self.session = session
        self.account = account
    }
}

package enum RefundRequest: Sendable, Equatable {
    case begun
    /// The same request did it before.
    case alreadyBegun
    /// Order, tickets or payment have changed meanwhile.
    case refused
}

/// How far calling a session off has come.
package struct CancellationProgress: Sendable, Equatable {
    package var reason: String
    package var requestedAt: Moment
    package var finishedAt: Moment?
    package var ordersTotal: Int
    /// Orders that still have seats.
    package var ordersWaiting: Int
    /// Orders among them whose refund failed: somebody must look.
    package var ordersFailed: Int

    package init(
        reason: String,
        requestedAt: Moment,
        finishedAt: Moment?,
        ordersTotal: Int,
        ordersWaiting: Int,
        ordersFailed: Int
    ) {
        self.reason = reason
        self.requestedAt = requestedAt
        self.finishedAt = finishedAt
        self.ordersTotal = ordersTotal
        self.ordersWaiting = ordersWaiting
        self.ordersFailed = ordersFailed
    }
}

/// An order of a session that is called off.
package struct CalledOffOrder: Sendable, Equatable {
    package var order: OrderID
    package var account: AccountID
    package var state: OrderState
    package var seat: SeatNumber

    package init(order: OrderID, account: AccountID, state: OrderState, seat: SeatNumber) {
        self.order = order
        self.account = account
        self.state = state
        self.seat = seat
    }
}

/// Port to the truth about refunds and disputes. Every change is one transaction under the lock of the order.
package protocol RefundStore: Sendable {
    func refund(_ id: RefundID) async throws(StoreFailure) -> RefundDetails?
    func refund(withReference reference: String) async throws(StoreFailure) -> RefundDetails?
    /// Writes the refund down, its tickets → refund_pending unless it waits for somebody to agree.
    func request(_ refund: Refund, isForced: Bool, by account: AccountID?, owner: String, lease: Duration)
        async throws(StoreFailure) -> RefundRequest
    /// requested → submitting (somebody agrees), or failed → submitting with a new key. `false` when it cannot.
    func submit(_ refund: RefundID, from state: RefundState, owner: String, lease: Duration)
        async throws(StoreFailure) -> Bool
    func reject(_ refund: RefundID, note: String) async throws(StoreFailure) -> Bool
    /// failed → settled_manually: the money went back by other ways.
    func settle(_ refund: RefundID, note: String) async throws(StoreFailure) -> Bool
    func recordAccepted(_ refund: RefundID, reference: String?, lookAfter: Duration) async throws(StoreFailure)
    /// Its tickets void, their seats free or blocked, its order (partially) refunded.
    func recordSucceeded(_ refund: RefundID, reference: String?) async throws(StoreFailure)
    /// Its tickets are what they were.
    func recordFailed(_ refund: RefundID, code: String, reference: String?) async throws(StoreFailure)
    func postpone(_ refund: RefundID, by delay: Duration, stuck: String?) async throws(StoreFailure)
    func lease(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [RefundDetails]
    /// Those somebody has to decide on, newest first.
    func waiting(before: RefundID?, limit: Int) async throws(StoreFailure) -> [RefundDetails]
    /// Staff want it looked at at once.
    func wake(_ refund: RefundID) async throws(StoreFailure) -> Bool
    /// A refund the provider tells of and nobody here asked for.
    func recordExternal(_ id: RefundID, _ refund: ProviderRefund, of payment: Payment) async throws(StoreFailure)
    /// Opened: tickets suspended, no refunds. Won: as before. Lost: tickets void, order charged back.
    func recordDispute(_ dispute: ProviderDispute, of payment: Payment) async throws(StoreFailure)
}

/// Port to sessions that are called off.
package protocol CancellationStore: Sendable {
    /// The session → cancelled, and the job begun; harmless when repeated. `false` when the session has ended or is none.
    func callOff(_ session: SessionID, reason: String, by account: AccountID) async throws(StoreFailure) -> Bool
    func progress(of session: SessionID) async throws(StoreFailure) -> CancellationProgress?
    /// Sessions whose job is not done, with its reason.
    func openJobs() async throws(StoreFailure) -> [(session: SessionID, reason: String)]
    /// The next seats that orders have, by seat; an order may come more than once.
    func orders(of session: SessionID, after seat: SeatNumber?, limit: Int)
        async throws(StoreFailure) -> [CalledOffOrder]
    /// Ends the job when no order has a seat any more.
    func finish(_ session: SessionID) async throws(StoreFailure) -> Bool
}

/// What a caller with an `Idempotency-Key` finds.
package enum KeyedCall: Sendable, Equatable {
    /// It is the first, or the first was left undone.
    case begun
    case replayed(status: Int, body: [UInt8])
    case keyReused
    case running
}

/// Port to the answers kept for repeats, and to what the provider told unasked.
package protocol KeptAnswers: Sendable {
    func begin(scope: String, keyHash: [UInt8], fingerprint: [UInt8], lease: Duration)
        async throws(StoreFailure) -> KeyedCall
    func finish(scope: String, keyHash: [UInt8], status: Int, body: [UInt8]) async throws(StoreFailure)
    /// Keeps an answer that was found without taking the key first.
    func keep(scope: String, keyHash: [UInt8], fingerprint: [UInt8], status: Int, body: [UInt8])
        async throws(StoreFailure)
    /// The call came to nothing that is worth keeping.
    func abandon(scope: String, keyHash: [UInt8]) async throws(StoreFailure)
}

package protocol ProviderEventStore: Sendable {
    /// Remembers an event; `false` when it was there already.
    func receive(_ id: String, body: [UInt8]) async throws(StoreFailure) -> Bool
    func markHandled(_ id: String) async throws(StoreFailure)
    /// Events that were not finished with; `isOver` when it has been tried for long enough.
    func due(limit: Int) async throws(StoreFailure) -> [(id: String, body: [UInt8], isOver: Bool)]
}
