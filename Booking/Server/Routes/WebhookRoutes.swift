import Foundation
import Hummingbird
import Logging
import Ordering
import Payments
import UsherAPI

/// What the provider tells without being asked. The event is remembered first and answered with 200; a saga that waits
/// for just this news is looked at again at once, all others learn it from their own calls.
struct WebhookRoutes {
    let verifier: WebhookVerifier
    let orders: any OrderStore
    let rules: PaymentSaga
    let clock: Clock
    let logger: Logger

    private static let source = "payment-provider"

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("webhooks/psp/stripe") { request, _ in
            let body = try await request.bytes()
            let event: ProviderEvent
            do throws(WebhookFlaw) {
                event = try verifier.event(
                    in: body,
                    signature: request.headers[.stripeSignature] ?? "",
                    at: clock.now()
                )
            } catch {
                throw Refusal(.badRequest, "webhook refused: \(error)")
            }
            guard Self.isPlain(event.id) else { throw Refusal(.badRequest, "webhook refused: its id is not plain") }
            let isNew = try await answered { () async throws(StoreFailure) in
                try await orders.receive(source: Self.source, event: event.id)
            }
            if isNew { try await look(at: event) }
            return Response(status: .ok)
        }
    }

    /// Providers' ids are short and visible ASCII.
    private static func isPlain(_ id: String) -> Bool {
        (1...255).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private func look(at event: ProviderEvent) async throws {
        guard let state = event.state, let id = state.payment,
            let payment = try await answered({ () async throws(StoreFailure) in try await orders.payment(id) })
        else { return }
        if payment.state == .unknown {
            try await answered { () async throws(StoreFailure) in try await orders.postpone(id, by: .zero) }
        }
        guard payment.state == .failed || payment.state == .voided else { return }
        let step = rules.observed(state, payment: payment, order: .expired, at: clock.now())
        if case .stuck(let reason, _) = step {
            logger.error("payment anomaly", metadata: ["payment.id": "\(id)", "reason": "\(reason)"])
        }
    }
}
