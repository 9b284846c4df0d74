import Ordering
import UsherAPI

/// A buyer wants out: an unpaid order ends, one that is being paid ends when the provider agrees, a paid one is refunded.
struct Cancelling: Sendable {
    let orders: any OrderStore
    let saga: PaySaga
    let refunding: Refunding
    let projector: SeatProjector

    /// - Returns: the order as it is then.
    func cancel(_ id: OrderID, by account: AccountID, key: String) async throws -> Order {
        CrashPoint.before(.cancel)
        let outcome = try await answered { () async throws(StoreFailure) in try await orders.cancel(id, by: account) }
        CrashPoint.after(.cancel)
        switch outcome {
        case .cancelled, .alreadyCancelled: projector.kick()
        case .unknownOrder: throw Refusal(.notFound)
        case .requested:
            let payment = try await order(id).payment
            if let payment, payment.state.isOpen {
                try await answered { () async throws(StoreFailure) in
                    try await saga.look(at: payment.id, reference: nil)
                }
            }
        case .notCancellable(let state) where state.isSold:
            let wish = RefundWish(reason: "cancelled by the buyer")
            let refund = Refunding.id(for: account, order: id, key: key)
            _ = try await refunding.request(wish, of: try await order(id), as: refund, kind: .buyer, by: account)
        case .notCancellable(let state):
            throw Refusal(.orderStateConflict, "the order is \(state.rawValue) and cannot be cancelled now")
        }
        return try await order(id)
    }

    private func order(_ id: OrderID) async throws -> Order {
        guard let found = try await answered({ () async throws(StoreFailure) in try await orders.order(id) }) else {
            throw Refusal(.notFound)
        }
        return found
    }
}
