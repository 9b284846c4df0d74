import Ordering
import Synchronization

/// Payments whose saga this process carries on at the moment: what the provider tells of them is what it answers in the
/// same instant. There are as many as requests and rescued sagas under way.
final class DrivenPayments: Sendable {
    private let payments = Mutex<Set<PaymentID>>([])

    func add(_ payment: PaymentID) { payments.withLock { _ = $0.insert(payment) } }
    func remove(_ payment: PaymentID) { payments.withLock { _ = $0.remove(payment) } }
    func contains(_ payment: PaymentID) -> Bool { payments.withLock { $0.contains(payment) } }
}
