import BookingDatabase
import Events
import Logging
import Operations
import Ordering
import ServiceLifecycle
import Synchronization

/// Sends what is due to the endpoints: each endpoint in rounds of its own, so that a slow one holds up nobody else.
struct WebhookSender: Service {
    static let claimMax = 32
    /// As many rounds as endpoints may exist: none waits for another.
    static let roundsMax = WebhookEndpoint.countMax
    private static let errorBytesMax = 300

    let webhooks: WebhookDatabase
    let configuration: EventConfiguration
    let clock: Clock
    let metrics: EventMetrics
    let logger: Logger
    private let underWay = EndpointsUnderWay()

    init(
        webhooks: WebhookDatabase,
        configuration: EventConfiguration,
        clock: Clock,
        metrics: EventMetrics,
        logger: Logger
    ) {
        self.webhooks = webhooks
        self.configuration = configuration
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for endpoint in await due() where underWay.begin(endpoint.id) {
                        group.addTask {
                            await round(for: endpoint)
                            underWay.end(endpoint.id)
                        }
                    }
                    guard await Pause.isOver(after: configuration.interval * 2) else { return }
                }
            }
        }
    }

    private func due() async -> [WebhookEndpoint] {
        do throws(StoreFailure) {
            return try await webhooks.dueEndpoints()
        } catch {
            logger.debug("webhooks not read", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Sends what is due to one endpoint until nothing is.
    func round(for endpoint: WebhookEndpoint) async {
        let caller: Result<WebhookCaller, any Error>
        do {
            caller = .success(try await WebhookCaller(endpoint, configuration: configuration))
        } catch {
            caller = .failure(error)
        }
        do throws(StoreFailure) {
            try await sendAll(to: endpoint, through: caller)
        } catch {
            logger.warning("webhooks not sent", metadata: ["endpoint.id": "\(endpoint.id)", "error": "\(error)"])
        }
        if case .success(let caller) = caller { await caller.close() }
    }

    private func sendAll(
        to endpoint: WebhookEndpoint,
        through caller: Result<WebhookCaller, any Error>
    ) async throws(StoreFailure) {
        // Nobody else takes what is claimed before every call must have ended.
        let lease = configuration.webhookTimeout * (Self.claimMax / WebhookCaller.connectionsMax + 2)
        var claimed: [WebhookDelivery] = []
        repeat {
            claimed = try await webhooks.claim(for: endpoint.id, limit: Self.claimMax, lease: lease)
            guard !claimed.isEmpty else { return }
            let attempts = await send(claimed, through: caller)
            guard !attempts.isEmpty else { return }
            try await webhooks.record(attempts, of: endpoint.id)
            if attempts.contains(where: { $0.status == 410 }) {
                logger.notice("endpoint is gone", metadata: ["endpoint.id": "\(endpoint.id)"])
                return try await webhooks.disable(endpoint.id, reason: "answered 410 Gone")
            }
        } while claimed.count == Self.claimMax && !Task.isCancelled
    }

    /// Attempts that were cut off by the end of the process are left out: they count when their lease is over.
    private func send(
        _ claimed: [WebhookDelivery],
        through caller: Result<WebhookCaller, any Error>
    ) async -> [WebhookAttempt] {
        await withTaskGroup(of: WebhookAttempt?.self) { group in
            var attempts: [WebhookAttempt] = []
            for (index, delivery) in claimed.enumerated() where !Task.isCancelled {
                if index >= WebhookCaller.connectionsMax, let ended = await group.next() {
                    if let ended { attempts.append(ended) }
                }
                group.addTask { await attempt(delivery, through: caller) }
            }
            for await case let ended? in group { attempts.append(ended) }
            return attempts
        }
    }

    private func attempt(
        _ delivery: WebhookDelivery,
        through caller: Result<WebhookCaller, any Error>
    ) async -> WebhookAttempt? {
        let begun = ContinuousClock.now
        do {
            let status = try await caller.get().send(delivery, at: clock.now())
            let error = (200...299).contains(status) ? nil : "answered \(status)"
            return outcome(of: delivery, status: status, error: error, took: .now - begun)
        } catch {
            guard !Task.isCancelled else { return nil }
            let words = String("\(error)".prefix(Self.errorBytesMax))
            return outcome(of: delivery, status: nil, error: words, took: .now - begun)
        }
    }

    private func outcome(
        of delivery: WebhookDelivery,
        status: Int?,
        error: String?,
        took: Duration
    ) -> WebhookAttempt {
        (error == nil ? metrics.delivered : metrics.attemptsFailed).increment()
        let pause =
            error == nil || status == 410
            ? nil
            : configuration.patience.pause(
                after: delivery.attempts,
                age: clock.now() - delivery.createdAt,
                chance: Double.random(in: 0...1)
            )
        let state: WebhookDelivery.State = error == nil ? .delivered : pause == nil ? .failed : .pending
        return WebhookAttempt(
            delivery: delivery.id,
            number: delivery.attempts,
            state: state,
            pause: pause,
            status: status,
            error: error,
            took: took
        )
    }
}

/// Endpoints that a round is under way for.
private final class EndpointsUnderWay: Sendable {
    private let ids = Mutex<Set<EndpointID>>([])

    func begin(_ id: EndpointID) -> Bool {
        ids.withLock { $0.count < WebhookSender.roundsMax && $0.insert(id).inserted }
    }

    func end(_ id: EndpointID) { ids.withLock { _ = $0.remove(id) } }
}
