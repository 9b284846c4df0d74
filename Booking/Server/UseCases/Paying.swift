import Ordering
import UsherAPI

/// Starts a payment and drives its saga as far as it goes while the buyer waits.
struct Paying: Sendable {
    let orders: any OrderStore
    let saga: PaySaga
    let projector: SeatProjector
    let owner: String
    let lease: Duration
    let attemptsMax: Int
    let clock: Clock

    /// The longest name of a payment method.
    static let methodLengthMax = 100

    struct Call: Sendable {
        /// `nil` for an order that costs nothing.
        var method: String?
        var keyHash: [UInt8]
        var fingerprint: [UInt8]
    }

    struct Outcome: Sendable {
        /// The attempt this very request began, now or before.
        var payment: PaymentID?
        var isReplayed = false
    }

    func pay(_ order: OrderID, by account: AccountID, _ call: Call) async throws -> Outcome {
        let method = call.method ?? ""
        guard method.utf8.count <= Self.methodLengthMax, method.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Refusal(.validationFailed, "\"payment_method\" names a method of the provider")
        }
        let new = NewPayment(
            id: clock.makeID(),
            order: order,
            account: account,
            method: method,
            owner: owner,
            lease: lease,
            now: clock.now(),
            attemptsMax: attemptsMax,
            keyHash: call.keyHash,
            fingerprint: call.fingerprint
        )
        if method.isEmpty { return try await sellFree(order, to: account) }
        CrashPoint.before(.payment)
        let start = try await answered { () async throws(StoreFailure) in try await orders.beginPayment(new) }
        CrashPoint.after(.payment)
        switch start {
        case .started(let payment):
            await saga.drive(SagaWork(payment: payment, orderState: .authorizing))
            return Outcome(payment: payment.id)
        case .replayed(let payment):
            guard payment.state != .authorizing else {
                throw Refusal(.requestInProgress, "the same request is under way", retryAfter: 1)
            }
            return Outcome(payment: payment.id, isReplayed: true)
        case .keyReused: throw Refusal(.idempotencyKeyReused, "this Idempotency-Key belongs to another request")
        case .free: return try await sellFree(order, to: account)
        // Another request or the rescuer works on it, or it is done: the order tells.
        case .alreadyRunning: return Outcome()
        case .unknownOrder: throw Refusal(.notFound)
        case .deadlinePassed: throw Refusal(.orderExpired, "the time to pay has passed")
        case .attemptsExhausted: throw Refusal(.orderStateConflict, "no attempts are left for this order")
        case .notPayable(let state): return try refusal(state)
        }
    }

    private func refusal(_ state: OrderState) throws -> Outcome {
        switch state {
        case .paid, .confirmed, .authorized, .authorizing: return Outcome()
        case .expired: throw Refusal(.orderExpired, "the time to pay has passed")
        default: throw Refusal(.orderStateConflict, "the order is \(state.rawValue)")
        }
    }

    /// Nothing is to be paid: the order is paid at once, without the provider.
    private func sellFree(_ id: OrderID, to account: AccountID) async throws -> Outcome {
        guard let order = try await answered({ () async throws(StoreFailure) in try await orders.order(id) }),
            order.account == account
        else { throw Refusal(.notFound) }
        guard order.total.amountMinor == 0 else {
            throw Refusal(.validationFailed, "member \"payment_method\" is missing")
        }
        let tickets = order.items.map { _ in NewTicket(id: clock.makeID(), number: TicketNumber.random()) }
        CrashPoint.before(.free)
        let sale = try await answered { () async throws(StoreFailure) in
            try await orders.sellFree(id, to: account, tickets: tickets, now: clock.now())
        }
        CrashPoint.after(.free)
        projector.kick()
        switch sale {
        case .sold: return Outcome()
        case .unknownOrder: throw Refusal(.notFound)
        case .refused(.pending): throw Refusal(.orderExpired, "the time to pay has passed")
        case .refused(let state): return try refusal(state)
        }
    }

    /// The payment when it belongs to an order of the account.
    func payment(_ id: PaymentID, of account: AccountID) async throws -> Payment? {
        guard let payment = try await answered({ () async throws(StoreFailure) in try await orders.payment(id) }),
            let order = try await answered({ () async throws(StoreFailure) in try await orders.order(payment.order) }),
            order.account == account
        else { return nil }
        return payment
    }
}
