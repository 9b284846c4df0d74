import EdgeHTTP
import Foundation
import GatewayServer
import NIOCore
import NIOPosix
import Operations
import Queueing
import RateLimiting
import Redis
import Synchronization
import TestSupport
import Testing
import UsherAPI

struct AccessTests {
    private static func entry(_ entry: String, _ more: String = "") -> String {
        #"{"entry":"\#(entry)","reason":"bots"\#(more)}"#
    }

    @Test func `the lists act on every gateway`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { one in
                try await withGateway(on: server, tick: nil) { two in
                    let admin = TestAdmin(one)
                    for (list, standing) in [("deny", Standing.denied), ("allow", .allowed)] {
                        for name in ["203.0.113.0/24", "2001:DB8::7", "account:usr_1", "agent:BadBot"] {
                            #expect(await admin.send(.put, list, Self.entry(name)).status == 200)
                        }
                        for node in [one, two] {
                            try await eventually { try await node.standing("203.0.113.77") == standing }
                            try await eventually { try await node.standing("2001:db8::7") == standing }
                            try await eventually {
                                try await node.standing("192.0.2.1", agent: "badbot/2.1") == standing
                            }
                            try await eventually { try await node.standing(account: "usr_1") == standing }
                            #expect(try await node.standing("192.0.2.1", agent: "goodbot/2.1") == .ordinary)
                            #expect(try await node.standing(account: "usr_2") == .ordinary)
                        }
                        let shown = String(buffer: await admin.send(.get, list).body)
                        #expect(shown.contains(#""entry":"2001:db8::7","reason":"bots""#))
                        #expect(await admin.send(.delete, "\(list)?entry=2001:DB8::7").status == 204)
                        #expect(await admin.send(.delete, "\(list)?entry=2001:db8::7").status == 404)
                        for name in ["203.0.113.0%2F24", "account:usr_1", "agent:badbot"] {
                            #expect(await admin.send(.delete, "\(list)?entry=\(name)").status == 204)
                        }
                        for node in [one, two] {
                            try await eventually { try await node.standing("203.0.113.77") == .ordinary }
                        }
                    }
                }
            }
        }
    }

    @Test func `who is on both lists is refused`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                for (list, name) in [("allow", "203.0.113.7"), ("deny", "203.0.113.0/24"), ("allow", "203.0.112.1")] {
                    #expect(await admin.send(.put, list, Self.entry(name)).status == 200)
                }
                try await eventually { try await node.standing("203.0.112.1") == .allowed }
                try await eventually { try await node.standing("203.0.113.7") == .denied }
            }
        }
    }

    @Test func `an entry ends by itself`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                let end = WallClock.now() + .milliseconds(900)
                let body = Self.entry("203.0.113.7", #","expires_at":"\#(end.rfc3339)""#)
                #expect(await admin.send(.put, "deny", body).status == 200)
                try await eventually { try await node.standing("203.0.113.7") == .denied }
                try await eventually { try await node.standing("203.0.113.7") == .ordinary }
                #expect(node.rooms.view.now() >= end)
                try await eventually { String(buffer: await admin.send(.get, "deny").body).contains(#""data":[]"#) }
            }
        }
    }

    @Test(arguments: [
        (#"{"entry":"nonsense","reason":"x"}"#, "entry is an address"),
        (#"{"entry":"10.0.0.1/8","reason":"x"}"#, "the block is 10.0.0.0/8"),
        (#"{"entry":"10.0.0.0/8","reason":""}"#, "reason has 1 to 200 bytes"),
        (#"{"entry":"10.0.0.0/8","reason":"x","expires_at":"soon"}"#, "RFC 3339"),
        (#"{"entry":"10.0.0.0/8","reason":"x","expires_at":"2020-01-01T00:00:00Z"}"#, "expires_at is over"),
        (#"{"entry":"10.0.0.0/8","reason":"x","expire_at":"2030-01-01T00:00:00Z"}"#, "expire_at is not a member"),
        (#"{"entry":"10.0.0.0/8"}"#, "invalid_json"),
    ])
    func `an entry that is none says why`(body: String, reason: String) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let reply = await TestAdmin(node).send(.put, "deny", body)
                #expect(reply.status == 400)
                #expect(String(buffer: reply.body).contains(reason))
            }
        }
    }

    private static func banPlan() throws -> LimitPlan {
        LimitPlan(
            rules: [LimitRule(.address, nil, try Rate(60, burst: 2).orThrow())],
            bans: BanPolicy(after: try Rate(5, burst: 5).orThrow(), lengths: [60, 300], calmSeconds: 3600)
        )
    }

    @Test func `a ban begun at one gateway holds at the other, is shown, and can be lifted`() async throws {
        let plan = try Self.banPlan()
        let offender = try ClientAddress("203.0.113.7").orThrow()
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil, limits: plan) { one in
                try await withGateway(on: server, tick: nil, limits: plan) { two in
                    let admin = TestAdmin(two)
                    for _ in 0..<8 { _ = one.limits.check(offender, account: nil, .poll) }
                    #expect(one.limits.check(offender, account: nil, .poll).outcome == .banned)
                    try await eventually { two.limits.state.bans == 1 }
                    #expect(two.limits.check(offender, account: nil, .poll).outcome == .banned)
                    let shown = String(buffer: await admin.send(.get, "bans").body)
                    #expect(shown.contains(#""address":"203.0.113.7""#))
                    #expect(shown.contains(#""level":1,"rule":"address""#))
                    #expect(await admin.send(.delete, "bans?address=203.0.113.8").status == 404)
                    #expect(await admin.send(.delete, "bans?address=nobody").status == 400)
                    #expect(await admin.send(.delete, "bans?address=203.0.113.7").status == 204)
                    #expect(await admin.send(.delete, "bans?address=203.0.113.7").status == 404)
                    for node in [one, two] {
                        try await eventually { node.limits.state.bans == 0 }
                        #expect(node.limits.check(offender, account: nil, .poll).isAllowed)
                    }
                    #expect(String(buffer: await admin.send(.get, "bans").body).contains(#""data":[]"#))
                    let report = String(buffer: await TestAdmin(one).send(.get, "limits").body)
                    #expect(report.contains(#""begun":1"#))
                    #expect(report.contains(#""hits":6"#))
                }
            }
        }
    }

    @Test func `lists outlive a store that forgets them, and a store that is gone`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                for name in ["203.0.113.7", "account:usr_1", "203.0.113.9"] {
                    #expect(await admin.send(.put, "deny", Self.entry(name)).status == 200)
                }
                try await eventually { try await node.standing("203.0.113.9") == .denied }
                #expect(await admin.send(.delete, "deny?entry=203.0.113.9").status == 204)
                try await eventually { try await node.standing("203.0.113.9") == .ordinary }
                #expect(try await node.standing("203.0.113.7") == .denied)
                _ = try await node.redis.call(["FLUSHALL"])
                // It is put back as it was, and at no moment was it open.
                var wasOpen = false
                try await eventually {
                    if try await node.standing("203.0.113.7") != .denied { wasOpen = true }
                    let back = try await node.redis.call(["HLEN", "{r:}:deny"])
                    return back.asInteger == 2
                }
                #expect(!wasOpen)
                let shown = String(buffer: await admin.send(.get, "deny").body)
                #expect(shown.contains("203.0.113.7") && shown.contains("bots") && !shown.contains("203.0.113.9"))
                #expect(await admin.send(.put, "deny", Self.entry("203.0.113.10")).status == 200)
                try await eventually { try await node.standing("203.0.113.10") == .denied }
                await server.kill()
                #expect(await admin.send(.get, "deny").status == 503)
                #expect(try await node.standing("203.0.113.7") == .denied)
                try await server.restart()
            }
        }
    }
}

