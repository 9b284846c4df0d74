import Events
import Operations

/// Numbers of the relay, the consumer groups and the webhooks.
struct EventMetrics: Sendable {
    let published: Counter
    let failures: Counter
    let waiting: Gauge
    let oldestAge: Gauge
    let parked: Gauge
    let handled: Counter
    let caughtUp: Counter
    let delivered: Counter
    let attemptsFailed: Counter
    private let registry: MetricsRegistry

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        published = registry.counter("usher_events_published_total", "Events put into the streams by this process.")
        failures = registry.counter("usher_events_relay_failures_total", "Batches that could not be published.")
        waiting = registry.gauge(
            "usher_events_waiting",
            "Events not yet published, counted up to 10000, as the process that publishes last saw it."
        )
        oldestAge = registry.gauge("usher_events_oldest_seconds", "Age of the oldest event not yet published.")
        parked = registry.gauge("usher_events_parked", "Events put aside because they could not be handled.")
        handled = registry.counter("usher_events_handled_total", "Events whose effect this process has recorded.")
        caughtUp = registry.counter(
            "usher_events_gaps_total",
            "Gaps in a stream that were filled from the outbox."
        )
        delivered = registry.counter("usher_webhooks_delivered_total", "Webhooks taken by their receivers.")
        attemptsFailed = registry.counter("usher_webhooks_failed_attempts_total", "Webhooks not taken.")
    }

    func show(_ lag: GroupLag) {
        let labels = ["group": lag.group]
        registry.gauge(
            "usher_events_group_waiting",
            "Published events that a group has still to handle, counted up to 10000.",
            labels: labels
        ).set(Double(lag.count))
        registry.gauge(
            "usher_events_group_oldest_seconds",
            "Age of the oldest published event that a group has still to handle.",
            labels: labels
        ).set(lag.oldest / .seconds(1))
    }
}
