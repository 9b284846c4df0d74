import EdgeHTTP
import NIOCore
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsExtendTests {
    private static func policy(window: Int = 30, extensions: Int = 2) throws -> RoomPolicy {
        var policy = try GatewayNode.policy(window: window, grace: 0)
        policy.claim.extensionsMax = extensions
        return policy
    }

    private func extend(_ node: GatewayNode, _ place: String) async throws -> EdgeReply {
        try await node.send(.post, Path.room("sale", "extend"), ["Usher-Place": place])
    }

    /// Lets the time of an extended place pass, in the store.
    private func pass(_ milliseconds: Int, _ node: GatewayNode) async throws {
        _ = try await node.redis.call(["ZINCRBY", "{r:sale}:extended", .integer(-milliseconds), "1"])
    }

    @Test func `a called visitor gets one window more at each asking, as often as the policy says`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try Self.policy())
                let place = try await node.join(device: 1).body.token
                #expect(try await extend(node, place).problem() == .placeNotCalled)
                try await node.call(upTo: 1)
                let before = try await node.place(place)
                #expect(before.place.state == .called && before.claim.extensionsLeft == 2)
                let called = try #require(before.claim.deadline.flatMap { Moment(rfc3339: $0) })

                let first = try await extend(node, place).decoded(ExtendReply.self).claim
                #expect(first.extensionsLeft == 1)
                #expect(first.deadline.flatMap { Moment(rfc3339: $0) } == called + .seconds(30))
                // The same again is the same again.
                let double = try await extend(node, place).decoded(ExtendReply.self).claim
                #expect(double.extensionsLeft == 1 && double.deadline == first.deadline)
                try await node.sees { $0.extensionsUsed[1] == 1 }
                let shown = try await node.place(place).claim
                #expect(shown.deadline == first.deadline && shown.extensionsLeft == 1)

                try await pass(40_000, node)
                let second = try await extend(node, place).decoded(ExtendReply.self).claim
                #expect(second.extensionsLeft == 0)
                try await pass(40_000, node)
                let third = try await extend(node, place)
                #expect(third.status == 409)
                #expect(try third.problem() == .extensionsSpent)
            }
        }
    }

    @Test func `many clicks at once through two gateways are one extension`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await one.open(try Self.policy(extensions: 10))
                    let place = try await one.join(device: 1).body.token
                    try await one.call(upTo: 1)
                    try await two.sees { $0.cursor == 1 }
                    let claims = try await withThrowingTaskGroup(of: String.self) { tasks in
                        for index in 0..<20 {
                            tasks.addTask {
                                let claim = try await extend(index % 2 == 0 ? one : two, place)
                                    .decoded(ExtendReply.self).claim
                                return "\(claim.deadline ?? "") \(claim.extensionsLeft ?? -1)"
                            }
                        }
                        return try await tasks.reduce(into: Set<String>()) { $0.insert($1) }
                    }
                    #expect(claims.count == 1)
                    #expect(claims.first?.hasSuffix(" 9") == true)
                }
            }
        }
    }

    @Test func `an extended place is claimed after its window, and keeps its holder's place with a second join`()
        async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try Self.policy(window: 1))
                let joined = try await node.join(device: 1).body
                _ = try await node.join(device: 2)
                try await node.call(upTo: 1)
                #expect(try await extend(node, joined.token).status == 200)
                try await pass(-600_000, node)
                try await node.sees { ($0.calls.calledAt(1) ?? $0.asOf) + .seconds(1) < $0.asOf }
                #expect(try await node.place(joined.token).place.state == .called)
                #expect(try await node.join(device: 1).body.place.number == 1)
                #expect(try await node.claimInTheEnd(joined.token).status == 200)
                #expect(try await extend(node, joined.token).problem() == .placeForfeited)
            }
        }
    }

    @Test func `who has no place, or comes too late, gets no time`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try Self.policy(window: 1))
                let place = try await node.join(device: 1).body.token
                #expect(try await node.send(.post, Path.room("sale", "extend")).problem() == .unauthenticated)
                #expect(try await node.send(.get, Path.room("sale", "extend")).problem() == .methodNotAllowed)
                #expect(try await node.send(.post, Path.room("none", "extend")).problem() == .notFound)
                try await node.call(upTo: 1)
                try await eventually { try await node.place(place).place.state == .forfeited }
                #expect(try await extend(node, place).problem() == .placeForfeited)
            }
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try Self.policy(extensions: 0), room: "short")
                let place = try await node.join("short", device: 1).body.token
                let reply = try await node.send(.post, Path.room("short", "extend"), ["Usher-Place": place])
                #expect(try reply.problem() == .extensionsSpent)
            }
        }
    }
}
