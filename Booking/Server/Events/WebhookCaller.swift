// One HTTP client for one endpoint, bound to the address its name led to: what was checked is what is called.

import AsyncHTTPClient
import BookingDatabase
import Events
import NIOCore
import NIOHTTP1
import NIOPosix
import Ordering

struct WebhookCaller: Sendable {
    enum Refusal: Error, CustomStringConvertible {
        case notPublic(String)
        case unknownHost(String)

        var description: String {
            switch self {
            case .notPublic(let address): "\(address) is not a public address"
            case .unknownHost(let host): "\(host) has no address"
            }
        }
    }

    static let connectionsMax = 8
    static let answerBytesMax = 64 * 1024
    private static let connectTimeout = TimeAmount.seconds(5)

    let endpoint: WebhookEndpoint
    private let client: HTTPClient
    private let timeout: Duration

    /// Looks the endpoint's name up; refuses addresses that are not public unless they are allowed.
    init(_ endpoint: WebhookEndpoint, configuration: EventConfiguration) async throws {
        let target = try WebhookTarget(endpoint.url, allowsPrivate: configuration.allowsPrivateTargets)
        let address = try await Self.address(of: target)
        guard let text = address.ipAddress else { throw Refusal.unknownHost(target.host) }
        guard configuration.allowsPrivateTargets || PublicAddress.isPublic(PublicAddress.bytes(of: text)) else {
            throw Refusal.notPublic(text)
        }
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.timeout.connect = Self.connectTimeout
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionsMax
        if text != target.host { settings.dnsOverride = [target.host: text] }
        client = HTTPClient(
            eventLoopGroupProvider: .shared(.singletonMultiThreadedEventLoopGroup),
            configuration: settings
        )
        self.endpoint = endpoint
        timeout = configuration.webhookTimeout
    }

    func close() async { try? await client.shutdown() }

    /// - Returns: the status of the answer.
    func send(_ delivery: WebhookDelivery, at now: Moment) async throws -> Int {
        let body = Array(delivery.body.utf8)
        var request = HTTPClientRequest(url: endpoint.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: PublishedEvent.contentType)
        request.headers.add(name: "User-Agent", value: "Usher/1")
        request.headers.add(name: "Usher-Delivery", value: "\(delivery.id)")
        request.headers.add(name: "Usher-Attempt", value: "\(delivery.attempts)")
        request.headers.add(
            name: WebhookSignature.headerName,
            value: WebhookSignature.header(
                for: body,
                secrets: endpoint.liveSecrets(at: now),
                at: now.milliseconds / 1000
            )
        )
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await client.execute(request, timeout: TimeAmount(timeout))
        // The answer's body is of no interest, but the connection is only free again after it.
        _ = try? await response.body.collect(upTo: Self.answerBytesMax)
        return Int(response.status.code)
    }

    private static func address(of target: WebhookTarget) async throws -> SocketAddress {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(target.host, port: target.port)
            }
        } catch {
            throw Refusal.unknownHost(target.host)
        }
    }
}
