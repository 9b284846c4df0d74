import EdgeHTTP
import GatewayServer
import RateLimiting
import Synchronization
import TestSupport
import Testing
import UsherAPI

struct LimitTests {
    private static func rule(_ scope: LimitRule.Scope, burst: Int) throws -> LimitRule {
        LimitRule(scope, nil, try Rate(1, perSeconds: 60, burst: burst).orThrow())
    }

    @Test func `whom the deny list names is refused by address and by account, and asks nobody further`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.denied = ["127.0.0.9", "usr_bad"] }
            for (headers, address) in [([], "127.0.0.9"), (["Authorization: Bearer good-usr_bad"], "127.0.0.1")] {
                for target in ["/a", "/v1/rooms/summer/place", "/usher/waiting.js"] {
                    let reply = try await edge.ask("GET", target, headers, from: address)
                    #expect(reply.status == 403)
                    #expect(reply.body.contains(#""code":"denied""#))
                }
            }
            #expect(try await edge.ask("GET", "/a", ["Authorization: Bearer good-usr_other"]).status == 200)
            #expect(edge.origin.requests == 1)
            #expect(edge.rooms.state.withLock { $0.asked } == [])
        }
    }

    @Test(arguments: [
        (LimitRule.Scope.address, "127.0.0.2", "Bearer good-a", 200),
        (.account, "127.0.0.1", "Bearer good-b", 200),
        (.account, "127.0.0.2", "Bearer good-a", 429),
        (.global, "127.0.0.2", "Bearer good-b", 429),
    ])
    func `each limit counts for its own, and says so`(
        _ scope: LimitRule.Scope,
        _ otherAddress: String,
        _ otherBearer: String,
        _ otherStatus: Int
    ) async throws {
        var setup = EdgeBench.Setup()
        setup.limits.rules = [try Self.rule(scope, burst: 3)]
        try await EdgeBench.with(setup, threads: 2) { edge in
            for _ in 1...3 {
                #expect(try await edge.ask("GET", "/a", ["Authorization: Bearer good-a"]).status == 200)
            }
            let refused = try await edge.ask("GET", "/a", ["Authorization: Bearer good-a"])
            #expect(refused.status == 429)
            #expect(refused.body.contains(#""code":"rate_limited""#))
            #expect(refused.first("ratelimit-policy") == "\"\(scope.rawValue)\";q=1;w=60")
            #expect(refused.first("ratelimit")?.hasPrefix("\"\(scope.rawValue)\";r=0;t=") == true)
            let retry = try refused.first("retry-after").flatMap(Int.init).orThrow()
            // The allowance comes back within its minute; the spread adds at most half of that.
            #expect((1...92).contains(retry))
            let other = try await edge.ask("GET", "/a", ["Authorization: \(otherBearer)"], from: otherAddress)
            #expect(other.status == otherStatus)
        }
    }

    @Test func `the limit is exact however connections spread over event loops`() async throws {
        var setup = EdgeBench.Setup()
        setup.limits.rules = [try Self.rule(.address, burst: 20)]
        try await EdgeBench.with(setup, threads: 2) { edge in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<40 { tasks.addTask { try await edge.ask("GET", "/usher/waiting.css").status } }
                return try await tasks.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 20, 429: 20])
        }
    }

    @Test func `a rule of a class leaves the others alone, and each refusal names its rule`() async throws {
        var setup = EdgeBench.Setup()
        let once = try Rate(6, perSeconds: 60, burst: 1).orThrow()
        setup.limits.rules = [.join, .poll, .claim, .api, .auth].map { LimitRule(.address, $0, once) }
        try await EdgeBench.with(setup) { edge in
            let asked = [
                ("POST", "/v1/rooms/summer/join", "join"), ("GET", "/v1/rooms/summer/place", "poll"),
                ("POST", "/v1/rooms/summer/claim", "claim"), ("GET", "/v1/shows", "api"),
                ("POST", "/v1/auth/login", "auth"),
            ]
            for (method, path, _) in asked {
                #expect(try await edge.ask(method, path, body: method == "POST" ? "" : nil).status != 429)
            }
            for (method, path, name) in asked {
                let reply = try await edge.ask(method, path, body: method == "POST" ? "" : nil)
                #expect(reply.status == 429)
                #expect(reply.first("ratelimit-policy") == "\"\(name)-address\";q=6;w=60")
                let retry = try reply.first("retry-after").flatMap(Int.init).orThrow()
                #expect((10...16).contains(retry))
                #expect(reply.first("ratelimit") == "\"\(name)-address\";r=0;t=\(retry)")
            }
        }
    }

    @Test(
        arguments: [
            ("10.0.0.1", nil, "10.0.0.1"), ("10.0.0.1", "1.1.1.1", "1.1.1.1"), ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
            ("10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"), ("10.0.0.1", "1.1.1.1, 10.0.0.2", "1.1.1.1"),
            ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"), ("10.0.0.1", "1.1.1.1:80", "10.0.0.1"),
            ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"), ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"), ("::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", Array(repeating: "1.1.1.1", count: 21).joined(separator: ","), "1.1.1.1"),
            ("10.0.0.1", Array(repeating: "10.0.0.2", count: 21).joined(separator: ","), "10.0.0.2"),
            ("10.0.0.1", "nonsense, 1.1.1.1", "1.1.1.1"), ("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "6.6.6.6\u{600}, 1.1.1.1", "1.1.1.1"), ("10.0.0.1", "6.6.6.6,\u{309}, 1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] as [(String, String?, String)]
    )
    func `a forwarded address is believed from a configured proxy only, from the right`(
        _ peer: String,
        _ field: String?,
        _ expected: String
    ) throws {
        let rule = AddressRule(trustedProxies: [try AddressBlock("10.0.0.0/8").orThrow()])
        let headers = EdgeHeaders(
            ["X-Forwarded-For"].compactMap { name in field.flatMap { .init(name: name, value: $0) } }
        )
        let head = EdgeRequestHead(method: .get, target: "/", headers: headers)
        #expect(rule.address(of: head, from: try ClientAddress(peer).orThrow()).description == expected)
        #expect(
            AddressRule(trustedProxies: []).address(of: head, from: try ClientAddress(peer).orThrow())
                == ClientAddress(peer)
        )
    }

    @Test func `an address may have so many connections, and another address is not its victim`() async throws {
        var setup = EdgeBench.Setup()
        setup.listener.connectionsPerAddressMax = 2
        try await EdgeBench.with(setup) { edge in
            let first = try await edge.client()
            let second = try await edge.client()
            for client in [first, second] {
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().status == 200)
            }
            let third = try await edge.client()
            let reply = try await third.reply()
            #expect(reply.status == 429)
            #expect(reply.body.contains(#""code":"rate_limited""#))
            #expect((2...9).contains(reply.first("retry-after").flatMap(Int.init) ?? 0))
            #expect(reply.first("connection") == "close")
            try await eventually { third.isClosed }
            #expect(try await edge.ask("GET", "/a", from: "127.0.0.2").status == 200)
            await first.close()
            try await eventually { (try? await edge.ask("GET", "/a").status) == 200 }
            await second.close()
        }
    }

    @Test func `at the bound of connections nobody more is taken, and who waits is taken when some have left`()
        async throws
    {
        var setup = EdgeBench.Setup()
        setup.listener.connectionsMax = 3
        try await EdgeBench.with(setup) { edge in
            var clients: [RawClient] = []
            for number in 1...3 {
                let client = try await edge.client(from: "127.0.0.\(number)")
                client.send("GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().status == 200)
                clients.append(client)
            }
            // The kernel holds it; the gateway has not taken it.
            let waiting = try await edge.client(from: "127.0.0.4")
            waiting.send("GET /4 HTTP/1.1\r\nHost: a\r\n\r\n")
            for (number, client) in clients.enumerated() {
                client.send("GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.reply().status == 200)
            }
            #expect(edge.origin.requests == 6)
            #expect(!waiting.isClosed)
            #expect(waiting.receivedBytes == 0)
            await clients[0].close()
            #expect(try await waiting.reply().status == 200)
            for client in clients { await client.close() }
            await waiting.close()
        }
    }

    @Test func `a body for a room is small, one for the shop larger, and more is 413`() async throws {
        try await EdgeBench.with { edge in
            edge.rooms.state.withLock { $0.replies["join"] = EdgeReply(status: 201) }
            let path = "/v1/rooms/summer/join"
            #expect(try await edge.ask("POST", path, body: String(repeating: "x", count: 4096)).status == 201)
            for body in [4097, 10_000] {
                let reply = try await edge.ask("POST", path, body: String(repeating: "x", count: body))
                #expect(reply.status == 413)
                #expect(reply.body.contains(#""code":"content_too_large""#))
            }
            let client = try await edge.client()
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n")
            client.send(String(repeating: "x", count: 5000) + "\r\n0\r\n\r\n")
            #expect(try await client.reply().status == 413)
            await client.close()
            #expect(try await edge.ask("POST", "/a", body: String(repeating: "x", count: 65_536)).status == 200)
            #expect(try await edge.ask("POST", "/a", body: String(repeating: "x", count: 65_537)).status == 413)
        }
    }
}

struct DescriptorBudgetTests {
    @Test(arguments: [
        (0, 1024, 512, 601), (0, 1_048_576, 512, 943_142), (20_000, 1_048_576, 512, 20_000), (20_000, 4096, 512, 3110),
        (0, 64, 512, 16), (8, 64, 512, 8),
    ])
    func `the bound of connections leaves a tenth of the open files, and what booking's take`(
        _ asked: Int,
        _ descriptors: Int,
        _ upstreamMax: Int,
        _ expected: Int
    ) {
        let found = DescriptorBudget.connectionsMax(
            asked: asked,
            descriptors: descriptors,
            upstreamMax: upstreamMax
        )
        #expect(found == expected)
    }
}
