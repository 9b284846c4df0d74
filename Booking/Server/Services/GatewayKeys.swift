import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import QueueTokens
import ServiceLifecycle
import UsherAPI

/// Reads the gateway's public keys at start and then every few minutes, and keeps the last good ones.
struct GatewayKeys: Service {
    let url: String
    let passes: PassCheck
    let interval: Duration
    let logger: Logger

    /// Until the first success, and after a failure.
    private static let retryInterval = Duration.seconds(1)
    private static let timeout = TimeAmount.seconds(2)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let isRead = await read()
                guard await Pause.isOver(after: isRead ? interval : Self.retryInterval) else { return }
            }
        }
    }

    private func read() async -> Bool {
        do {
            let request = HTTPClientRequest(url: url + Path.jwks)
            let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: JWKS.bytesMax)
            guard response.status.code == 200 else { return false }
            passes.use(try JWKS.decode(body.readableBytesView))
            return true
        } catch {
            // The gateway may start after this service: only the loss of known keys is worth a word.
            logger.debug("gateway keys not read", metadata: ["error": "\(error)"])
            return false
        }
    }
}
