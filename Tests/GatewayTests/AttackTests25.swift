import EdgeHTTP
import GatewayServer
import TestSupport
import Testing

/// Path tricks: another spelling of a protected path must not lead around the line.
struct AttackTests25 {
    private static let shop = "/v1/sessions/ses_a/seats"

    /// Spellings that the guard refuses, whatever a room protects.
    static let refused = [
        "//v1/sessions/ses_a/seats", "/v1//sessions/ses_a/seats", "/v1/sessions//ses_a/seats",
        "/./v1/sessions/ses_a/seats",
        "/v1/./sessions/ses_a/seats", "/x/../v1/sessions/ses_a/seats", "/v1/x/%2e%2e/sessions/ses_a/seats",
        "/v1/x/%2E./sessions/ses_a/seats", "/v1%2fsessions/ses_a/seats", "/v1/sessions%2Fses_a/seats",
        "/v1/sessions%5Cses_a/seats", "/v1\\sessions\\ses_a\\seats", "/v1/sessions/ses%5Fa/seats",
        "/v1/sessions/%73es_a/seats", "/v1/sessions/ses_a/seats%00", "/v1/sessions/ses_a/seats%0d%0a",
        "/v1/sessions/ses_a/seats#x", "/v1/sessions/ses_a/seats%23%2f..%2f", "/v1/sessions/ses_a/seats/..",
        "/v1/sessions/ses_a/seats/%", "/v1/%u002e/sessions/ses_a/seats", "v1/sessions/ses_a/seats", "*",
        "http://other.example/v1/sessions/ses_a/seats", "ftp://shop.example/v1/sessions/ses_a/seats",
        "http://shop.example//v1/sessions/ses_a/seats", "http:/v1/sessions/ses_a/seats",
    ]

    @Test(arguments: refused)
    func `attack 25: a spelling with two readings is refused and reaches nobody`(_ target: String) async throws {
        try await EdgeBench.with { edge in
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let reply = try await edge.ask(method, target)
                #expect(reply.status == 400, "\(method)")
                #expect(reply.first("connection") == "close", "\(method)")
            }
            #expect(edge.origin.connections == 0)
        }
    }

    /// Spellings that are good, and are the protected path all the same.
    static let protected: [(String, [String])] = [
        (shop, []), (shop + "?a=/../b", []), (shop + "?.js", []), (shop + "/", []), (shop + "/style.js", []),
        (shop + "/data.json", []), (shop + "/a;b", []), (shop + "/robots.txt", []),
        ("http://shop.example" + shop, []), ("http://SHOP.example" + shop, []), ("https://shop.example" + shop, []),
        ("/sessions/ses_a", []), ("/sessions/ses_a/", []), ("/sessions/ses_a?x", []),
        (shop, ["X-Original-URL: /open", "X-Rewrite-URL: /open", "X-Forwarded-Prefix: /open"]),
        (shop, ["X-HTTP-Method-Override: OPTIONS"]),
    ]

    @Test(arguments: protected)
    func `attack 25: no spelling, method or header leads around the line`(_ target: String, _ headers: [String])
        async throws
    {
        try await EdgeBench.with { edge in
            for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
                let reply = try await edge.ask(method, target, headers)
                #expect(reply.status == 403, "\(method)")
            }
            #expect(edge.origin.connections == 0)
        }
    }

    @Test(arguments: [
        "shop.example:80", "shop.example:8080", "SHOP.EXAMPLE", "shop.example.", "other.example", "[::1]",
    ])
    func `attack 25: the name a visitor calls the host by opens nothing`(_ host: String) async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("GET \(Self.shop) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(try await client.reply().status == 403)
            await client.close()
            #expect(edge.origin.connections == 0)
        }
    }

    @Test(arguments: ["", ":80", ".", "a b", "a/b", "a@b", "a,b", "a\tb", "[::1", "a\\b", "a?b", "a#b", "\u{E4}"])
    func `attack 25: a host that is none is refused`(_ host: String) async throws {
        try await EdgeBench.with { edge in
            let client = try await edge.client()
            client.send("GET /open HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            let expected = host == "." ? 200 : 400
            #expect(try await client.reply().status == expected)
            await client.close()
            #expect(edge.origin.requests == (expected == 200 ? 1 : 0))
        }
    }
}
