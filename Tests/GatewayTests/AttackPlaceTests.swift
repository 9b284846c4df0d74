import EdgeHTTP
import Foundation
import NIOCore
import QueueTokens
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// Attacks 2, 13, 15, 16 and 19: one place for one visitor, and no other way to a better one.
struct AttackPlaceTests {
    @Test
    func `attack 2: claims of one place raced through two gateways are one pass, and a used one comes never back`()
        async throws
    {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await one.open(try GatewayNode.policy())
                    let place = try await one.join(device: 1).body.token
                    try await one.sees { $0.cursor >= 1 }
                    try await two.sees { $0.cursor >= 1 }
                    let ids = try await withThrowingTaskGroup(of: String.self) { tasks in
                        for index in 0..<60 {
                            let node = index % 2 == 0 ? one : two
                            tasks.addTask { try await node.claimInTheEnd(place).decoded(ClaimReply.self).pass.id }
                        }
                        return try await tasks.reduce(into: Set<String>()) { $0.insert($1) }
                    }
                    #expect(ids.count == 1)
                    #expect(try await GrantsRecord(one).grants.count == 1)
                    let pass = try await one.passToken(place)
                    _ = try await one.send(.post, "/v1/rooms/sale/leave", ["Usher-Pass": pass])
                    for node in [one, two] {
                        let replayed = try await node.claimInTheEnd(place)
                        #expect(try replayed.problem() == .placeForfeited)
                        try await eventually {
                            try await node.verdict(["Usher-Pass": pass]) == .refused(.passExpired)
                        }
                    }
                }
            }
        }
    }

    @Test func `attack 13: one device that joins at once, again and through two gateways has one place`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await one.open(try GatewayNode.policy())
                    try await two.sees { $0.phase == .active }
                    let replies = try await withThrowingTaskGroup(of: (Int, UInt64).self) { tasks in
                        for index in 0..<80 {
                            let node = index % 2 == 0 ? one : two
                            tasks.addTask {
                                let joined = try await node.join(device: 1)
                                return (joined.reply.status, joined.body.place.number)
                            }
                        }
                        return try await tasks.reduce(into: [(Int, UInt64)]()) { $0.append($1) }
                    }
                    #expect(Set(replies.map(\.1)) == [1])
                    #expect(replies.count { $0.0 == 201 } == 1)
                    #expect(try await one.join(device: 2).body.place.number == 2)
                }
            }
        }
    }

    @Test func `attack 13: a join whose answer was lost behind its number gets that number`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                // The connections to the store are cut while joins are under way: some calls were carried out unheard.
                let numbers = try await withThrowingTaskGroup(of: (Int, UInt64).self) { tasks in
                    for device in 0..<60 {
                        tasks.addTask { (device, try await joinInTheEnd(node, device: device)) }
                    }
                    for _ in 0..<5 {
                        _ = try? await node.redis.call(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
                    }
                    return try await tasks.reduce(into: [Int: UInt64]()) { $0[$1.0] = $1.1 }
                }
                #expect(Set(numbers.values).count == 60)
                for (device, number) in numbers {
                    #expect(try await node.join(device: device).body.place.number == number)
                }
            }
        }
    }

    private func joinInTheEnd(_ node: GatewayNode, device: Int) async throws -> UInt64 {
        var number: UInt64?
        try await eventually {
            let reply = try await node.send(
                .post,
                Path.room("sale", "join"),
                ["Usher-Device": GatewayNode.device(device)]
            )
            guard reply.status < 300 else { return false }
            number = try reply.decoded(JoinReply.self).place.number
            return true
        }
        return try #require(number)
    }

    @Test(arguments: [
        "4f9d2c71e8a35b60d4f9d2c7", "4f9d2c71-e8a3-5b60-d4f9-d2c71e8a35b6", "AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func `attack 15: what trails a device's id makes it another id or none, never the same`(id: String) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                func join(_ device: String) async throws -> EdgeReply {
                    try await node.send(.post, Path.room("sale", "join"), ["Usher-Device": device])
                }
                #expect(try await join(id).status == 201)
                for junk in [" x", ";x", "%20", "\u{00e9}", "\"", ",\(id)", "/..", "=", "\\"] {
                    #expect(try await join(id + junk).problem() == .deviceRequired, "\(junk)")
                }
                let long = String(repeating: "a", count: 65)
                #expect(try await join(long).problem() == .deviceRequired)
                #expect(try await join(String(id.dropLast(id.utf8.count - 21))).problem() == .deviceRequired)
                #expect(try await join(id + "0").status == 201)
                #expect(try await join(id.lowercased() == id ? id.uppercased() : id.lowercased()).status == 201)
                #expect(try await join(id).status == 200)
            }
        }
    }

    @Test func `attack 15: a number, a tag or a device's id is not a place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body.token
                let token = try node.keys.places.verifyTag(ofPlace: place, room: "sale", at: WallClock.now().seconds)
                // What can be guessed, read or enumerated opens nothing.
                for guess in ["1", token.subject, GatewayNode.device(1), token.tokenID, "sale/1"] {
                    for (method, action) in [
                        (EdgeMethod.get, "place"), (.post, "claim"), (.post, "leave"), (.post, "extend"),
                    ] {
                        let reply = try await node.send(method, Path.room("sale", action), ["Usher-Place": guess])
                        #expect(reply.status == 401, "\(guess) at \(action)")
                    }
                }
                // Whoever has another's device id gets the place that is there: it is a secret of 128 bits.
                #expect(try await node.join(device: 1).reply.status == 200)
                let tag = try await node.redis.call(["HKEYS", "{r:sale}:tags"]).asArray?.first?.asBytes
                #expect(tag?.count == 16)
            }
        }
    }

    @Test func `attack 16: no time of a visitor moves a place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let before = try await node.redisTime()
                _ = try await node.join(device: 1)
                let early = "2001-01-01T00:00:00.000Z"
                let forged: EdgeHeaders = [
                    "Usher-Device": GatewayNode.device(2), "Date": "Mon, 01 Jan 2001 00:00:00 GMT",
                    "X-Request-Start": "t=978307200000", "Usher-Arrived": early, "X-Arrival": early,
                    "If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT",
                    "Cookie": "usher-arrived=978307200000; __waiting_room_last_update_time=9999999999999",
                ]
                let reply = try await node.send(
                    .post,
                    Path.room("sale", "join") + "?arrived_at=978307200000",
                    forged,
                    body: #"{"arrived_at_ms":978307200000,"number":1}"#
                )
                #expect(reply.status == 201)
                let joined = try reply.decoded(JoinReply.self)
                #expect(joined.place.number == 2)
                let log = try await node.redis.call(["GETRANGE", "{r:sale}:log", "0", "-1"]).asBytes ?? []
                try #require(log.count == 48)
                let after = try await node.redisTime()
                for entry in [log[16..<24], log[40..<48]] {
                    let arrived = entry.reduce(0) { $0 << 8 | Int($1) }
                    #expect((before - 1000...after + 1000).contains(arrived))
                }
                let poll = try await node.send(
                    .get,
                    Path.room("sale", "place"),
                    ["Usher-Place": joined.token, "Date": "Fri, 01 Jan 2100 00:00:00 GMT"]
                )
                #expect(try poll.decoded(PlaceReply.self).place.ahead == 1)
            }
        }
    }

    @Test func `attack 19: a place survives refresh, closing and lost cookies as far as the device is known`()
        async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body
                for device in 2...4 { _ = try await node.join(device: device) }
                // Refresh, or the tab opened again: the cookies are there.
                let cookies = "usher-device=\(GatewayNode.device(1)); usher-place-sale=\(place.token)"
                let back = try await node.send(.get, Path.room("sale", "place"), ["Cookie": cookies])
                #expect(try back.decoded(PlaceReply.self).place.number == 1)
                // The place's cookie is lost, the device's is not.
                let half: EdgeHeaders = ["Cookie": "usher-device=\(GatewayNode.device(1))"]
                let again = try await node.send(.post, Path.room("sale", "join"), half)
                #expect(again.status == 200)
                #expect(try again.decoded(JoinReply.self).place.number == 1)
                // The device's cookie is lost, the place's is not: the place goes on as it is.
                let other: EdgeHeaders = ["Cookie": "usher-place-sale=\(place.token)"]
                let alone = try await node.send(.get, Path.room("sale", "place"), other)
                #expect(try alone.decoded(PlaceReply.self).place.number == 1)
                // All cookies are lost: nothing tells this device from a new one, and a new place is at the end.
                let fresh = try await node.send(
                    .post,
                    Path.room("sale", "join"),
                    ["Usher-Device": GatewayNode.device(9)]
                )
                #expect(try fresh.decoded(JoinReply.self).place.number == 5)
                // A visitor's clock counts for nothing.
                let token = try node.keys.places.verifyTag(
                    ofPlace: place.token,
                    room: "sale",
                    at: WallClock.now().seconds
                )
                #expect(token.expiresAt - token.issuedAt == LoopRooms.placeLifeSeconds)
            }
        }
    }
}
