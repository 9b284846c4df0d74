// Reads the key set of the issuer of entry tickets, from a file or a URL, again and again; the last good one stays.
import Foundation
package import Logging
package import OutwardCalls
import QueueTokens
import ServiceLifecycle

package struct EntryKeysReader: Service {
    private let source: ChallengeSettings.Source?
    private let client: OutwardClient
    private let rooms: Rooms
    private let interval: Duration
    private let logger: Logger

    static let retry: Duration = .seconds(2)

    private struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    package init(
        source: ChallengeSettings.Source?,
        client: OutwardClient,
        rooms: Rooms,
        interval: Duration,
        logger: Logger
    ) {
        self.source = source
        self.client = client
        self.rooms = rooms
        self.interval = interval
        self.logger = logger
    }

    /// Without a source there is nothing to read, and nothing ends.
    package func run() async throws {
        guard let source else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            var isAway = false
            while !Task.isCancelled {
                var pause = interval
                do {
                    let keys = try IssuerKeys(jwks: try await document(source))
                    rooms.update { $0.entryKeys = keys }
                    isAway = false
                } catch {
                    pause = min(Self.retry, interval)
                    if !isAway { logger.warning("entry keys cannot be read", metadata: ["error": "\(error)"]) }
                    isAway = true
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func document(_ source: ChallengeSettings.Source) async throws -> [UInt8] {
        switch source {
        case .file(let path):
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw Fault(description: "\(path) is not there")
            }
            return Array(bytes)
        case .url(let url):
            let reply = try await client.get(url)
            guard reply.status == 200 else { throw Fault(description: "\(url) answers \(reply.status)") }
            return reply.body
        }
    }
}

/// Ends the connections to services outside when the gateway stops.
package struct OutwardCloser: Service {
    private let client: OutwardClient

    package init(_ client: OutwardClient) { self.client = client }

    package func run() async throws {
        try? await gracefulShutdown()
        try await client.shutDown()
    }
}
