import EdgeHTTP
import Foundation
import NIOCore
import QueueTokens
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsJoinTests {
    @Test func `a second join gives back the first place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let first = try await node.join(device: 1)
                let again = try await node.join(device: 1)
                let other = try await node.join(device: 2)
                let statuses: [Int] = [first.reply.status, again.reply.status, other.reply.status]
                #expect(statuses == [201, 200, 201])
                let numbers: [UInt64] = [first.body.place.number, again.body.place.number, other.body.place.number]
                #expect(numbers == [1, 1, 2])
                #expect(other.body.place.ahead == 1)
                let cookie = try #require(first.reply.headers.first("Set-Cookie"))
                #expect(cookie.hasPrefix("usher-place-sale=\(first.body.token);"))
                #expect(cookie.hasSuffix("; HttpOnly; SameSite=Lax") && cookie.contains("Path=/"))
            }
        }
    }

    @Test func `many joins at once through two gateways take each number once, in few calls`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await one.open(try GatewayNode.policy())
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await two.sees { $0.phase == .active }
                    let count = 2000
                    let numbers = try await withThrowingTaskGroup(of: (Int, UInt64).self) { tasks in
                        for device in 0..<count {
                            // Everybody joins twice: a double click.
                            for node in [one, two] {
                                tasks.addTask { (device, try await node.join(device: device).body.place.number) }
                            }
                        }
                        return try await tasks.reduce(into: [Int: Set<UInt64>]()) { $0[$1.0, default: []].insert($1.1) }
                    }
                    #expect(numbers.values.allSatisfy { $0.count == 1 })
                    #expect(Set(numbers.values.joined()) == Set(1...UInt64(count)))
                    let log = try await one.redis.call(["STRLEN", "{r:sale}:log"])
                    #expect(log.asInteger == 24 * count)
                    let calls = try await functionCalls(one)
                    #expect(calls < count / 2)
                }
            }
        }
    }

    /// Calls of any function since the start of the server.
    private func functionCalls(_ node: GatewayNode) async throws -> Int {
        let text = try await node.redis.call(["INFO", "commandstats"]).asText ?? ""
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_fcall:calls=") } ?? ""
        return Int(line.dropFirst("cmdstat_fcall:calls=".count).prefix { $0.isNumber }) ?? 0
    }

    @Test func `whoever is answered first has the lower number, whatever the gateway`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await one.open(try GatewayNode.policy())
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await two.sees { $0.phase == .active }
                    var last: UInt64 = 0
                    for device in 0..<60 {
                        let number = try await (device % 2 == 0 ? one : two).join(device: device).body.place.number
                        #expect(number > last)
                        last = number
                    }
                }
            }
        }
    }

    @Test(arguments: [
        (Phase.draft, 409, ProblemCode.roomNotOpen), (.scheduled, 409, .roomNotOpen), (.draining, 409, .roomClosed),
        (.closed, 409, .roomClosed),
    ])
    func `a room that takes no places says so`(phase: Phase, status: Int, code: ProblemCode) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(), phase: phase)
                let reply = try await node.send(
                    .post,
                    "/v1/rooms/sale/join",
                    ["Usher-Device": GatewayNode.device(1)]
                )
                #expect(reply.status == status)
                #expect(try reply.problem() == code)
                let log = try await node.redis.call(["EXISTS", "{r:sale}:log"])
                #expect(log.asInteger == 0)
            }
        }
    }

    @Test func `a join that cannot be understood takes no number`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let cases: [(EdgeMethod, String, EdgeHeaders, Int, ProblemCode)] = [
                    (.post, "/v1/rooms/sale/join", [:], 400, .deviceRequired),
                    (.post, "/v1/rooms/sale/join", ["Usher-Device": "short"], 400, .deviceRequired),
                    (
                        .post, "/v1/rooms/sale/join", ["Usher-Device": "device-with-a-space in-it-0000"], 400,
                        .deviceRequired
                    ),
                    (.post, "/v1/rooms/nowhere/join", ["Usher-Device": GatewayNode.device(1)], 404, .notFound),
                    (.get, "/v1/rooms/sale/join", ["Usher-Device": GatewayNode.device(1)], 405, .methodNotAllowed),
                    (.post, "/v1/rooms/sale/joined", ["Usher-Device": GatewayNode.device(1)], 404, .notFound),
                ]
                for (method, path, headers, status, code) in cases {
                    let reply = try await node.send(method, path, headers)
                    #expect(reply.status == status, "\(path)")
                    #expect(try reply.problem() == code, "\(path)")
                }
                #expect(try await node.join(device: 9).body.place.number == 1)
            }
        }
    }

    @Test func `a room for accounts gives one place to an account, on any device`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let ring = try KeyRing.ephemeral(.account)
                node.rooms.update { $0.accountKeys = ring.keys }
                try await node.open(try GatewayNode.policy(identity: "account"))
                func bearer(_ user: String, age: Int64 = 0) throws -> EdgeHeaders {
                    let now = WallClock.now().seconds - age
                    let token = AccountToken(userID: user, role: "buyer", issuedAt: now, expiresAt: now + 900)
                    return ["Authorization": "Bearer \(try ring.sign(token))", "Usher-Device": GatewayNode.device(1)]
                }
                let path = "/v1/rooms/sale/join"
                let without = try await node.send(.post, path, ["Usher-Device": GatewayNode.device(1)])
                #expect(without.status == 401)
                #expect(try without.problem() == .accountRequired)
                let expired = try await node.send(.post, path, try bearer("usr_1", age: 901))
                #expect(expired.status == 401)
                #expect(try expired.problem() == .tokenExpired)
                let forged = try await node.send(.post, path, ["Authorization": "Bearer a.b.c"])
                #expect(try forged.problem() == .tokenInvalid)
                let first = try await node.send(.post, path, try bearer("usr_1"))
                let second = try await node.send(.post, path, try bearer("usr_1"))
                let other = try await node.send(.post, path, try bearer("usr_2"))
                let statuses: [Int] = [first.status, second.status, other.status]
                #expect(statuses == [201, 200, 201])
                #expect(try other.decoded(JoinReply.self).place.number == 2)
            }
        }
    }

    @Test func `who leaves and joins again stands at the end`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let first = try await node.join(device: 1)
                _ = try await node.join(device: 2)
                let left = try await node.send(.post, "/v1/rooms/sale/leave", ["Usher-Place": first.body.token])
                #expect(left.status == 204)
                #expect(left.headers.all("Set-Cookie").allSatisfy { $0.contains("Max-Age=0") })
                #expect(try await node.join(device: 1).body.place.number == 3)
            }
        }
    }

    @Test func `a store that has forgotten numbers gives none of them again`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                for device in 0..<20 { _ = try await node.join(device: device) }
                // The last writes are lost, as after a crash with an append-only file cut short.
                _ = try await node.redis.call(["HSET", "{r:sale}:meta", "number", "5"])
                for device in 5..<20 {
                    let tag = try await node.tag(ofDevice: device)
                    _ = try await node.redis.call(["HDEL", "{r:sale}:tags", .bytes(tag)])
                }
                // Both loops have seen numbers; whichever is asked knows at least one higher than the store.
                let numbers = try await (100..<104).asyncMap { try await node.join(device: $0).body.place.number }
                #expect(Set(numbers).count == 4)
                #expect(numbers.allSatisfy { $0 > 20 })
                try await node.sees { $0.epoch > 1 }
            }
        }
    }
}

extension GatewayNode {
    func tag(ofDevice device: Int) async throws -> [UInt8] {
        let room = try #require(rooms.view.rooms["sale"])
        return try #require(room.dedupeTag(device: Self.device(device)))
    }
}

extension Sequence where Element: Sendable {
    func asyncMap<Outcome>(_ transform: (Element) async throws -> Outcome) async rethrows -> [Outcome] {
        var outcomes: [Outcome] = []
        for element in self { outcomes.append(try await transform(element)) }
        return outcomes
    }
}
