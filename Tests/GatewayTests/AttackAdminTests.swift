// Attacks 33 and 34: the admin API and the paths on which a failing dependency could open the door.
import EdgeHTTP
import Foundation
import NIOCore
import Operations
import Queueing
import RateLimiting
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct AttackAdminTests {
    // MARK: 33: the admin API

    @Test func `attack 33: there is no default token, and a weak or open one stops the start`() throws {
        let folder = "/tmp/usher-admin-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try ["one", "two"].map { name in
            let path = "\(folder)/\(name)/admin.token"
            _ = try AdminToken.load(from: path)
            return try String(contentsOfFile: path, encoding: .utf8)
        }
        #expect(made[0] != made[1])
        #expect(made.allSatisfy { $0.utf8.count >= 43 })
        for weak in ["", "\n", "password", "admin", String(repeating: "x", count: 31)] {
            let path = "\(folder)/weak.token"
            try Data(weak.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: AdminToken.Fault.self) { try AdminToken.load(from: path) }
        }
    }

    @Test func `attack 33: a page of another site can make a browser post, and nothing comes of it`() async throws {
        try await withTemporaryRedis { server in
            try await withRunningGateway(server) { ports, _ in
                let client = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let good = ["Authorization: Bearer \(ports.token)"]
                let make = good + ["If-None-Match: *"]
                #expect(try await client.ask("PUT", "/admin/v1/rooms/sale", make, body: "{}").status == 201)
                let cross = [
                    "Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate",
                    "Content-Type: application/x-www-form-urlencoded",
                ]
                // All a browser adds by itself: cookies, and passwords it once saved for the site.
                let own = [
                    [], ["Cookie: token=\(ports.token); Authorization=Bearer \(ports.token)"],
                    ["Authorization: Basic YWRtaW46YWRtaW4="],
                ]
                for added in own {
                    for (method, path) in [
                        ("POST", "rooms/sale/pause"), ("POST", "deny"), ("PUT", "allow"), ("DELETE", "bans"),
                    ] {
                        let reply = try await client.ask(method, "/admin/v1/\(path)", cross + added, body: "")
                        #expect(reply.status == 401)
                        #expect(
                            reply.headers.allSatisfy {
                                !$0.name.hasPrefix("access-control-") && $0.name != "set-cookie"
                            }
                        )
                    }
                }
                // Before it sends our header a browser asks, and is told nothing it could go on with.
                let preflight =
                    cross + ["Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization"]
                let asked = try await client.ask("OPTIONS", "/admin/v1/rooms/sale", preflight)
                #expect(asked.status == 401)
                #expect(asked.headers.allSatisfy { !$0.name.hasPrefix("access-control-") })
                let room = try await client.ask("GET", "/admin/v1/rooms/sale", good)
                #expect(room.body.contains(#""override":"none""#) && room.body.contains(#""version":1"#))
                #expect(try await client.ask("GET", "/admin/v1/deny", good).body.contains(#""data":[]"#))
                // The token in the address, where logs and histories keep it, opens nothing.
                #expect(try await client.ask("GET", "/admin/v1/rooms?token=\(ports.token)").status == 401)
            }
        }
    }

    @Test func `attack 33: a policy that is sent again changes nothing`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                _ = await admin.send(.put, "rooms/sale", #"{"admission":{"per_minute":60}}"#, ["If-None-Match": "*"])
                let fast = #"{"admission":{"per_minute":600}}"#
                #expect(await admin.send(.put, "rooms/sale", fast, ["If-Match": "\"1\""]).status == 200)
                let slow = #"{"admission":{"per_minute":30}}"#
                #expect(await admin.send(.put, "rooms/sale", slow, ["If-Match": "\"2\""]).status == 200)
                // Recorded, and sent once more to bring the fast pace back.
                #expect(await admin.send(.put, "rooms/sale", fast, ["If-Match": "\"1\""]).status == 412)
                #expect(await admin.send(.put, "rooms/sale", fast, ["If-None-Match": "*"]).status == 412)
                for any in ["*", "\"*\"", "W/\"3\"", "\"1\", \"2\", \"3\"", "3"] {
                    #expect(await admin.send(.put, "rooms/sale", fast, ["If-Match": any]).status == 412)
                }
                let now = String(buffer: await admin.send(.get, "rooms/sale").body)
                #expect(now.contains(#""version":3"#) && now.contains(#""per_minute":30"#))
            }
        }
    }

    @Test func `attack 33: the cursor goes back for nobody`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                for device in 1...5 { _ = try await node.join(device: device) }
                try await node.sees { $0.cursor == 5 }
                let admin = TestAdmin(node)
                for body in [#"{"cursor":0}"#, #"{"serving":{"cursor":1}}"#, #"{"admission":{"cursor":1}}"#] {
                    #expect(await admin.send(.put, "rooms/sale", body, ["If-Match": "\"1\""]).status == 422)
                }
                for action in ["cursor", "reset", "advance"] {
                    #expect(await admin.send(.post, "rooms/sale/\(action)", #"{"cursor":1}"#).status == 404)
                }
                // Not even the leader's own function lowers it.
                let lease = try await node.redis.call(["HMGET", "{r:sale}:leader", "owner", "fence"]).asArray ?? []
                let reply = try await node.redis.call(
                    RoomFunctions.advance,
                    keys: RoomKeys(try #require(RoomName("sale"))).forAdvance,
                    arguments: [
                        .text(lease.first?.asText ?? ""), .text(lease.last?.asText ?? ""), "1", "60", "open",
                    ]
                )
                #expect(reply.asArray?.first?.asInteger == 0 || reply.asArray?.last?.asInteger == 5)
                let cursor = try await node.redis.call(["HGET", "{r:sale}:meta", "cursor"])
                #expect(cursor.asInteger == 5)
            }
        }
    }

    @Test(arguments: [
        #"{"admission":{"per_minute":1000000000}}"#, #"{"admission":{"per_minute":0}}"#,
        #"{"admission":{"per_minute":-1}}"#, #"{"admission":{"per_minute":1e9}}"#,
        #"{"admission":{"per_minute":99999999999999999999}}"#, #"{"admission":{"active_max":1000000000}}"#,
        #"{"admission":{"burst":1000000000}}"#, #"{"pass":{"lifetime_seconds":1000000000}}"#,
    ])
    func `attack 33: a pace without sense is refused`(policy: String) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let reply = await TestAdmin(node).send(.put, "rooms/sale", policy, ["If-None-Match": "*"])
                #expect(reply.status == 422)
                let code = try reply.problem()
                #expect(code == .policyInvalid)
            }
        }
    }

    @Test(arguments: [
        ["--limit-address", "1000000000/1m"], ["--limit-join-address", "0/1m,1"], ["--ban-lengths", "99999h"],
        ["--ban-after", "1/1m,0"], ["--limit-shadow", "everything"], ["--limit-clients-max", "1000000000"],
        ["--ban-addresses-max", "0"], ["--limit-address", ""],
    ])
    func `attack 33: a limit without sense stops the start`(arguments: [String]) {
        #expect(throws: SettingsFault.self) { try AttackLimitTests.defaults(arguments) }
    }

    @Test func `attack 33: a wall clock that jumps opens no limit and ends no ban`() throws {
        // Limits count on the machine's clock that only grows; bans of other gateways come as what is left of them.
        let plan = LimitPlan(
            rules: [LimitRule(.address, nil, try Rate(60, burst: 2).orThrow())],
            bans: BanPolicy(after: try Rate(5, burst: 5).orThrow(), lengths: [60], calmSeconds: 60)
        )
        let clock = TestClock()
        let limits = Limits(plan, seed: 1, counters: LimitCounters(MetricsRegistry(), plan), clock: clock.read)
        let address = ClientAddress(ipv4: 0xCB00_7107)
        for _ in 0..<9 { _ = limits.check(address, account: nil, .poll) }
        // A clock set back by an hour, and forth by half a minute.
        for step in [-3_600_000, 3_600_000, 30_000] as [Int64] {
            clock.advance(milliseconds: step)
            #expect(limits.check(address, account: nil, .poll).outcome == .banned)
        }
        clock.advance(milliseconds: 30_000)
        #expect(limits.check(address, account: nil, .poll).isAllowed)
    }

    // MARK: 34: make a dependency time out to get in

    @Test func `attack 34: a store that hangs lets nobody in and forgets nobody who is kept out`() async throws {
        try await withTemporaryRedis { server in
            let arguments = ["--limit-poll-address", "600/1m,20"]
            try await withRunningGateway(server, arguments: arguments) { ports, _ in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let good = ["Authorization: Bearer \(ports.token)"]
                let policy = #"{"protects":[{"session":"\#(GatewayNode.session)"}]}"#
                let made = try await admin.ask("PUT", "/admin/v1/rooms/sale", good + ["If-None-Match: *"], body: policy)
                #expect(made.status == 201)
                let denied = #"{"entry":"127.0.0.66","reason":"bots"}"#
                #expect(try await admin.ask("PUT", "/admin/v1/deny", good, body: denied).status == 200)
                let outcast = try await RawClient.connect(
                    to: ports.visitors,
                    from: "127.0.0.66",
                    on: server.eventLoopGroup
                )
                try await eventually { try await outcast.ask("GET", "/v1/shows").status == 403 }

                await server.pause()
                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let shop = "/v1/sessions/\(GatewayNode.session)/holds"
                let device = "Usher-Device: \(GatewayNode.device(1))"
                // Long enough for every deadline to pass: the join itself waits for the store.
                #expect(try await visitor.ask("POST", "/v1/rooms/sale/join", [device]).status == 503)
                #expect(try await visitor.ask("POST", shop, ["Usher-Pass: forged"]).status == 401)
                #expect(try await visitor.ask("POST", shop).status == 403)
                #expect(
                    try await visitor.ask("GET", "/sessions/\(GatewayNode.session)", ["Accept: text/html"]).body
                        .contains("usher")
                )
                #expect(try await outcast.ask("GET", "/v1/shows").status == 403)
                var last = 0
                for _ in 0..<60 { last = try await visitor.ask("GET", "/.well-known/jwks.json").status }
                #expect(last == 429)
                // It may still be carried out when the store wakes up, so it asks for nothing that opens.
                let refused = try await admin.ask(
                    "POST",
                    "/admin/v1/rooms/sale/override",
                    good,
                    body: #"{"override":"paused"}"#
                )
                #expect(refused.status == 503)
                await server.resume()
                let after = try await visitor.ask("POST", shop)
                #expect(after.status == 403, "\(after.body)")
            }
        }
    }

    @Test func `attack 34: a booking service that hangs lets nobody in without a pass`() async throws {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 1_000_000)
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy(perMinute: 60, activeMax: 1, burst: 1))
                reports.fail()
                let first = try await node.join(device: 1).body.token
                _ = try await node.claimInTheEnd(first)
                let second = try await node.join(device: 2).body.token
                #expect(try await node.claim(second).status == 202)
                #expect(try await node.verdict([:]) == .refused(.passRequired))
                #expect(try await node.verdict(["Usher-Pass": second]) == .refused(.tokenInvalid))
            }
        }
    }
}
