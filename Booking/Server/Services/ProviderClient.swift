import AsyncHTTPClient
import ServiceLifecycle

/// Owns the HTTP client of the payment provider: closes its connections after everything that pays has stopped.
struct ProviderClient: Service {
    let client: HTTPClient

    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
