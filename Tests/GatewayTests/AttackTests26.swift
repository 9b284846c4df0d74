import Foundation
import GatewayServer
import Synchronization
import TestSupport
import Testing
import UsherAPI

/// Speaking for the gateway: to booking with forged fields, or to the gateway with booking's own. That booking refuses
/// whoever comes without a pass of this gateway is shown by the end-to-end tests.
struct AttackTests26 {
    static let forged = [
        "Usher-Pass", "USHER-PASS", "usher-pass", "Usher-Client-Address", "Usher-Request-Id", "Usher-Command",
        "Usher-Account", "Usher-", "Usher-Admission", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "X-Forwarded-User", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "Via",
    ]

    @Test(arguments: forged)
    func `attack 26: what only the gateway may say does not come from a visitor`(_ name: String) async throws {
        try await EdgeBench.with { edge in
            let echo = try await edge.echo("GET", "/open", ["\(name): forged"])
            let values = echo.headers.filter { $0[0] != "host" }.map { $0[1] }
            #expect(!values.contains { $0.contains("forged") })
            #expect(echo.all("usher-client-address") == ["127.0.0.1"])
            #expect(echo.all("usher-request-id").count == 1)
        }
    }

    @Test(arguments: [
        "Connection: Usher-Client-Address", "Connection: close, Usher-Request-Id", "Connection: Host",
        "Connection: Content-Length", "Connection: usher-pass, cookie",
    ])
    func `attack 26: naming a field as one of the connection does not take the gateway's word away`(_ header: String)
        async throws
    {
        try await EdgeBench.with { edge in
            let target = "/v1/sessions/ses_a/orders"
            let reply = try await edge.ask("POST", target, [header, "Usher-Pass: good"], body: "{}")
            let echo = try EdgeBench.echo(in: reply)
            #expect(echo.all("usher-client-address") == ["127.0.0.1"])
            #expect(echo.all("usher-request-id").count == 1)
            #expect(echo.all("usher-pass") == ["good"])
            #expect(echo.all("host") == ["127.0.0.1:\(edge.origin.port)"])
            #expect(echo.all("content-length") == ["2"])
            #expect(echo.body == "{}")
        }
    }

    @Test(arguments: ["forged", "late", "", "good,good", "good good", "\"good\"", "Good"])
    func `attack 26: a pass that is none opens nothing, in a header or in a cookie`(_ pass: String) async throws {
        try await EdgeBench.with { edge in
            for header in ["Usher-Pass: \(pass)", "Cookie: usher-pass-summer=\(pass)"] {
                let reply = try await edge.ask("POST", "/v1/sessions/ses_a/holds", [header], body: "{}")
                #expect((401...403).contains(reply.status), "\(header)")
            }
            #expect(edge.origin.connections == 0)
        }
    }

    @Test(arguments: [
        "/internal/v1/sessions/x/admission", "/Internal/v1", "/internal", "/internal?x", "/v1/admin/shows",
        "/v1/ADMIN", "/admin/v1/rooms", "http://shop.example/internal/v1", "/metrics", "/healthz/", "/readyz",
    ])
    func `attack 26: booking's own paths are not there for visitors`(_ target: String) async throws {
        try await EdgeBench.with { edge in
            for method in ["GET", "POST", "OPTIONS", "HEAD"] {
                let reply = try await edge.ask(method, target, ["Authorization: Bearer good-admin"])
                #expect(reply.status == 404, "\(method)")
            }
            #expect(edge.origin.connections == 0)
        }
    }

    @Test func `attack 26: a visitor's Usher-Command does nothing, and booking's is not shown`() async throws {
        try await EdgeBench.with { edge in
            let target = "/v1/sessions/ses_a/seats"
            _ = try await edge.ask("GET", target, ["Usher-Pass: good", "Usher-Command: extend=9999"])
            #expect(edge.rooms.state.withLock { $0.commands } == [])
            let reply = try await edge.ask("GET", target + "?command=revoke", ["Usher-Pass: good"])
            #expect(reply.first("usher-command") == nil)
            #expect(edge.rooms.state.withLock { $0.commands } == ["p1 revoke"])
        }
    }
}
