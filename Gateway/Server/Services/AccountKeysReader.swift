// Reads the keys that booking signs account tokens with.
package import Logging
import QueueTokens
import ServiceLifecycle
import UsherAPI

/// Reads booking's keys at start and every five minutes; the last good ones stay.
package struct AccountKeysReader: Service {
    private let fetch: PlainFetch
    private let addresses: [ServiceAddress]
    private let rooms: Rooms
    private let interval: Duration
    private let logger: Logger

    static let retry: Duration = .seconds(2)

    package init(fetch: PlainFetch, addresses: [ServiceAddress], rooms: Rooms, interval: Duration, logger: Logger) {
        self.fetch = fetch
        self.addresses = addresses
        self.rooms = rooms
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var isAway = false
            while !Task.isCancelled {
                var pause = interval
                do {
                    let bytes = try await fetch.get(anyOf: addresses, Path.jwks)
                    let keys = try JWKS.decode(bytes)
                    rooms.update { $0.accountKeys = keys }
                    isAway = false
                } catch {
                    pause = Self.retry
                    if !isAway { logger.warning("account keys cannot be read", metadata: ["error": "\(error)"]) }
                    isAway = true
                }
                try? await Task.sleep(for: pause)
            }
        }
    }
}
