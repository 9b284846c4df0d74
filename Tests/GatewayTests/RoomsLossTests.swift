// Stores that forget: killed, emptied, or started again without their latest writes.
import EdgeHTTP
import Fairness
import Foundation
import QueueTokens
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsLossTests {
    enum Loss: CaseIterable, Sendable {
        /// `SIGKILL` and a start on the same file.
        case killed
        /// Everything gone, the server running.
        case emptied
        /// Killed, and the tail of its file cut off.
        case rewound
        /// Killed, and its file gone.
        case wiped
    }

    @Test(arguments: Loss.allCases)
    func `a store that forgets costs no place, no number twice, and lets nobody in for a pass it forgot`(
        loss: Loss
    ) async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await one.open(try GatewayNode.policy(activeMax: 8))
                    try await two.sees { $0.phase == .active }
                    let early = try await one.joinTogether(devices: 0..<20)
                    let length = try server.fileLength()
                    let late = try await two.joinTogether(devices: 20..<40)
                    let places = early + late
                    try await one.call(upTo: 12)
                    try await two.sees { $0.cursor == 12 }
                    let inside = try await passes(of: places.filter { $0.place.number <= 5 }, at: [one, two])
                    for node in [one, two] { try await node.sees { $0.livePasses == 5 } }

                    try await server.lose(loss, keeping: length, through: one)
                    for node in [one, two] {
                        try await node.sees { !$0.isDegraded && $0.epoch > 1 && $0.lastNumber >= 40 && $0.cursor == 12 }
                    }
                    try await expectPlacesKept(places, at: [one, two])
                    let fresh = try await two.joinTogether(devices: 100..<110).map(\.place.number)
                    #expect(fresh.allSatisfy { $0 > 40 } && Set(fresh).count == 10)

                    for (place, pass) in inside {
                        let again = try await two.claimInTheEnd(place.token).decoded(ClaimReply.self).pass
                        #expect(again.id == pass.id, "the same pass again, not a second one")
                        #expect(try await one.verdict(["Usher-Pass": pass.token]) == .granted(id: pass.id))
                    }
                    try await expectCap(of: 8, places.filter { (6...12).contains($0.place.number) }, at: one)
                    // The record of changes says that the room forgot.
                    let name = try #require(RoomName("sale"))
                    #expect(try await one.store.changes(name).contains { $0.kind == "restore" })
                }
            }
        }
    }

    private func passes(
        of places: [JoinReply],
        at nodes: [GatewayNode]
    ) async throws -> [(JoinReply, ClaimReply.Pass)] {
        var all: [(JoinReply, ClaimReply.Pass)] = []
        for (index, place) in places.enumerated() {
            let reply = try await nodes[index % nodes.count].claimInTheEnd(place.token)
            all.append((place, try reply.decoded(ClaimReply.self).pass))
        }
        return all
    }

    private func expectPlacesKept(_ places: [JoinReply], at nodes: [GatewayNode]) async throws {
        for (index, place) in places.enumerated() {
            let node = nodes[index % nodes.count]
            #expect(try await node.place(place.token).place.number == place.place.number)
            // Who comes back with nothing but the device, and who shows the place as well.
            let headers: EdgeHeaders = ["Usher-Device": GatewayNode.device(index)]
            let again = try await node.send(.post, Path.room("sale", "join"), headers).decoded(JoinReply.self)
            #expect(again.place.number == place.place.number)
            #expect(again.receipt.entry == place.receipt.entry)
        }
    }

    /// Claims of all of them; no more than the cap get in.
    private func expectCap(of cap: Int, _ places: [JoinReply], at node: GatewayNode) async throws {
        let statuses = try await withThrowingTaskGroup(of: Int.self) { tasks in
            for place in places { tasks.addTask { try await node.claim(place.token).status } }
            var all: [Int] = []
            for try await status in tasks { all.append(status) }
            return all
        }
        #expect(statuses.filter { $0 == 200 }.count <= cap - 5)
        let live = try await node.redis.call(["ZCARD", "{r:sale}:active"]).asInteger ?? 0
        #expect(live <= cap)
    }

    @Test func `a place that is shown is taken back by a store and a gateway that forgot it`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            let file = server.dataFolder + "/rooms.json"
            let places = try await withGateway(on: server, keys: keys, tick: nil, checkpointFile: file) { node in
                try await node.open(try GatewayNode.policy())
                let places = try await node.joinTogether(devices: 0..<10)
                try await eventually {
                    (try? String(contentsOfFile: file, encoding: .utf8))?.contains(#""number":10"#) ?? false
                }
                return places
            }
            try await server.lose(.wiped, keeping: 0, through: nil)
            try await withGateway(on: server, keys: keys, tick: nil, checkpointFile: file) { node in
                try await node.sees { !$0.isDegraded }
                for (device, place) in places.enumerated() {
                    let headers: EdgeHeaders = [
                        "Usher-Device": GatewayNode.device(device), "Usher-Place": place.token,
                    ]
                    let again = try await node.send(.post, Path.room("sale", "join"), headers).decoded(JoinReply.self)
                    #expect(again.place.number == place.place.number)
                    #expect(again.receipt.entry == place.receipt.entry)
                    // And from now on without it.
                    #expect(try await node.join(device: device).body.place.number == place.place.number)
                }
                #expect(try await node.join(device: 77).body.place.number > 10)
                // Another's place is not given to whoever shows it.
                let thief: EdgeHeaders = [
                    "Usher-Device": GatewayNode.device(500), "Usher-Place": places[0].token,
                ]
                let other = try await node.send(.post, Path.room("sale", "join"), thief).decoded(JoinReply.self)
                #expect(other.place.number > 10)
            }
        }
    }

    @Test func `a room of a restarted store gives nothing until the gateways have told what they know`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy())
                let place = try await node.join(device: 1).body
                try await node.call(upTo: 1)
                await server.kill()
                try await server.restart()
                try await server.withClient { bare in
                    let keys = RoomKeys(try #require(RoomName("sale")))
                    let claim = try await bare.call(
                        RoomFunctions.claim,
                        keys: keys.forClaim,
                        arguments: ["1", "pass"]
                    )
                    // Either it waits for what is known, or that was told meanwhile.
                    #expect(claim.asArray?.first?.asInteger == 2 || claim.asArray?.last?.asInteger == 1)
                }
                try await node.sees { !$0.isDegraded && $0.epoch == 2 }
                #expect(try await node.claimInTheEnd(place.token).status == 200)
            }
        }
    }

    @Test func `the seal, the draw and its ranks outlive the store`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let policy = try GatewayNode.policy(
                    schedule: #"{"sale_opens_at":"2099-01-01T00:00:00Z"}"#,
                    order: #"{"method":"lottery"}"#
                )
                try await node.open(policy, phase: .prequeue)
                let name = try #require(RoomName("sale"))
                let places = try await node.joinTogether(devices: 0..<10)
                #expect(try await node.store.setPhase(name, from: .prequeue, to: .sealed) == .done)
                let lease = try await node.takeLead()
                try await node.drawAll(lease, count: 10)
                try await node.sees { $0.order.draw != nil && $0.order.rankedThrough == 10 }
                var ranks: [UInt64?] = []
                for place in places { ranks.append(try await node.place(place.token).place.rank) }
                #expect(Set(ranks).count == 10 && !ranks.contains(nil))

                _ = try await node.redis.call(["FLUSHALL"])
                try await node.sees { !$0.isDegraded && $0.epoch == 2 }
                let room = try #require(try await node.store.read(name)).snapshot
                #expect(room.phase == .drawn && room.order.cohort == 10 && room.order.draw != nil)
                // Nobody of the cohort is called before the leader has written the ranks again.
                #expect(try await node.store.setPhase(name, from: .drawn, to: .active) == .done)
                let again = try await node.takeLead(as: "next")
                try await node.rankCohort(again, count: 10)
                try await node.sees { $0.order.rankedThrough == 10 }
                for (place, rank) in zip(places, ranks) {
                    #expect(try await node.place(place.token).place.rank == rank)
                }
            }
        }
    }
}

