// The provider's numbers on `/metrics`.

import Operations

struct PaymentMetrics: Sendable {
    let registry: MetricsRegistry
    let requests: [Counter]
    let latency: Timing
    let webhooksDelivered: Counter
    let webhookAttemptsFailed: Counter
    let webhooksAbandoned: Counter

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        requests = (1...5).map {
            registry.counter("usher_payments_requests_total", "Answered requests.", labels: ["status": "\($0)xx"])
        }
        latency = registry.timing("usher_payments_request_seconds", "Time to answer.")
        webhooksDelivered = registry.counter("usher_payments_webhooks_delivered_total", "Events a listener took.")
        webhookAttemptsFailed = registry.counter(
            "usher_payments_webhook_attempts_failed_total",
            "Attempts at an event that a listener did not take."
        )
        webhooksAbandoned = registry.counter("usher_payments_webhooks_abandoned_total", "Events given up.")
    }

    func count(status: Int, took duration: Duration) {
        let index = status / 100 - 1
        if requests.indices.contains(index) { requests[index].increment() }
        latency.record(duration)
    }
}
