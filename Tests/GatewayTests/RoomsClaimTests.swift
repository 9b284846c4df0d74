import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsClaimTests {
    @Test func `a called place gets a pass, and the same pass again`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let first = try await node.claimInTheEnd(place)
                #expect(first.status == 200)
                let reply = try first.decoded(ClaimReply.self)
                let again = try await node.claim(place).decoded(ClaimReply.self)
                #expect(again.pass.id == reply.pass.id)
                #expect(again.pass.endsAt == reply.pass.endsAt)
                let cookie = try #require(first.headers.first("Set-Cookie"))
                #expect(cookie.hasPrefix("usher-pass-sale=\(reply.pass.token);"))
                #expect(try await node.place(place, pass: reply.pass.token).place.state == .admitted)
                #expect(try await node.place(place).place.state == .called)
            }
        }
    }

    @Test func `attack 2: many claims of one place at once are one grant`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                try await node.sees { $0.cursor >= 1 }
                let ids = try await withThrowingTaskGroup(of: String.self) { tasks in
                    for _ in 0..<50 {
                        tasks.addTask { try await node.claimInTheEnd(place).decoded(ClaimReply.self).pass.id }
                    }
                    return try await tasks.reduce(into: Set<String>()) { $0.insert($1) }
                }
                #expect(ids.count == 1)
                #expect(try await GrantsRecord(node).grants.count == 1)
            }
        }
    }

    @Test func `pace and cap hold over a recorded run, with every visitor pushing`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys) { one in
                // 20 a second, 3 at once, 15 inside.
                try await one.open(try GatewayNode.policy(perMinute: 1200, activeMax: 15, burst: 3))
                try await withGateway(on: server, keys: keys) { two in
                    try await two.sees { $0.phase == .active }
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        for visitor in 0..<60 {
                            tasks.addTask {
                                let node = visitor % 2 == 0 ? one : two
                                let place = try await node.join(device: visitor).body.token
                                let pass = try await node.passToken(place)
                                _ = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Pass": pass])
                            }
                        }
                        try await tasks.waitForAll()
                    }
                }
                let record = try await GrantsRecord(one)
                #expect(record.grants.count == 60)
                #expect(record.paceBreaches(perMinute: 1200, burst: 3) == 0)
                #expect(record.liveMost <= 15)
            }
        }
    }

    @Test func `the cap holds even when many more are called`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(perMinute: 60_000, activeMax: 5, burst: 100))
                let places = try await (0..<12).asyncMap { try await node.join(device: $0).body.token }
                try await node.call(upTo: 12)
                let statuses = try await places.asyncMap { try await node.claim($0).status }
                #expect(statuses == Array(repeating: 200, count: 5) + Array(repeating: 202, count: 7))
                let late = try await node.claim(try #require(places.last))
                #expect(late.headers.first("Retry-After") == "2")
                #expect(try await GrantsRecord(node).liveMost == 5)
            }
        }
    }

    @Test func `an early claim is 202 with the place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let reply = try await node.claim(place)
                #expect(reply.status == 202)
                #expect(try reply.decoded(PlaceReply.self).place.state == .waiting)
            }
        }
    }

    @Test func `a place that is not claimed is parked, then forfeited, and its holder may join again`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                try await eventually { try await node.place(place).place.state == .called }
                try await node.change(try GatewayNode.policy(window: 1, grace: 300), version: 1)
                try await eventually { try await node.place(place).place.state == .parked }
                try await node.change(try GatewayNode.policy(window: 1, grace: 0), version: 2)
                try await eventually { try await node.place(place).place.state == .forfeited }
                let reply = try await node.claim(place)
                #expect(reply.status == 410)
                #expect(try reply.problem() == .placeForfeited)
                try await eventually { try await node.join(device: 1).body.place.number == 2 }
            }
        }
    }

    @Test func `a parked place may still claim`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(window: 1, grace: 60))
                let place = try await node.join(device: 1).body.token
                try await eventually { try await node.place(place).place.state == .parked }
                #expect(try await node.claim(place).status == 200)
            }
        }
    }

    @Test func `who asked in time is never too late`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(activeMax: 2, grace: 0))
                let first = try await node.join(device: 1).body.token
                let second = try await node.join(device: 2).body.token
                try await node.sees { $0.cursor == 2 }
                // Both are called; meanwhile the cap goes down to one.
                let name = try #require(RoomName("sale"))
                let smaller = try GatewayNode.policy(activeMax: 1, grace: 0)
                #expect(try await node.store.update(name, smaller, version: 1) == .done(version: 2))
                let pass = try await node.passToken(first)
                #expect(try await node.claim(second).status == 202)
                // Its window ends, and still it is called.
                let shorter = try GatewayNode.policy(activeMax: 1, window: 1, grace: 0)
                #expect(try await node.store.update(name, shorter, version: 2) == .done(version: 3))
                try await node.sees { $0.calls.forfeitedThrough == 2 }
                #expect(try await node.place(second).place.state == .called)
                #expect(try await node.claim(second).status == 202)
                _ = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Pass": pass])
                #expect(try await node.claimInTheEnd(second).status == 200)
            }
        }
    }

    @Test func `a pause stops calls and claims, and no window runs out in it`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                try await node.sees { $0.cursor == 1 }
                let before = try #require(node.rooms.view.rooms["sale"]?.snapshot.calls.calledAt(1))
                let name = try #require(RoomName("sale"))
                #expect(try await node.store.setOverride(name, .paused) == .done)
                try await node.sees { $0.isPaused && $0.pausedAt != nil }
                // A window that ended long ago, if time counted.
                #expect(
                    try await node.store.update(name, try GatewayNode.policy(window: 1, grace: 0), version: 1)
                        != .noRoom
                )
                _ = try await node.join(device: 2)
                let pausedAt = try await node.redisTime()
                try await eventually { try await node.redisTime() > pausedAt + 500 }
                #expect(try await node.claim(place).status == 202)
                #expect(try await node.place(place).eta.reason == "paused")
                try await node.sees { $0.cursor == 1 && $0.lastNumber == 2 }
                #expect(try await node.store.update(name, try GatewayNode.policy(), version: 2) != .noRoom)
                #expect(try await node.store.setOverride(name, .none) == .done)
                try await node.sees { !$0.isPaused }
                let after = try #require(node.rooms.view.rooms["sale"]?.snapshot.calls.calledAt(1))
                #expect(after - before >= .milliseconds(500))
                #expect(try await node.claimInTheEnd(place).status == 200)
                try await node.sees { $0.cursor == 2 }
            }
        }
    }

    @Test func `sold out stops the calling and tells everyone`() async throws {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 0)
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                try await node.sees { $0.outlook == .gone }
                let body = try await node.place(place)
                #expect(body.outlook == "gone")
                #expect(body.eta.reason == "sold_out")
                let reply = try await node.claim(place)
                #expect(reply.status == 410)
                #expect(try reply.problem() == .soldOut)
                try await node.sees { $0.cursor == 0 }
                // Somebody holds a seat again: not all is gone, and who is called would find none yet.
                reports.set(seats: 0, held: 1)
                try await node.sees { $0.outlook == .open }
                try await node.sees { $0.cursor == 0 }
                // It comes back, and the calling goes on.
                reports.set(seats: 1)
                try await node.sees { $0.cursor == 1 }
                #expect(try await node.claimInTheEnd(place).status == 200)
            }
        }
    }

    @Test func `a place that was left cannot be claimed`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                _ = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Place": place])
                let reply = try await node.claimInTheEnd(place)
                #expect(reply.status == 410)
                #expect(try reply.problem() == .placeForfeited)
            }
        }
    }

    @Test func `in a room for accounts only the account of the place gets its pass`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                let ring = try KeyRing.ephemeral(.account)
                node.rooms.update { $0.accountKeys = ring.keys }
                try await node.open(try GatewayNode.policy(identity: "account"))
                func bearer(_ user: String) throws -> String {
                    let now = WallClock.now().seconds
                    let token = AccountToken(userID: user, role: "buyer", issuedAt: now, expiresAt: now + 900)
                    return "Bearer \(try ring.sign(token))"
                }
                let joined = try await node.send(.post, "/v1/rooms/sale/join", ["Authorization": try bearer("usr_1")])
                let place = try joined.decoded(JoinReply.self).token
                try await node.sees { $0.cursor == 1 }
                let path = "/v1/rooms/sale/claim"
                let without = try await node.send(.post, path, ["Usher-Place": place])
                #expect(try without.problem() == .accountRequired)
                let foreign = try await node.send(
                    .post,
                    path,
                    ["Usher-Place": place, "Authorization": try bearer("usr_2")]
                )
                #expect(foreign.status == 403)
                #expect(try foreign.problem() == .forbidden)
                let own = try await node.send(
                    .post,
                    path,
                    ["Usher-Place": place, "Authorization": try bearer("usr_1")]
                )
                let pass = try own.decoded(ClaimReply.self).pass.token
                let claims = try node.keys.passes.verifyTag(ofPass: pass, room: "sale", at: WallClock.now().seconds)
                #expect(claims.account == "usr_1")
            }
        }
    }
}

extension GatewayNode {
    /// Moves the cursor as a leader would.
    func call(upTo number: Int) async throws {
        let keys = RoomKeys(try #require(RoomName("sale")))
        let lead = try await redis.call(RoomFunctions.lead, keys: keys.forLead, arguments: ["test", "60000"])
        let fence = try #require(lead.asArray?.first?.asInteger)
        let arguments: [RedisArgument] = ["test", .integer(fence), .integer(number), "60", "open"]
        _ = try await redis.call(RoomFunctions.advance, keys: keys.forAdvance, arguments: arguments)
        try await sees { $0.cursor == UInt64(number) }
    }

    func redisTime() async throws -> Int {
        let parts = try await redis.call(["TIME"]).asArray?.compactMap(\.asInteger) ?? []
        return parts.count == 2 ? parts[0] * 1000 + parts[1] / 1000 : 0
    }
}

/// The grants stream, replayed.
struct GrantsRecord {
    struct Entry {
        var at: Int
        var kind: String
        var pass: String
        var expiry: Int
    }

    let entries: [Entry]

    init(_ node: GatewayNode) async throws {
        let reply = try await node.redis.call(["XRANGE", "{r:sale}:grants", "-", "+"])
        entries = (reply.asArray ?? []).compactMap { entry in
            guard let parts = entry.asArray, let id = parts.first?.asText, let fields = parts.last?.asDictionary,
                let at = id.split(separator: "-").first.flatMap({ Int($0) }), let kind = fields["kind"]?.asText,
                let pass = fields["pid"]?.asText, let expiry = fields["exp"]?.asInteger
            else { return nil }
            return Entry(at: at, kind: kind, pass: pass, expiry: expiry)
        }
    }

    var grants: [Entry] { entries.filter { $0.kind == "grant" } }

    /// Windows from one grant to another with more grants than their share and the burst; a millisecond of rounding.
    func paceBreaches(perMinute: Int, burst: Int) -> Int {
        let times = grants.map(\.at)
        var breaches = 0
        for start in times.indices {
            for end in start..<times.count {
                let allowed = Double(times[end] - times[start] + 1) * Double(perMinute) / 60_000 + Double(burst)
                if Double(end - start + 1) > allowed { breaches += 1 }
            }
        }
        return breaches
    }

    /// The most passes that were live at one time.
    var liveMost: Int {
        var live: [String: Int] = [:]
        var most = 0
        for entry in entries {
            live = live.filter { entry.at < $0.value }
            if entry.kind == "end" { live[entry.pass] = nil } else { live[entry.pass] = entry.expiry }
            most = max(most, live.count)
        }
        return most
    }
}
