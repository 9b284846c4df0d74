import Ordering
import Synchronization

/// A provider that answers from a script and remembers what it was asked.
final class ScriptedProvider: PaymentProvider {
    private let answers: Mutex<[ProviderAnswer]>
    private let refundAnswers = Mutex<[RefundAnswer]>([])
    private let asked = Mutex<[String]>([])

    init(_ answers: [ProviderAnswer]) {
        self.answers = Mutex(answers)
    }

    var calls: [String] { asked.withLock { $0 } }

    func authorize(_ payment: Payment) async -> ProviderAnswer { next("authorize \(payment.authorizeKey)") }
    func capture(_ payment: Payment) async -> ProviderAnswer { next("capture \(payment.captureKey)") }
    func void(_ payment: Payment) async -> ProviderAnswer { next("void \(payment.voidKey)") }
    func state(of payment: Payment) async -> ProviderAnswer { next("state \(payment.id)") }

    /// What is answered to refunds and looks at them.
    func script(_ answers: [RefundAnswer]) { refundAnswers.withLock { $0 = answers } }
    func refund(_ refund: Refund) async -> RefundAnswer { nextRefund("refund \(refund.key)") }
    func state(of refund: Refund) async -> RefundAnswer { nextRefund("look \(refund.id)") }

    private func nextRefund(_ call: String) -> RefundAnswer {
        asked.withLock { $0.append(call) }
        return refundAnswers.withLock { $0.isEmpty ? .unknown("the script is over") : $0.removeFirst() }
    }

    private func next(_ call: String) -> ProviderAnswer {
        asked.withLock { $0.append(call) }
        return answers.withLock { $0.isEmpty ? .unknown("the script is over") : $0.removeFirst() }
    }
}
