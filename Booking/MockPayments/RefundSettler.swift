// The banks' last word on refunds, some time after they began.

import Logging
import PaymentLedger
import ServiceLifecycle

struct RefundSettler: Service {
    static let interval = Duration.milliseconds(200)

    let desk: PaymentDesk
    let delay: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for command in desk.dueRefunds(after: delay) {
                    do {
                        _ = try await desk.perform(command, keyed: nil)
                    } catch {
                        logger.warning("refund not settled", metadata: ["error": "\(error)"])
                    }
                }
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
    }
}
