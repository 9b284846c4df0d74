// A provider to test against, a client for it, and a listener for its events.
import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Ordering
import PaymentLedger
import Payments
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import MockPayments

let quiet: Logger = {
    var logger = Logger(label: "test.payments")
    logger.logLevel = .critical
    return logger
}()

func makePayment(
    _ method: String = "pm_card_visa",
    amount: Int64 = 5000,
    currency: String = "EUR",
    reference: String? = nil
) -> Payment {
    var random = SystemRandomNumberGenerator()
    return Payment(
        id: PaymentID(high: random.next(), low: random.next()),
        order: OrderID(high: 1, low: 2),
        session: SessionID(high: 3, low: 4),
        attempt: 1,
        state: .authorizing,
        amount: Money(amount, currency),
        method: method,
        reference: reference,
        declineCode: nil,
        startedAt: Moment(milliseconds: 0)
    )
}

/// A folder of its own, removed afterwards.
func withFolder<Outcome>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> Outcome
) async throws -> Outcome {
    let folder = "/tmp/usher-payments-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// A running provider and what is needed to talk to it.
struct RunningProvider: Sendable {
    let baseURL: String
    let secretKey: String
    let webhookSecret: String
    let client: HTTPClient

    var booking: StripeProvider {
        StripeProvider(.init(baseURL: baseURL, secretKey: secretKey), client: client, logger: quiet)
    }

    func booking(timeout: Duration) -> StripeProvider {
        StripeProvider(
            .init(baseURL: baseURL, secretKey: secretKey, authorizeTimeout: timeout, callTimeout: timeout),
            client: client,
            logger: quiet
        )
    }

    struct Reply {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]
        let body: [String: Any]

        /// A member of the error object.
        func error(_ member: String) -> String? { (body["error"] as? [String: Any])?[member] as? String }
        var id: String { body["id"] as? String ?? "" }
        var stateName: String? { body["status"] as? String }
    }

    /// Sends a form as it is written here.
    func send(
        _ method: HTTPMethod = .POST,
        _ path: String,
        _ form: String = "",
        key: String? = nil,
        authorization: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = method
        let authorization = authorization ?? "Bearer \(secretKey)"
        if !authorization.isEmpty { request.headers.add(name: "Authorization", value: authorization) }
        if let key { request.headers.add(name: "Idempotency-Key", value: key) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if method == .POST { request.body = .bytes(ByteBuffer(string: form)) }
        let response = try await client.execute(request, timeout: .seconds(30))
        let bytes = Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        let body = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
        return Reply(status: Int(response.status.code), headers: response.headers, bytes: bytes, body: body)
    }
}

func withHTTPClient<Outcome: Sendable>(_ body: (HTTPClient) async throws -> Outcome) async throws -> Outcome {
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: StripeProvider.clientConfiguration)
    do {
        let outcome = try await body(client)
        try await client.shutdown()
        return outcome
    } catch {
        try? await client.shutdown()
        throw error
    }
}

/// Runs a provider with its files in `folder` and stops it after `body`.
func withProvider<Outcome: Sendable>(
    in folder: String,
    webhookURL: String? = nil,
    latency: Duration = .zero,
    patience: WebhookPatience = WebhookPatience(firstPause: .milliseconds(10), longestPause: .milliseconds(100)),
    _ body: @escaping @Sendable (RunningProvider) async throws -> Outcome
) async throws -> Outcome {
    var configuration = MockPaymentsConfiguration(folder: folder, webhookURL: webhookURL, latency: latency)
    configuration.patience = patience
    let provider = try MockProvider(configuration, logger: quiet)
    let (ports, port) = AsyncStream<Int>.makeStream()
    let services = ServiceGroup(
        configuration: .init(
            services: [ListeningProvider(provider: provider, onListening: { port.yield($0) })],
            logger: quiet
        )
    )
    return try await withHTTPClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
            let running = RunningProvider(
                baseURL: "http://127.0.0.1:\(port)",
                secretKey: provider.secretKey,
                webhookSecret: provider.webhookSecret,
                client: client
            )
            let outcome: Outcome
            do {
                outcome = try await body(running)
            } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return outcome
        }
    }
}

private struct ListeningProvider: Service {
    let provider: MockProvider
    let onListening: @Sendable (Int) -> Void
    func run() async throws { try await provider.run(onListening: onListening) }
}

/// Takes events and answers as it is told.
final class Listener: Sendable {
    struct Delivery: Sendable {
        let signature: String
        let body: [UInt8]
        let id: String
        let type: String
    }

    private let state = Mutex<(deliveries: [Delivery], status: Int)>(([], 200))
    let url: String

    private init(port: Int) { url = "http://127.0.0.1:\(port)/events" }

    var deliveries: [Delivery] { state.withLock { $0.deliveries } }
    func answer(with status: Int) { state.withLock { $0.status = status } }

    func take(_ delivery: Delivery) -> Int {
        state.withLock { state in
            state.deliveries.append(delivery)
            return state.status
        }
    }

    static func with<Outcome: Sendable>(
        _ body: @escaping @Sendable (Listener) async throws -> Outcome
    ) async throws -> Outcome {
        let slot = Mutex<Listener?>(nil)
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                let bytes = Array(try await request.body.collect(upTo: 1 << 20).readableBytesView)
                let json = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
                let delivery = Delivery(
                    signature: HTTPField.Name("Stripe-Signature").flatMap { request.headers[$0] } ?? "",
                    body: bytes,
                    id: json?["id"] as? String ?? "",
                    type: json?["type"] as? String ?? ""
                )
                let status = slot.withLock { $0 }?.take(delivery) ?? 500
                return Response(status: .init(code: status))
            },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) },
            logger: quiet
        )
        let services = ServiceGroup(configuration: .init(services: [server], logger: quiet))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
            let listener = Listener(port: port)
            slot.withLock { $0 = listener }
            let outcome: Outcome
            do {
                outcome = try await body(listener)
            } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return outcome
        }
    }
}
