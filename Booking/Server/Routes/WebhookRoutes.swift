import Foundation
import Hummingbird
import Ordering
import Payments
import UsherAPI

/// What the provider tells without being asked: the signature is checked on the bytes as they came, the event is
/// remembered, and only then something is done about it.
struct WebhookRoutes {
    let verifier: WebhookVerifier
    let news: ProviderNews
    let clock: Clock

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
            try await answered { () async throws(StoreFailure) in try await news.receive(event, body: body) }
            return Response(status: .ok)
        }
    }

    /// Providers' ids are short and visible ASCII.
    private static func isPlain(_ id: String) -> Bool {
        (1...255).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
