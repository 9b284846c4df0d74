import Hummingbird
import UsherAPI

/// Until the catalogue has been read once nothing is known, and “not found” would be a lie: 503 with `Retry-After`.
struct WarmUp: RouterMiddleware {
    typealias Context = BookingContext

    let catalogue: CatalogueCache

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard catalogue.isLoaded || request.uri.path.hasPrefix("/.well-known/") else {
            throw Refusal(.storeUnavailable, "booking has just started and reads its catalogue; try again")
        }
        return try await next(request, context)
    }
}
