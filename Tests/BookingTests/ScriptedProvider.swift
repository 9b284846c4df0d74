import Ordering
import Synchronization

/// A provider that answers from a script and remembers what it was asked.
final class ScriptedProvider: PaymentProvider {
    private let answers: Mutex<[ProviderAnswer]>
    private let asked = Mutex<[String]>([])

    init(_ answers: [ProviderAnswer]) {
        self.answers = Mutex(answers)
    }

    var calls: [String] { asked.withLock { $0 } }

    func authorize(_ payment: Payment) async -> ProviderAnswer { next("authorize \(payment.authorizeKey)") }
    func capture(_ payment: Payment) async -> ProviderAnswer { next("capture \(payment.captureKey)") }
    func void(_ payment: Payment) async -> ProviderAnswer { next("void \(payment.voidKey)") }
    func state(of payment: Payment) async -> ProviderAnswer { next("state \(payment.id)") }

    private func next(_ call: String) -> ProviderAnswer {
        asked.withLock { $0.append(call) }
        return answers.withLock { $0.isEmpty ? .unknown("the script is over") : $0.removeFirst() }
    }
}
