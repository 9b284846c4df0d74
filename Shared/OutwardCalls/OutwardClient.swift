// Calls to services that are not Usher's, such as a captcha provider or an issuer's key set: https or http, bounded in
// time, size and number.
import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import Synchronization

package final class OutwardClient: Sendable {
    package static let bodyBytesMax = 65_536
    package static let connectionsMax = 128

    package struct Reply: Sendable {
        package var status: Int
        package var body: [UInt8]
    }

    private enum State {
        /// Nothing was sent yet: most gateways never do.
        case unused
        case open(HTTPClient)
        case shutDown
    }

    private let group: any EventLoopGroup
    private let deadline: TimeAmount
    private let state = Mutex(State.unused)

    package init(group: any EventLoopGroup, deadline: Duration = .seconds(4)) {
        self.group = group
        self.deadline = TimeAmount(deadline)
    }

    private func client() throws -> HTTPClient {
        try state.withLock { state in
            switch state {
            case .open(let client): return client
            case .shutDown: throw HTTPClientError.alreadyShutdown
            case .unused:
                var configuration = HTTPClient.Configuration()
                configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionsMax
                configuration.redirectConfiguration = .disallow
                let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
                state = .open(client)
                return client
            }
        }
    }

    package func get(_ url: String) async throws -> Reply {
        try await send(HTTPClientRequest(url: url))
    }

    /// The form is `application/x-www-form-urlencoded` already.
    package func post(_ url: String, form: String) async throws -> Reply {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form))
        return try await send(request)
    }

    private func send(_ request: HTTPClientRequest) async throws -> Reply {
        var request = request
        request.headers.add(name: "Accept", value: "application/json")
        let reply = try await client().execute(request, timeout: deadline)
        let body = try await reply.body.collect(upTo: Self.bodyBytesMax)
        return Reply(status: Int(reply.status.code), body: Array(body.readableBytesView))
    }

    package func shutDown() async throws {
        let used = state.withLock { state -> HTTPClient? in
            defer { state = .shutDown }
            if case .open(let client) = state { return client }
            return nil
        }
        try await used?.shutdown()
    }
}
