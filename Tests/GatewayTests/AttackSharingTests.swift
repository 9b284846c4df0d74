import EdgeHTTP
import Foundation
import NIOCore
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// Attack 1: an admitted cookie is copied to another client, and both run at once.
struct AttackSharingTests {
    private static let home: UInt32 = 0xC633_6407
    private static let sameHome: UInt32 = 0xC633_6499
    private static let abroad: UInt32 = 0xCB00_7109

    private static func policy(_ sharing: String) throws -> RoomPolicy {
        var policy = try GatewayNode.policy()
        policy.passSharing = try #require(RoomPolicy.Sharing(rawValue: sharing))
        return policy
    }

    private func use(_ node: GatewayNode, _ pass: String, from address: UInt32) async throws -> GatewayNode.Verdict {
        try await node.verdict(["Usher-Pass": pass], from: address)
    }

    private func admitted(_ node: GatewayNode) async throws -> (place: String, pass: String, id: String) {
        let place = try await node.join(device: 1).body.token
        let pass = try await node.claimInTheEnd(place).decoded(ClaimReply.self).pass
        return (place, pass.token, pass.id)
    }

    private func events(_ node: GatewayNode) async throws -> [SharingEvent] {
        try await node.store.sharings(try #require(RoomName("sale")))
    }

    @Test func `attack 1: a pass that moves with its holder goes on, whatever the policy`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try Self.policy("end"))
                let (_, pass, id) = try await admitted(node)
                for address in [Self.home, Self.sameHome, Self.home, Self.sameHome, Self.abroad, Self.abroad] {
                    #expect(try await use(node, pass, from: address) == .granted(id: id))
                }
                #expect(try await events(node).isEmpty)
            }
        }
    }

    @Test(arguments: ["allow", "log"])
    func `attack 1: a pass used from two networks at once is recorded when the policy says so`(sharing: String)
        async throws
    {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try Self.policy(sharing))
                let (_, pass, id) = try await admitted(node)
                for round in 0..<6 {
                    let address = round % 2 == 0 ? Self.home : Self.abroad
                    #expect(try await use(node, pass, from: address) == .granted(id: id))
                }
                guard sharing == "log" else {
                    #expect(try await events(node).isEmpty)
                    return
                }
                try await eventually { try await events(node).count == 1 }
                let event = try #require(try await events(node).first)
                #expect(event.passID == id && event.place == 1 && event.action == "log")
                #expect(event.network == "198.51.100.0/24")
                try await eventually {
                    node.metric(#"usher_gateway_passes_shared_total{action="log"}"#) == 1
                }
            }
        }
    }

    @Test func `attack 1: step_up leaves the pass to whoever has the place`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try Self.policy("step_up"))
                let (place, pass, id) = try await admitted(node)
                #expect(try await use(node, pass, from: Self.home) == .granted(id: id))
                #expect(try await use(node, pass, from: Self.abroad) == .granted(id: id))
                #expect(try await use(node, pass, from: Self.home) == .refused(.passStepUp))
                // Dead on every loop, for both.
                try await node.sees { $0.passesGoodFrom[id] != nil }
                for address in [Self.home, Self.abroad, Self.home] {
                    #expect(try await use(node, pass, from: address) == .refused(.passStepUp))
                }
                // The page of the holder offers to go in again.
                let shown = try await node.place(place, pass: pass)
                #expect(shown.place.state == .admitted)
                let again = try await node.claimInTheEnd(place).decoded(ClaimReply.self).pass
                #expect(again.id == id)
                #expect(try await use(node, again.token, from: Self.home) == .granted(id: id))
                #expect(try await use(node, pass, from: Self.abroad) == .refused(.passStepUp))
                #expect(try await use(node, again.token, from: Self.home) == .granted(id: id))
                #expect(try await events(node).map(\.action) == ["step_up"])
                // It was one grant all along.
                #expect(try await GrantsRecord(node).grants.count == 1)
            }
        }
    }

    @Test func `attack 1: end revokes the pass for both, and says why`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try Self.policy("end"))
                let (place, pass, id) = try await admitted(node)
                #expect(try await use(node, pass, from: Self.home) == .granted(id: id))
                #expect(try await use(node, pass, from: Self.abroad) == .granted(id: id))
                #expect(try await use(node, pass, from: Self.home) == .refused(.passShared))
                try await node.sees { $0.revokedPasses.contains(id) && $0.passesGoodFrom[id] == 0 }
                for address in [Self.home, Self.abroad] {
                    #expect(try await use(node, pass, from: address) == .refused(.passShared))
                }
                #expect(try await node.claimInTheEnd(place).problem() == .placeForfeited)
                #expect(try await events(node).map(\.action) == ["end"])
            }
        }
    }

    @Test func `attack 1: copies that keep to one gateway each are found by what the gateways tell each other`()
        async throws
    {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await one.open(try Self.policy("step_up"))
                    try await two.sees { $0.phase == .active }
                    let (_, pass, id) = try await admitted(one)
                    #expect(try await use(one, pass, from: Self.home) == .granted(id: id))
                    try await eventually { try await seenFrom(one, id) == 1 }
                    #expect(try await use(two, pass, from: Self.abroad) == .granted(id: id))
                    try await eventually { try await seenFrom(one, id) == 2 }
                    // Each sees one network only; what it saw 15 s ago is news again.
                    try await tellAgain(one, id, from: Self.home)
                    for node in [one, two] {
                        try await node.sees { ($0.passesGoodFrom[id] ?? 0) > 0 }
                        #expect(try await use(node, pass, from: Self.abroad) == .refused(.passStepUp))
                    }
                    #expect(try await events(one).count == 1)
                }
            }
        }
    }

    /// From how many networks the store has seen a pass.
    private func seenFrom(_ node: GatewayNode, _ id: String) async throws -> Int {
        let minute = try await node.redisTime() / 60_000
        for key in [minute, minute - 1].map({ "{r:sale}:seen:\($0)" }) {
            if let text = try await node.redis.call(["HGET", .text(key), .text(id)]).asText {
                return text.split(separator: " ").count
            }
        }
        return 0
    }

    /// What a gateway sends when a pass has been in use for `PassUseTable.tellEveryMS`.
    private func tellAgain(_ node: GatewayNode, _ id: String, from address: UInt32) async throws {
        let name = try #require(RoomName("sale"))
        let now = try await node.redisTime()
        _ = try await node.redis.call(
            RoomFunctions.see,
            keys: RoomKeys(name).forSightings(minute: Int64(now / 60_000)),
            arguments: [
                "step_up", .text(id), "1", .integer(now + 900_000),
                .text(PassNetwork(ClientAddress(ipv4: address)).text), "0",
            ]
        )
    }
}
