// Puts the provider together: ledger, desk, routes, webhooks.

import AsyncHTTPClient
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Operations
import PaymentLedger
import ServiceLifecycle
import Serving
import Synchronization

struct MockProvider: Service {
    static let connectionsMax = 2048

    let secretKey: String
    let webhookSecret: String
    private let configuration: MockPaymentsConfiguration
    private let desk: PaymentDesk
    private let log: LedgerLog
    private let queue = WebhookQueue()
    private let faults = FaultPlan()
    private let disorder = Disorder()
    private let logger: Logger

    /// Reads the ledger and the secrets; throws when they cannot be used.
    init(_ configuration: MockPaymentsConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        secretKey = try SecretFile.read(path: configuration.secretKeyFile, prefix: "sk_test_")
        webhookSecret = try SecretFile.read(path: configuration.webhookSecretFile, prefix: "whsec_")
        let (log, file) = try LedgerLog.open(path: configuration.ledger)
        self.log = log
        if file.tornBytes > 0 {
            logger.warning("torn last line cut off the ledger", metadata: ["ledger.bytes": "\(file.tornBytes)"])
        }
        let queue = queue
        let tell: @Sendable (PaymentEvent) -> Void = { queue.add($0) }
        desk = PaymentDesk(
            ledger: file.ledger,
            log: log,
            latency: configuration.latency,
            announce: configuration.webhookURL == nil ? nil : tell
        )
        logger.notice("ledger read", metadata: ["ledger.payments": "\(file.ledger.intents.count)"])
    }

    func run() async throws {
        try await run { port in logger.notice("listening", metadata: ["server.port": "\(port)"]) }
    }

    /// `onListening` is told the port once connections are accepted.
    func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        defer { log.release() }
        let metrics = PaymentMetrics(MetricsRegistry())
        let routes = PaymentRoutes(
            desk: desk,
            faults: faults,
            disorder: disorder,
            secretKey: secretKey,
            pages: OperationsPages(metrics: metrics.registry, checks: [("ledger", { log.failure?.description })]),
            metrics: metrics,
            logger: logger
        )
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let server = Application(
            responder: routes,
            server: .http1(boundTo: MultiThreadedEventLoopGroup.singleton),
            configuration: .init(
                address: .hostname(configuration.address, port: configuration.port),
                serverName: "usher-mock-payments",
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                StripeJSON.publicURL.withLock {
                    $0 = configuration.publicURL ?? "http://\(configuration.address):\(port)"
                }
                onListening(port)
            },
            logger: quiet
        )
        var clientConfiguration = HTTPClient.Configuration()
        clientConfiguration.redirectConfiguration = .disallow
        clientConfiguration.http1_1ConnectionDebugInitializer = { WholeRequests.add(to: $0) }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: clientConfiguration)
        do {
            try await run(server, client: client, metrics: metrics, logger: quiet)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private func run(
        _ server: some Service,
        client: HTTPClient,
        metrics: PaymentMetrics,
        logger: Logger
    ) async throws {
        var services: [any Service] = [
            LedgerWatch(log: log), server,
            RefundSettler(desk: desk, delay: configuration.refundDelay, logger: self.logger),
        ]
        if let url = configuration.webhookURL {
            for event in desk.openEvents { queue.add(event) }
            services.append(
                WebhookSender(
                    target: WebhookTarget(url: url, secret: webhookSecret),
                    patience: configuration.patience,
                    disorder: disorder,
                    queue: queue,
                    desk: desk,
                    client: client,
                    metrics: metrics,
                    logger: self.logger
                )
            )
        }
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
    }
}

/// Ends the process when the ledger cannot be written any more: after the next start the file is the truth.
struct LedgerWatch: Service {
    let log: LedgerLog

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            for await failure in log.failures { throw failure }
        }
    }
}
