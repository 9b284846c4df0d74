// A payment provider to develop and test against: strict, Stripe-shaped, with a ledger that survives it.

import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import Serving

@main
struct MockPayments {
    static let name = "usher-mock-payments"
    static let drain = Duration.seconds(10)

    static func main() async throws {
        let configuration = Program.configure(
            name: name,
            purpose: "A payment provider that speaks a subset of Stripe's PaymentIntents API.",
            section: "payments",
            keys: MockPaymentsConfiguration.keys,
            make: MockPaymentsConfiguration.init
        )
        JSONLog.bootstrap(level: .info)
        Program.raiseDescriptorLimit()
        FreedMemory.keep()
        if configuration.eventLoops > 0 { NIOSingletons.groupLoopCountSuggestion = configuration.eventLoops }
        let logger = Logger(label: "payments")
        do {
            let provider = try MockProvider(configuration, logger: logger)
            // All of it on the event loops: beside them no pool of threads works.
            let executor = LoopExecutor(MultiThreadedEventLoopGroup.singleton.next())
            try await withTaskExecutorPreference(executor) {
                try await Program.run([provider], drain: drain, logger: logger)
            }
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            Program.fail(name, StartFault.addressInUse(address: configuration.address, port: configuration.port))
        } catch {
            Program.fail(name, error)
        }
    }
}
