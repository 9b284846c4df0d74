// A payment provider to develop and test against: strict, Stripe-shaped, with a ledger that survives it.

import Logging
import Operations

@main
struct MockPayments {
    static let drain = Duration.seconds(10)

    static func main() async throws {
        let configuration = Program.configure(
            name: "usher-mock-payments",
            purpose: "A payment provider that speaks a subset of Stripe's PaymentIntents API.",
            section: "payments",
            keys: MockPaymentsConfiguration.keys,
            make: MockPaymentsConfiguration.init
        )
        JSONLog.bootstrap(level: .info)
        Program.raiseDescriptorLimit()
        let logger = Logger(label: "payments")
        let provider: MockProvider
        do {
            provider = try MockProvider(configuration, logger: logger)
        } catch {
            Program.fail("usher-mock-payments", error)
        }
        try await Program.run([provider], drain: drain, logger: logger)
    }
}