extension TemporaryRedis {
    private func appendOnlyFiles(_ suffix: String) throws -> [String] {
        let folder = dataFolder + "/appendonlydir"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }
            .map { folder + "/" + $0 }
    }

    /// How much of the append-only file is written.
    func fileLength() throws -> UInt64 {
        let file = try #require(try appendOnlyFiles(".incr.aof").first)
        return try #require(try FileManager.default.attributesOfItem(atPath: file)[.size] as? UInt64)
    }

    func lose(_ loss: RoomsLossTests.Loss, keeping length: UInt64, through node: GatewayNode?) async throws {
        switch loss {
        case .emptied:
            _ = try await node?.redis.call(["FLUSHALL"])
        case .killed:
            await kill()
            try await restart()
        case .rewound:
            await kill()
            let file = try #require(try appendOnlyFiles(".incr.aof").first)
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.truncate(atOffset: length)
            try handle.close()
            try await restart()
        case .wiped:
            await kill()
            try FileManager.default.removeItem(atPath: dataFolder + "/appendonlydir")
            try await restart()
        }
    }
}

extension GatewayNode {
    private static func block(_ count: Int) throws -> (RankBlock, String) {
        let seed = try #require(Digest(SHA256.digest([9])))
        let document = #"{"count":\#(count),"seed":"\#(Hex.encode(seed.bytes))"}"#
        return (RankBlock(first: 1, count: UInt64(count), seed: seed), document)
    }

    func rankCohort(_ lease: RoomLease, count: Int) async throws {
        let name = try #require(RoomName("sale"))
        let (block, _) = try Self.block(count)
        let ranked = RoomStore.RankedBlock(first: 1, packedRanks: RankTable.packed(block.ranks()))
        #expect(try await store.rank(name, [ranked], from: 0, through: UInt64(count), lease: lease) == .done)
    }

    func drawAll(_ lease: RoomLease, count: Int) async throws {
        try await rankCohort(lease, count: count)
        let name = try #require(RoomName("sale"))
        #expect(try await store.draw(name, document: try Self.block(count).1, lease: lease) == .done)
    }
}
