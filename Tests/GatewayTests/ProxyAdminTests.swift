import EdgeHTTP
import GatewayServer
import NIOCore
import Operations
import RateLimiting
import TestSupport
import Testing
import UsherAPI

struct ProxyAdminTests {
    private static let token = "a-token-of-the-tests-0000000000000000"

    private static func desk(_ plan: LimitPlan = LimitPlan(rules: [])) -> AdminDesk {
        let loop = MultiThreadedLoops.any
        let counters = LimitCounters(MetricsRegistry(), plan, listener: "admin")
        return AdminDesk(
            loop: loop,
            operations: OperationsPages(metrics: MetricsRegistry(), checks: [("redis", { "away" })]),
            admin: { .now(EdgeReply(status: 200, contentType: "text/plain", text: "admin \($0.path)")) },
            token: AdminToken(token),
            limits: Limits(plan, seed: 1, counters: counters),
            booking: UpstreamPool(
                UpstreamConfiguration(host: "127.0.0.1", port: 1),
                loop: loop,
                counters: EdgeCounters(MetricsRegistry())
            )
        )
    }

    private static func answer(_ method: EdgeMethod, _ target: String) async throws -> EdgeReply {
        let head = EdgeRequestHead(method: method, target: target)
        switch desk().way(for: head, from: .unknown, id: .none) {
        case .reply(let reply): return reply
        case .endpoint(_, let answer):
            switch answer(EdgeRequest(head: head, clientAddress: .unknown, id: .none)) {
            case .now(let reply): return reply
            case .later(let future): return try await future.get()
            case .soon: throw Missing()
            }
        case .later(let future): return try await future.get()
        case .forward, .soon: throw Missing()
        }
    }

    @Test(arguments: [
        (EdgeMethod.get, "/healthz", 200, "ok"), (.get, "/readyz", 503, "redis: away"), (.get, "/metrics", 200, ""),
        (.post, "/healthz", 405, "method_not_allowed"), (.get, "/admin/v1/rooms", 200, "admin /admin/v1/rooms"),
        (.get, "/v1/rooms/summer/place", 404, "not_found"), (.get, "/", 404, "not_found"),
        (.get, "/internal/v1/sessions/x/admission", 404, "not_found"), (.get, "/healthz/x", 404, "not_found"),
        (.get, "/admin", 404, "not_found"),
    ])
    func `the admin port answers for operators and nobody else`(
        _ method: EdgeMethod,
        _ target: String,
        _ status: Int,
        _ text: String
    ) async throws {
        let reply = try await Self.answer(method, target)
        #expect(reply.status == status)
        #expect(String(buffer: reply.body).contains(text))
    }

    @Test func `booking's admin paths go on to booking, with the token and without forged fields`() throws {
        let head = EdgeRequestHead(
            method: .put,
            target: "/v1/admin/shows?x=y",
            headers: ["Authorization": "Bearer t", "Usher-Pass": "forged", "X-Forwarded-For": "1.1.1.1"]
        )
        guard case .forward(let forwarding) = Self.desk().way(for: head, from: .unknown, id: .none) else {
            Issue.record("not forwarded")
            return
        }
        var bytes = ByteBuffer()
        ForwardedHead.write(forwarding, host: "booking:8081", to: &bytes)
        let lines = String(buffer: bytes).split(separator: "\r\n")
        #expect(lines.first == "PUT /v1/admin/shows?x=y HTTP/1.1")
        #expect(lines.contains("Authorization: Bearer t"))
        #expect(lines.contains("X-Forwarded-For: ::"))
        #expect(lines.filter { $0.lowercased().hasPrefix("x-forwarded-for") }.count == 1)
        #expect(!lines.contains { $0.lowercased().hasPrefix("usher-pass") })
        #expect(forwarding.command == nil)
    }
}
