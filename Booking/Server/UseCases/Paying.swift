import Ordering
import UsherAPI

/// Starts a payment and drives its saga as far as it goes while the buyer waits.
struct Paying: Sendable {
    let orders: any OrderStore
    let saga: PaySaga
    let owner: String
    let lease: Duration
    let attemptsMax: Int
    let clock: Clock

    /// The longest name of a payment method.
    static let methodLengthMax = 100

    func pay(_ order: OrderID, by account: AccountID, with method: String) async throws {
        guard (1...Self.methodLengthMax).contains(method.utf8.count),
            method.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
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
            attemptsMax: attemptsMax
        )
        CrashPoint.reach("payment.before")
        let start = try await answered { () async throws(StoreFailure) in try await orders.beginPayment(new) }
        CrashPoint.reach("payment.after")
        switch start {
        case .started(let payment): await saga.drive(SagaWork(payment: payment, orderState: .authorizing))
        // Another request or the rescuer works on it, or it is done: the order tells.
        case .alreadyRunning: return
        case .unknownOrder: throw Refusal(.notFound)
        case .deadlinePassed: throw Refusal(.orderExpired, "the time to pay has passed")
        case .attemptsExhausted: throw Refusal(.orderStateConflict, "no attempts are left for this order")
        case .notPayable(.paid), .notPayable(.confirmed): return
        case .notPayable(let state) where state == .expired: throw Refusal(.orderExpired, "the time to pay has passed")
        case .notPayable(let state): throw Refusal(.orderStateConflict, "the order is \(state.rawValue)")
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
