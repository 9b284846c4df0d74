package import Operations

/// What the pipeline counts.
package struct EdgeCounters: Sendable {
    package let requests: Counter
    package let malformed: Counter
    package let denied: Counter
    package let limited: Counter
    package let shadowLimited: Counter
    package let passRequired: Counter
    package let pages: Counter
    package let forwarded: Counter
    package let upstreamFailures: Counter
    package let upstreamRetries: Counter
    package let upstreamBroken: Counter
    package let upstreamEjections: Counter
    package let upstreamStreams: Counter
    package let connections: Gauge
    package let connectionsRefused: Counter
    package let handshakes: Counter
    package let handshakesFailed: Counter
    package let handshakesCut: Counter

    package init(_ registry: MetricsRegistry, listener: String = "visitors") {
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("usher_gateway_\(name)_total", help, labels: ["listener": listener])
        }
        requests = counter("requests", "Requests whose head was accepted.")
        malformed = counter("malformed_requests", "Requests the guard refused.")
        denied = counter("denied_requests", "Requests refused by the deny list.")
        limited = counter("limited_requests", "Requests refused by a limit.")
        shadowLimited = counter("shadow_limited_requests", "Requests a limit in shadow mode would have refused.")
        passRequired = counter("pass_required", "Protected requests without a good pass.")
        pages = counter("waiting_pages", "Waiting pages given.")
        forwarded = counter("forwarded_requests", "Requests sent on to a service.")
        upstreamFailures = counter("upstream_failures", "Forwarded requests that failed: 502, 503 or 504.")
        upstreamRetries = counter("upstream_retries", "Forwarded requests sent a second time.")
        upstreamBroken = counter("upstream_broken_replies", "Replies of a service that broke a rule of HTTP.")
        upstreamEjections = counter("upstream_ejections", "Times that one of several services was left alone.")
        upstreamStreams = counter("upstream_streams", "Streams of events that a service began.")
        connections = registry.gauge(
            "usher_gateway_connections",
            "Open connections.",
            labels: ["listener": listener]
        )
        handshakes = counter("tls_handshakes", "TLS handshakes that were completed.")
        handshakesFailed = counter("tls_handshakes_failed", "TLS handshakes that came to nothing.")
        handshakesCut = counter("tls_handshakes_cut", "Connections closed because their TLS handshake took too long.")
        connectionsRefused = counter("connections_refused", "Connections closed at once because of a bound.")
    }
}
