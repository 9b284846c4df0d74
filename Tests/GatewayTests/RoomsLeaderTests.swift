import EdgeHTTP
import NIOCore
import NIOPosix
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsLeaderTests {
    @Test func `one gateway leads, and another takes over when it is gone`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { watcher in
                try await watcher.open(try GatewayNode.policy())
                _ = try await watcher.join(device: 1)
                try await withGateway(on: server, keys: keys) { _ in
                    try await watcher.sees { $0.cursor == 1 }
                }
                let first = try await watcher.lease()
                _ = try await watcher.join(device: 2)
                try await withGateway(on: server, keys: keys) { _ in
                    try await withGateway(on: server, keys: keys) { _ in
                        try await watcher.sees { $0.cursor == 2 }
                        let second = try await watcher.lease()
                        let fences = [first, second].map { $0["fence"].flatMap(Int.init) ?? 0 }
                        #expect(fences[0] >= 1 && fences[1] > fences[0])
                        #expect(second["owner"] != first["owner"])
                    }
                }
            }
        }
    }

    @Test func `a leader whose lease is lost cannot move the cursor`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                for device in 0..<5 { _ = try await node.join(device: device) }
                let name = try #require(RoomName("sale"))
                let keys = RoomKeys(name)
                func lead(_ owner: String, lease: Int) async throws -> Int? {
                    let arguments: [RedisArgument] = [.text(owner), .integer(lease)]
                    let reply = try await node.redis.call(RoomFunctions.lead, keys: keys.forLead, arguments: arguments)
                    return reply.asArray?.first?.asInteger
                }
                func advance(_ owner: String, fence: Int, to cursor: Int) async throws -> [Int] {
                    let arguments: [RedisArgument] = [
                        .text(owner), .integer(fence), .integer(cursor), "60", "open",
                    ]
                    let reply = try await node.redis.call(
                        RoomFunctions.advance,
                        keys: keys.forAdvance,
                        arguments: arguments
                    )
                    return reply.asArray?.compactMap(\.asInteger) ?? []
                }
                #expect(try await lead("old", lease: 1) == 1)
                try await eventually { try await lead("new", lease: 60_000) == 2 }
                #expect(try await lead("old", lease: 1000) == 0)
                #expect(try await advance("old", fence: 1, to: 3) == [0])
                #expect(try await advance("new", fence: 1, to: 3) == [0])
                #expect(try await advance("new", fence: 2, to: 3) == [1, 3])
                // Never back, never beyond the last place.
                #expect(try await advance("new", fence: 2, to: 1) == [1, 3])
                #expect(try await advance("new", fence: 2, to: 99) == [1, 5])
            }
        }
    }

    @Test(arguments: [true, false])
    func `who is absent when called is not waited for`(isPresent: Bool) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                for device in 0..<3 { _ = try await node.join(device: device) }
                if !isPresent { _ = try await node.redis.call(["DEL", "{r:sale}:presence"]) }
                let keys = RoomKeys(try #require(RoomName("sale")))
                func undecided() async throws -> Int? {
                    let arguments: [RedisArgument] = ["leader", "60000"]
                    let reply = try await node.redis.call(RoomFunctions.lead, keys: keys.forLead, arguments: arguments)
                    return reply.asArray?[7].asInteger
                }
                #expect(try await undecided() == 0)
                let arguments: [RedisArgument] = ["leader", "1", "3", "60", "open"]
                _ = try await node.redis.call(RoomFunctions.advance, keys: keys.forAdvance, arguments: arguments)
                #expect(try await undecided() == (isPresent ? 3 : 0))
            }
        }
    }

    @Test func `a poll near the front marks presence`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                _ = try await node.redis.call(["DEL", "{r:sale}:presence"])
                try await eventually {
                    _ = try await node.place(place)
                    return try await node.redis.call(["ZSCORE", "{r:sale}:presence", "1"]).asText != nil
                }
            }
        }
    }

    @Test func `the schedule opens and closes a room`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                func schedule(_ names: String...) throws -> RoomPolicy {
                    let times = ["join_opens_at", "sale_opens_at", "closes_at"].map { name in
                        let time = names.contains(name) ? "2020-01-01T00:00:00Z" : "2100-01-01T00:00:00Z"
                        return "\"\(name)\":\"\(time)\""
                    }
                    return try GatewayNode.policy(schedule: "{\(times.joined(separator: ","))}")
                }
                try await node.open(try schedule(), phase: .scheduled)
                try await node.change(try schedule("join_opens_at"), version: 1)
                try await node.sees { $0.phase == .prequeue }
                let place = try await node.join(device: 1).body.token
                #expect(try await node.claim(place).status == 202)
                try await node.change(try schedule("join_opens_at", "sale_opens_at"), version: 2)
                try await node.sees { $0.phase == .active }
                let pass = try await node.passToken(place)
                try await node.change(try schedule("join_opens_at", "sale_opens_at", "closes_at"), version: 3)
                try await node.sees { $0.phase == .draining || $0.phase == .closed }
                _ = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Pass": pass])
                try await node.sees { $0.phase == .closed }
                #expect(try await node.claim(place).status == 410)
            }
        }
    }

    @Test func `a report that does not come stops nobody and speeds nothing up`() async throws {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 10)
            reports.fail()
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                #expect(try await node.claimInTheEnd(place).status == 200)
            }
        }
    }

    @Test(arguments: [PlainFetch.Failure.unreachable, .timedOut, .closedEarly, .status(503)])
    func `with booking away nobody is called or admitted, and no window runs out`(
        _ failure: PlainFetch.Failure
    ) async throws {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 10)
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                try await node.sees { $0.cursor == 1 }
                reports.fail(failure)
                try await node.sees { $0.outlook == .away && $0.pausedAt != nil }
                // A window that ended long ago, if time counted.
                let name = try #require(RoomName("sale"))
                #expect(
                    try await node.store.update(name, try GatewayNode.policy(window: 1, grace: 0), version: 1)
                        != .noRoom
                )
                let later = try await node.join(device: 2).body.token
                let start = try await node.redisTime()
                try await eventually { try await node.redisTime() > start + 1200 }
                #expect(try await node.claim(place).status == 202)
                #expect(try await node.place(place).place.state == .called)
                #expect(try await node.place(later).place.state == .waiting)
                #expect(try await node.store.update(name, try GatewayNode.policy(), version: 2) != .noRoom)
                reports.set(seats: 10)
                #expect(try await node.claimInTheEnd(place).status == 200)
                #expect(try await node.claimInTheEnd(later).status == 200)
                try await node.sees { $0.outlook == .open && $0.pausedAt == nil }
            }
        }
    }

    @Test func `who does not come when called makes room for those behind`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                // Two inside; the first two never claim.
                try await node.open(try GatewayNode.policy(activeMax: 2, window: 1, grace: 60))
                for device in 0..<4 { _ = try await node.join(device: device) }
                let third = try await node.join(device: 2).body.token
                try await node.sees { $0.cursor >= 3 }
                #expect(try await node.claimInTheEnd(third).status == 200)
            }
        }
    }
}

extension GatewayNode {
    func lease() async throws -> [String: String] {
        let fields = try await redis.call(["HGETALL", "{r:sale}:leader"]).asDictionary ?? [:]
        return fields.compactMapValues(\.asText)
    }
}
