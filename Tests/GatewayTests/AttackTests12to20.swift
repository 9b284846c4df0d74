// Attacks on place and order, numbers 12 to 20 of the catalogue (18, the straggler at the seal, is in RoomsOrderTests).
import EdgeHTTP
import Foundation
import NIOCore
import NIOPosix
import QueueTokens
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct AttackTests12to20 {
    private func inRoom(_ policy: RoomPolicy, _ body: @Sendable (GatewayNode) async throws -> Void) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(policy)
                try await body(node)
            }
        }
    }

    private func number(_ reply: EdgeReply) throws -> UInt64 { try reply.decoded(JoinReply.self).place.number }

    @Test func `attack 12: dropping the place costs it nothing and gains no second one`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let first = try await node.join(device: 1).body.place.number
            for _ in 0..<20 { #expect(try await node.join(device: 1).body.place.number == first) }
            #expect(try await node.redis.call(["HGET", "{r:sale}:meta", "number"]).asInteger == 1)
        }
    }

    @Test func `attack 13: one join delivered many times, and cut off before its reply, is one place`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let numbers = try await withThrowingTaskGroup(of: UInt64.self) { tasks in
                for _ in 0..<200 { tasks.addTask { try await node.join(device: 1).body.place.number } }
                return try await tasks.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(numbers.count == 1)
            // The reply that never came: the store has the place, and the visitor asks again.
            let loop = node.group.next()
            try await loop.submit { [rooms = node.rooms] in
                let head = EdgeRequestHead(
                    method: .post,
                    target: Path.room("sale", "join"),
                    headers: ["Usher-Device": GatewayNode.device(2)],
                    isSecure: false
                )
                let request = EdgeRequest(
                    head: head,
                    body: .init(),
                    clientAddress: ClientAddress(ipv4: 0x7F00_0001),
                    id: .none
                )
                guard case .soon(let begin) = rooms.on(loop).answer(request) else { return }
                begin { _ in }
            }.get()
            try await eventually { try await node.redis.call(["HLEN", "{r:sale}:tags"]).asInteger == 2 }
            #expect(try await node.join(device: 2).reply.status == 200)
        }
    }

    @Test(arguments: [
        "", "short", "has space in it 123456789", String(repeating: "x", count: 65), "device-äöü-0000000000000",
    ])
    func `attack 14: a join that cannot be understood burns no number`(device: String) async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let reply = try await node.send(.post, Path.room("sale", "join"), ["Usher-Device": device])
            #expect(reply.status == 400)
            #expect(try await node.join(device: 1).body.place.number == 1)
        }
    }

    @Test func `attack 15: no id a client chooses reads, claims or takes over the place of another`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let own = try await node.join(device: 1).body
            let device = GatewayNode.device(1)
            for other in [device + "0", String(device.dropLast()) + "2", device.uppercased(), device + "-junk"] {
                let reply = try await node.send(.post, Path.room("sale", "join"), ["Usher-Device": other])
                #expect(try number(reply) != own.place.number, "\(other)")
            }
            try await node.call(upTo: 1)
            for header in ["1", own.place.number.description, own.receipt.entry, "Bearer \(own.token)"] {
                let claim = try await node.send(.post, Path.room("sale", "claim"), ["Usher-Place": header])
                #expect(claim.status == 401, "\(header)")
            }
            // The place of another, shown with one's own device, is not one's own.
            let shown: EdgeHeaders = ["Usher-Device": GatewayNode.device(50), "Usher-Place": own.token]
            let reply = try await node.send(.post, Path.room("sale", "join"), shown)
            #expect(try number(reply) != own.place.number)
        }
    }

    @Test func `attack 16: no time a client sends is taken for its arrival`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let before = Int64(try await node.redisTime()) - 5
            let headers: EdgeHeaders = [
                "Usher-Device": GatewayNode.device(1), "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
                "Cookie": "usher-arrived=1; arrived_at=1; usher-time=0", "X-Request-Start": "t=1",
            ]
            let body = #"{"arrived_at":"1970-01-01T00:00:00.000Z","arrived_at_ms":1,"place":0}"#
            let reply = try await node.send(.post, Path.room("sale", "join") + "?arrived_at_ms=1", headers, body: body)
            let joined = try reply.decoded(JoinReply.self)
            #expect(joined.receipt.arrivedAtMS >= before)
            #expect(joined.receipt.arrivedAtMS <= Int64(try await node.redisTime()) + 5)
        }
    }

    @Test func `attack 17: no number below, beyond or at the end of all numbers is called`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            for device in 0..<3 { _ = try await node.join(device: device) }
            try await node.call(upTo: 3)
            let now = WallClock.now().seconds
            for place in [0, 4, 1000, Int64(UInt32.max), Int64.max] {
                let token = try node.keys.places.sign(
                    PlaceToken(
                        room: "sale",
                        subject: "AAAAAAAAAAAAAAAAAAAAAA",
                        place: place,
                        cohort: .live,
                        generation: 1,
                        policy: "p",
                        issuedAt: now,
                        expiresAt: now + 600
                    )
                )
                let claim = try await node.claim(token)
                #expect(claim.status == (place == 0 ? 401 : 202), "\(place)")
                let poll = try await node.send(.get, Path.room("sale", "place"), ["Usher-Place": token])
                #expect(poll.status == (place == 0 ? 401 : 200), "\(place)")
            }
            // The cursor stops at the last place, however far it is sent.
            let keys = RoomKeys(try #require(RoomName("sale")))
            let lease = try await node.takeLead()
            for wanted in ["9007199254740993", "-5", "nan", "1e300"] {
                let arguments: [RedisArgument] = lease.arguments + [.text(wanted), "60", "open"]
                _ = try await node.redis.call(RoomFunctions.advance, keys: keys.forAdvance, arguments: arguments)
                #expect(try await node.redis.call(["HGET", keys.meta, "cursor"]).asInteger == 3, "\(wanted)")
            }
        }
    }

    @Test func `attack 19: who goes and comes back stands where it stood, unless it left`() async throws {
        try await inRoom(try GatewayNode.policy()) { node in
            let place = try await node.join(device: 1).body
            _ = try await node.join(device: 2)
            // A new tab, a cleared place cookie with the device kept, the place kept with the device shown again.
            #expect(try await node.join(device: 1).body.place.number == place.place.number)
            let both: EdgeHeaders = ["Usher-Device": GatewayNode.device(1), "Usher-Place": place.token]
            let back = try await node.send(.post, Path.room("sale", "join"), both)
            #expect(try number(back) == place.place.number)
            #expect(try await node.place(place.token).place.number == place.place.number)
            let left = try await node.send(.post, Path.room("sale", "leave"), ["Usher-Place": place.token])
            #expect(left.status == 204)
            // The old token is no way back to the front.
            let end = try await node.send(.post, Path.room("sale", "join"), both)
            #expect(try number(end) == 3)
        }
    }

    @Test func `attack 20: ten thousand abandoned places at the front hold up nobody for long`() async throws {
        try await withTemporaryRedis { server in
            let policy = try GatewayNode.policy(perMinute: 600_000, activeMax: 100, window: 1, grace: 1)
            try await withGateway(on: server) { node in
                try await node.open(policy, phase: .prequeue)
                let name = try #require(RoomName("sale"))
                try await node.abandon(places: 10_000)
                let real = try await node.join(device: 1).body
                #expect(real.place.number == 10_001)
                #expect(try await node.store.setPhase(name, from: .prequeue, to: .active) == .done)
                #expect(try await node.claimInTheEnd(real.token, within: .seconds(60)).status == 200)
            }
        }
    }
}

extension GatewayNode {
    /// Places taken by nobody who will come.
    fileprivate func abandon(places count: Int) async throws {
        let name = try #require(RoomName("sale"))
        for start in stride(from: 0, to: count, by: 500) {
            let members = (start..<(start + 500)).flatMap { index -> [RedisArgument] in
                let tag = [UInt8](repeating: 7, count: 12) + withUnsafeBytes(of: UInt32(index).bigEndian) { Array($0) }
                return [.bytes(tag + [0, 0, 1, 0, 0, 0, 0, 0]), "", "0"]
            }
            let arguments: [RedisArgument] = ["0", "0"] + members
            _ = try await redis.call(RoomFunctions.join, keys: RoomKeys(name).forJoin, arguments: arguments)
        }
    }
}