/// Over sockets: who is on a list, and what the limits then say.
struct AccessEntranceTests {
    @Test func `whom a list allows meets no limit and no ban, and whom a list denies is refused all the same`()
        async throws
    {
        var setup = EdgeBench.Setup()
        setup.limits = LimitPlan(
            rules: [LimitRule(.address, nil, try Rate(1, burst: 1).orThrow())],
            bans: BanPolicy(after: try Rate(2, burst: 2).orThrow(), lengths: [60], calmSeconds: 60)
        )
        try await EdgeBench.with(setup) { edge in
            for _ in 1...6 { _ = try await edge.ask("GET", "/a") }
            let banned = try await edge.ask("GET", "/a")
            #expect(banned.status == 429)
            #expect(banned.body.contains(#""code":"address_banned""#))
            #expect((55...91).contains(banned.first("retry-after").flatMap(Int.init) ?? 0))
            edge.rooms.state.withLock { $0.allowed = ["127.0.0.1", "Monitor/", "usr_friend"] }
            for _ in 1...5 { #expect(try await edge.ask("GET", "/a").status == 200) }
            let monitor = ["User-Agent: Monitor/1.0"]
            for _ in 1...3 { #expect(try await edge.ask("GET", "/a", monitor, from: "127.0.0.2").status == 200) }
            let friend = ["Authorization: Bearer good-usr_friend"]
            for _ in 1...3 { #expect(try await edge.ask("GET", "/a", friend, from: "127.0.0.3").status == 200) }
            edge.rooms.state.withLock { $0.denied = ["usr_bad", "BadBot/"] }
            #expect(try await edge.ask("GET", "/a", ["Authorization: Bearer good-usr_bad"]).status == 403)
            #expect(try await edge.ask("GET", "/a", ["User-Agent: BadBot/7"]).status == 403)
            edge.rooms.state.withLock { $0.denied = ["127.0.0.1"] }
            #expect(try await edge.ask("GET", "/a").status == 403)
            #expect(try await edge.ask("GET", "/a", friend).status == 403)
        }
    }

    @Test func `limits in shadow mode refuse nobody, and their hits are seen`() async throws {
        var setup = EdgeBench.Setup()
        let once = try Rate(1, burst: 1).orThrow()
        setup.limits.rules = [
            LimitRule(.address, .poll, once, isShadow: true), LimitRule(.address, .api, once),
        ]
        try await EdgeBench.with(setup) { edge in
            for _ in 1...4 {
                let reply = try await edge.ask("GET", "/usher/waiting.css")
                #expect(reply.status == 200)
            }
            #expect(try await edge.ask("GET", "/a").status == 200)
            #expect(try await edge.ask("GET", "/a").status == 429)
            let page = edge.registry.page()
            let start = #"usher_gateway_limit_hits_total{listener="visitors",rule="#
            #expect(page.contains(start + #""poll-address",shadow="true"} 3"#))
            #expect(page.contains(start + #""api-address",shadow="false"} 1"#))
            #expect(edge.limits.hits(of: setup.limits.rules[0]) == 3)
        }
    }
}

extension GatewayNode {
    func standing(_ address: String, agent: String = "curl/8") async throws -> Standing {
        let loop = group.next()
        let address = try #require(ClientAddress(address))
        let head = EdgeRequestHead(method: .get, target: "/", headers: ["User-Agent": agent])
        return try await loop.submit { [rooms] in rooms.on(loop).standing(of: address, in: head) }.get()
    }

    func standing(account: String) async throws -> Standing {
        let loop = group.next()
        return try await loop.submit { [rooms] in rooms.on(loop).standing(ofAccount: account) }.get()
    }
}
