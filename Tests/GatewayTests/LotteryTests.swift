// Lotteries on a real store: from the pre-queue over seal, beacon and draw to the first pass.
import EdgeHTTP
import Fairness
import Foundation
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct LotteryTests {
    /// What anybody can compute from the published draw.
    private static func ranks(_ draw: DrawDocument) throws -> [UInt32] {
        let seed = try #require(Hex.decode(draw.seed).flatMap { Digest($0) })
        return RankBlock(first: 1, count: draw.count, seed: seed).ranks()
    }

    @Test(arguments: [GatewayNode.drand, GatewayNode.commitReveal])
    func `a lottery goes from its pre-queue to the first pass by the published algorithm`(_ order: String) async throws
    {
        let folder = try LogFolder()
        defer { folder.remove() }
        let beacon = ScriptedBeacon()
        try await withTemporaryRedis { server in
            try await withGateway(on: server, beaconChain: beacon.chain) { node in
                try await node.open(try GatewayNode.policy(order: order, opensIn: 2), phase: .prequeue)
                try await withProof(node, in: folder, beacon: beacon) {
                    var tokens: [String] = []
                    for device in 0..<20 { tokens.append(try await node.join(device: device).body.token) }
                    let before = try await node.get(DrawReply.self, "draw")
                    #expect(before.draw == nil && before.seal == nil)
                    try await node.sees { $0.phase == .active }
                    let late = try await node.join(device: 99)

                    let reply = try await node.get(DrawReply.self, "draw")
                    let draw = try #require(reply.draw)
                    #expect(draw.count == 20 && reply.seal?.count == 20)
                    #expect(draw.root == (try node.log().root(at: 20))?.hex)
                    let kind: DrawSeed.Kind = order == GatewayNode.drand ? .drand : .commitReveal
                    let seed = DrawSeed.of(
                        room: "sale",
                        generation: reply.generation,
                        root: try #require(try node.log().root(at: 20)),
                        count: 20,
                        kind: kind,
                        value: try #require(Hex.decode(draw.value))
                    )
                    #expect(draw.seed == seed.hex)
                    if kind == .drand {
                        let round = try #require(draw.round)
                        #expect(round == before.beacon?.round)
                        let signature = DrandRelay.signature(of: round)
                        #expect(draw.signature == Hex.encode(signature))
                        #expect(draw.value == Hex.encode(SHA256.digest(signature)))
                        #expect(reply.beacon?.named.first?.round == round)
                    } else {
                        let secret = try #require(Hex.decode(draw.value))
                        let commitment = Commitment.of(room: "sale", generation: reply.generation, secret: secret)
                        #expect(reply.commitment == commitment.hex && before.commitment == commitment.hex)
                    }
                    let ranks = try Self.ranks(draw)
                    #expect(try await node.storedRanks(20) == ranks)
                    #expect(ranks.sorted() == Array(1...20))
                    // Who drew rank 1 gets in, and whoever came late is behind all of them.
                    let first = try #require(ranks.firstIndex(of: 1))
                    let claimed = try await node.claimInTheEnd(tokens[first])
                    #expect(claimed.status == 200)
                    #expect(late.body.place.number == 21)
                    #expect(node.rooms.view.misranked.isEmpty)
                }
            }
        }
    }

    @Test func `a beacon that is late is replaced by the next named round, and never by a seed of ours`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let beacon = ScriptedBeacon()
        try await withTemporaryRedis { server in
            try await withGateway(on: server, beaconChain: beacon.chain) { node in
                try await node.open(try GatewayNode.policy(order: GatewayNode.drand, opensIn: 1), phase: .prequeue)
                let first = try #require(try await node.get(DrawReply.self, "draw").beacon?.round)
                beacon.lose(first)
                try await withProof(node, in: folder, beacon: beacon) {
                    for device in 0..<3 { _ = try await node.join(device: device) }
                    try await eventually {
                        let named = try await node.get(DrawReply.self, "draw").beacon?.named ?? []
                        return named.contains { $0.round == first + DrawRound.step }
                    }
                    try await eventually { beacon.rounds.contains(first) }
                    let waiting = try await node.get(DrawReply.self, "draw")
                    #expect(waiting.phase == "sealed" && waiting.draw == nil)
                    try await eventually(within: .seconds(60)) {
                        try await node.get(DrawReply.self, "draw").draw?.round == first + DrawRound.step
                    }
                    let drawn = try await node.get(DrawReply.self, "draw")
                    let named = try #require(drawn.beacon?.named.last)
                    #expect(named.round == first + DrawRound.step && named.at < named.due)
                    try await eventually { node.rooms.view.misranked.isEmpty }
                }
            }
        }
    }

    @Test func `another leader finishes a draw that was left between ranks and record`() async throws {
        let folders = [try LogFolder(), try LogFolder()]
        defer { folders.forEach { $0.remove() } }
        let beacon = ScriptedBeacon()
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil, beaconChain: beacon.chain) { watcher in
                try await watcher.open(try GatewayNode.policy(order: GatewayNode.drand, opensIn: 1), phase: .prequeue)
                for device in 0..<50 { _ = try await watcher.join(device: device) }
                let name = try #require(RoomName("sale"))
                try await withProof(watcher, in: folders[0], beacon: beacon, draws: false) {
                    // The first leader seals, writes other ranks than it should, and is gone.
                    beacon.setAway(true)
                    try await withGateway(on: server, keys: keys, beaconChain: beacon.chain) { leader in
                        try await withProof(leader, in: folders[1], beacon: beacon) {
                            try await leader.sees { $0.phase == .sealed }
                            _ = try await leader.signed(50)
                            let lease = try #require(leader.leases.lease(of: name))
                            let packed = RankTable.packed((1...30).reversed())
                            let outcome = try await leader.store.rank(
                                name,
                                [.init(first: 1, packedRanks: packed)],
                                from: 0,
                                through: 30,
                                lease: lease
                            )
                            #expect(outcome == .done)
                        }
                    }
                    try await watcher.sees { $0.phase == .sealed }
                    beacon.setAway(false)
                    try await withGateway(on: server, keys: keys, beaconChain: beacon.chain) { second in
                        try await withProof(second, in: folders[1], beacon: beacon) {
                            try await second.sees { $0.order.draw != nil }
                            let draw = try #require(try await second.get(DrawReply.self, "draw").draw)
                            #expect(try await watcher.storedRanks(50) == (try Self.ranks(draw)))
                        }
                    }
                    try await eventually { watcher.rooms.view.misranked.isEmpty }
                }
            }
        }
    }

    @Test func `a gateway serves no room whose ranks are not those of the draw`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let beacon = ScriptedBeacon()
        try await withTemporaryRedis { server in
            try await withGateway(on: server, beaconChain: beacon.chain) { node in
                try await node.open(
                    try GatewayNode.policy(order: GatewayNode.commitReveal, opensIn: 1),
                    phase: .prequeue
                )
                let place = try await node.join(device: 0).body.token
                for device in 1..<9 { _ = try await node.join(device: device) }
                try await withProof(node, in: folder, beacon: beacon) { try await node.sees { $0.order.draw != nil } }
                let good = try await node.redis.call(["GET", "{r:sale}:ranks"]).asBytes ?? []
                var bad = good
                bad.swapAt(3, 7)
                _ = try await node.redis.call(["SET", "{r:sale}:ranks", .bytes(bad)])
                try await withProof(node, in: folder, beacon: beacon) {
                    try await eventually { node.rooms.view.misranked["sale"] != nil }
                    let refused = try await node.send(.get, Path.room("sale", "place"), ["Usher-Place": place])
                    #expect(refused.status == 503)
                    _ = try await node.redis.call(["SET", "{r:sale}:ranks", .bytes(good)])
                    try await eventually { node.rooms.view.misranked.isEmpty }
                    let served = try await node.send(.get, Path.room("sale", "place"), ["Usher-Place": place])
                    #expect(served.status == 200)
                }
            }
        }
    }

    @Test func `tie windows are ranked by the committed key once they are over, and nobody is called before`()
        async throws
    {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                let order = #"{"method":"first_come","tie_window_ms":400}"#
                try await node.open(try GatewayNode.policy(order: order))
                try await withProof(node, in: folder, beacon: ScriptedBeacon()) {
                    for device in 0..<40 { _ = try await node.join(device: device) }
                    try await node.sees { $0.order.rankedThrough == 40 && $0.cursor == 40 }
                    let room = try node.snapshot
                    #expect(!room.order.ties.isEmpty)
                    var wanted = (1...40).map { UInt32($0) }
                    for tie in room.order.ties {
                        let seed = TieBreak.seed(
                            secret: room.order.secret,
                            room: "sale",
                            first: tie.first,
                            count: tie.count
                        )
                        let ranks = RankBlock(first: tie.first, count: tie.count, seed: seed).ranks()
                        for (offset, rank) in ranks.enumerated() { wanted[Int(tie.first) - 1 + offset] = rank }
                    }
                    let stored = try await node.storedRanks(40)
                    let ranks = (0..<40).map { $0 < stored.count && stored[$0] > 0 ? stored[$0] : UInt32($0 + 1) }
                    #expect(ranks == wanted)
                    #expect(node.rooms.view.misranked.isEmpty)
                }
            }
        }
    }
}
