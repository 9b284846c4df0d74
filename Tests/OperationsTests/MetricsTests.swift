import Operations
import Testing

@Suite struct MetricsTests {
    @Test func `the page shows each metric with its labels escaped`() {
        let registry = MetricsRegistry()
        registry.counter("usher_joins_total", "Joins.", labels: ["room": "a\"b"]).increment(by: 3)
        registry.gauge("usher_cursor", "Cursor.").set(7)
        registry.timing("usher_poll_seconds", "Polls.").record(.milliseconds(3))
        let page = registry.page()
        #expect(page.contains("# TYPE usher_joins_total counter\nusher_joins_total{room=\"a\\\"b\"} 3\n"))
        #expect(page.contains("usher_cursor 7.0\n"))
        #expect(page.contains("usher_poll_seconds_bucket{le=\"0.0025\"} 0\n"))
        #expect(page.contains("usher_poll_seconds_bucket{le=\"0.005\"} 1\n"))
        #expect(page.contains("usher_poll_seconds_count 1\n"))
    }

    @Test func `asking twice for a metric gives the same one`() {
        let registry = MetricsRegistry()
        registry.counter("usher_x_total", "X.").increment()
        registry.counter("usher_x_total", "X.").increment()
        #expect(registry.counter("usher_x_total", "X.").count == 2)
    }

    @Test func `no family shows more members than its bound`() {
        let registry = MetricsRegistry()
        for index in 0..<(MetricsRegistry.membersMax + 50) {
            registry.counter("usher_y_total", "Y.", labels: ["k": "\(index)"]).increment()
        }
        let shown = registry.page().split(separator: "\n").filter { $0.hasPrefix("usher_y_total{") }
        #expect(shown.count == MetricsRegistry.membersMax)
    }

    @Test func `readiness names what is wrong`() async {
        let pages = OperationsPages(
            metrics: MetricsRegistry(),
            checks: [(name: "redis", check: { nil }), (name: "postgres", check: { "no connection" })]
        )
        let reply = await pages.answer(path: "/readyz")
        #expect(reply?.status == 503)
        #expect(reply?.body == "redis: ok\npostgres: no connection\n")
        #expect(await pages.answer(path: "/healthz")?.status == 200)
        #expect(await pages.answer(path: "/etc/passwd") == nil)
    }
}
