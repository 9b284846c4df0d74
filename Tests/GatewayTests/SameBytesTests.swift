import EdgeHTTP
import NIOCore
import NIOPosix
import Queueing
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct SameBytesTests {
    /// Places in all states, one reply of the store, and three gateways that read it for themselves.
    @Test func `invariant 7: any gateway answers a place with the same bytes from the same snapshot`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await withGateway(on: server, keys: keys, tick: nil) { three in
                        try await one.open(try GatewayNode.policy(window: 2, grace: 1))
                        for device in 0..<120 { _ = try await one.join(device: device) }
                        try await one.call(upTo: 20)
                        let name = try #require(RoomName("sale"))
                        let reply = try await one.redis.call(
                            RoomFunctions.snapshot,
                            keys: RoomKeys(name).forSnapshot,
                            arguments: ["0", "-1", "0", "0", "0"]
                        )
                        var bodies: [[String]] = []
                        for (index, node) in [one, two, three].enumerated() {
                            // Clocks that disagree, and another history of pulls.
                            let known = index == 0 ? nil : SnapshotReader.read(reply, name: name, known: nil)
                            let room = try #require(SnapshotReader.read(reply, name: name, known: known))
                            let view = RoomView(
                                room.snapshot,
                                reusing: index == 2 ? node.rooms.view.rooms["sale"] : nil
                            )
                            node.rooms.update { $0.clockOffsetMS = Int64(index) * 7777 }
                            bodies.append(try await answers(node, view))
                        }
                        #expect(bodies[0].count == 120)
                        #expect(bodies[1] == bodies[0] && bodies[2] == bodies[0])
                        // The polls of one snapshot are spread all the same.
                        let delays = Set(bodies[0].compactMap { $0.split(separator: #""after_s":"#).last?.prefix(4) })
                        #expect(delays.count > 5)
                    }
                }
            }
        }
    }

    private func answers(_ node: GatewayNode, _ view: RoomView) async throws -> [String] {
        let loop = node.group.next()
        return try await loop.submit { [rooms = node.rooms] in
            (UInt64(1)...120).map { number in
                let state = view.snapshot.state(of: number, at: view.asOf)
                return String(buffer: rooms.on(loop).placeBody(number, rank: number, state, view))
            }
        }.get()
    }
}
