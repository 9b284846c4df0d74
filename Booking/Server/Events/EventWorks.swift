// Everything of events, built once: stores for the routes, services for the process.

import BookingDatabase
import Events
import Logging
import NIOPosix
import Operations
import Postgres
import Redis
import ServiceLifecycle

struct EventWorks: Sendable {
    let events: EventDatabase
    let webhooks: WebhookDatabase
    let configuration: EventConfiguration
    /// In start order.
    let services: [any Service]

    init(
        pool: PostgresPool,
        redis: RedisConfiguration,
        owner: String,
        configuration: EventConfiguration,
        clock: Clock,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        events = EventDatabase(pool: pool)
        webhooks = WebhookDatabase(pool: pool)
        self.configuration = configuration
        // A connection of its own: pieces of streams are large, and holds must not wait behind them.
        let client = RedisClient(
            configuration: redis,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let streams = EventStreams(redis: client, lengthMax: configuration.streamMax)
        let metrics = EventMetrics(metrics)
        services = [
            client,
            EventRelay(
                events: events,
                streams: streams,
                owner: owner,
                configuration: configuration,
                metrics: metrics,
                logger: logger
            ),
            EventMember(
                group: .webhooks(webhooks),
                events: events,
                streams: streams,
                owner: owner,
                configuration: configuration,
                metrics: metrics,
                logger: logger
            ),
            WebhookSender(
                webhooks: webhooks,
                configuration: configuration,
                clock: clock,
                metrics: metrics,
                logger: logger
            ),
        ]
    }
}
