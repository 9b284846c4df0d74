// Order on a real Redis: ties, the seal, the draw, and what may not change any more.
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

struct RoomsOrderTests {
    private static let lottery = #"{"method":"lottery","beacon":"commit_reveal"}"#
    private static let ties = #"{"method":"first_come","tie_window_ms":250}"#
    private static let opens = #"{"sale_opens_at":"2099-01-01T00:00:00Z"}"#

    @Test func `places of one tie window are assigned, ranked by the committed key, and called by rank`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(order: Self.ties))
                let places = try await node.joinTogether(devices: 0..<12)
                for place in places.map(\.place) {
                    #expect(place.rank == nil && place.state == .assigning && place.ahead == nil)
                }
                let first = try #require(places.first)
                #expect(try await node.place(first.token).place.state == .assigning)
                #expect(try await node.claim(first.token).status == 202)

                let lease = try await node.takeLead()
                try await node.rankTies(lease)
                try await node.sees { $0.order.rankedThrough == 12 }
                var ranks: [UInt64: JoinReply] = [:]
                for place in places {
                    let body = try await node.place(place.token).place
                    ranks[try #require(body.rank)] = place
                    #expect(body.state == .waiting)
                    #expect(body.ahead == (body.rank ?? 0) - 1)
                }
                #expect(ranks.keys.sorted() == Array(1...12))
                try await node.call(upTo: 3)
                for (rank, place) in ranks {
                    let status = try await node.claim(place.token).status
                    #expect(status == (rank <= 3 ? 200 : 202), "rank \(rank), number \(place.place.number)")
                }
            }
        }
    }

    @Test func `a lottery gives ranks to its cohort by the draw and to latecomers by arrival`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let policy = try GatewayNode.policy(schedule: Self.opens, order: Self.lottery)
                try await node.open(policy, phase: .prequeue)
                let name = try #require(RoomName("sale"))
                let cohort = try await node.joinTogether(devices: 0..<20)
                let token = try #require(cohort.first).token
                let shown = try node.keys.places.verifyTag(ofPlace: token, room: "sale", at: WallClock.now().seconds)
                #expect(shown.cohort == .pre)
                #expect(try await node.store.setPhase(name, from: .prequeue, to: .sealed) == .done)
                try await node.sees { $0.order.cohort == 20 && $0.order.sealedAt != nil }
                let late = try await node.join(device: 99).body
                #expect(late.place.rank == 21)
                #expect(try await node.place(token).place.state == .assigning)

                let lease = try await node.takeLead()
                let seed = try #require(Digest(SHA256.digest([1, 2, 3])))
                let document = #"{"count":20,"seed":"\#(Hex.encode(seed.bytes))"}"#
                // Nobody has a rank yet.
                #expect(try await node.store.draw(name, document: document, lease: lease) == .refused)
                let block = RankBlock(first: 1, count: 20, seed: seed)
                let ranked = RoomStore.RankedBlock(first: 1, packedRanks: RankTable.packed(block.ranks()))
                let stale = RoomLease(owner: lease.owner, fence: lease.fence - 1)
                #expect(try await node.store.rank(name, [ranked], from: 0, through: 20, lease: stale) == .notLeading)
                #expect(try await node.store.rank(name, [ranked], from: 0, through: 21, lease: lease) == .refused)
                #expect(try await node.store.rank(name, [ranked], from: 0, through: 20, lease: lease) == .done)
                #expect(try await node.store.draw(name, document: document, lease: stale) == .notLeading)
                #expect(try await node.store.draw(name, document: document, lease: lease) == .done)
                // Drawn is drawn.
                #expect(try await node.store.rank(name, [ranked], from: 0, through: 20, lease: lease) == .refused)
                #expect(try await node.store.setPhase(name, from: .drawn, to: .active) == .done)
                try await node.sees { $0.phase == .active && $0.order.draw != nil }

                let byNumber = cohort.sorted { $0.place.number < $1.place.number }
                for (place, rank) in zip(byNumber, block.ranks()) {
                    #expect(try await node.place(place.token).place.rank == UInt64(rank))
                }
                try await node.call(upTo: 5)
                for (place, rank) in zip(byNumber, block.ranks()) {
                    #expect(try await node.claim(place.token).status == (rank <= 5 ? 200 : 202))
                }
                // A place that is asked for again keeps its rank and its receipt.
                let again = try await node.join(device: 7).body
                #expect(again.place.number == cohort[7].place.number)
                #expect(again.receipt.entry == cohort[7].receipt.entry)
            }
        }
    }

    @Test func `attack 18: joins that race the seal over three gateways are in exactly one cohort`() async throws {
        try await withTemporaryRedis { server in
            let keys = try ephemeralKeys()
            try await withGateway(on: server, keys: keys, tick: nil) { one in
                try await withGateway(on: server, keys: keys, tick: nil) { two in
                    try await withGateway(on: server, keys: keys, tick: nil) { three in
                        let policy = try GatewayNode.policy(schedule: Self.opens, order: Self.lottery)
                        try await one.open(policy, phase: .prequeue)
                        for node in [two, three] { try await node.sees { $0.phase == .prequeue } }
                        let name = try #require(RoomName("sale"))
                        let nodes = [one, two, three]
                        let joined = try await withThrowingTaskGroup(of: JoinReply?.self) { tasks in
                            for device in 0..<600 {
                                tasks.addTask { try await nodes[device % 3].join(device: device).body }
                                if device == 300 {
                                    tasks.addTask {
                                        let change = try await one.store.setPhase(name, from: .prequeue, to: .sealed)
                                        #expect(change == .done)
                                        return nil
                                    }
                                }
                            }
                            var all: [JoinReply] = []
                            for try await reply in tasks { if let reply { all.append(reply) } }
                            return all
                        }
                        #expect(joined.count == 600)
                        #expect(Set(joined.map(\.place.number)).count == 600)
                        try await one.sees { $0.order.cohort != nil }
                        let cohort = try #require(try await one.store.read(name)?.snapshot.order.cohort)
                        let now = WallClock.now().seconds
                        for reply in joined {
                            let place = try keys.places.verifyTag(ofPlace: reply.token, room: "sale", at: now)
                            #expect((place.cohort == .pre) == (reply.place.number <= cohort))
                            #expect((reply.place.rank == nil) == (place.cohort == .pre))
                        }
                        // The log has exactly the joins that were answered, each under its number.
                        let log = try await one.store.bytes(of: .log, name, from: 0, count: 24 * 600)
                        for reply in joined {
                            let start = Int(reply.receipt.index) * 24
                            let entry = Array(log[start..<(start + 24)])
                            #expect(Data(entry).base64EncodedString() == reply.receipt.entry)
                        }
                    }
                }
            }
        }
    }

    @Test func `order is frozen by the first join, the opening of the sale by the seal`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let name = try #require(RoomName("sale"))
                let lottery = try GatewayNode.policy(schedule: Self.opens, order: Self.lottery)
                let drand = try GatewayNode.policy(schedule: Self.opens, order: #"{"method":"lottery"}"#)
                try await node.open(lottery, phase: .prequeue)
                #expect(try await node.store.update(name, drand, version: 1) == .done(version: 2))
                #expect(try await node.store.update(name, lottery, version: 2) == .done(version: 3))
                _ = try await node.join(device: 1)
                #expect(try await node.store.update(name, drand, version: 3) == .frozen(member: "order"))
                let later = try GatewayNode.policy(
                    schedule: #"{"sale_opens_at":"2099-01-02T00:00:00Z"}"#,
                    order: Self.lottery
                )
                #expect(try await node.store.update(name, later, version: 3) == .done(version: 4))
                #expect(try await node.store.setPhase(name, from: .prequeue, to: .sealed) == .done)
                let frozen = try await node.store.update(name, lottery, version: 4)
                #expect(frozen == .frozen(member: "schedule.sale_opens_at"))
                let changes = try await node.store.changes(name)
                let policies = changes.filter { $0.kind == "policy" }
                #expect(policies.map { $0.more["version"] } == ["1", "2", "3", "4"])
                for change in policies {
                    let document = try #require(change.more["document"])
                    let policy = try RoomPolicy(json: Array(document.utf8))
                    #expect(policy.hash == change.more["hash"])
                }
                #expect(changes.last?.kind == "seal" && changes.last?.detail == "1")
            }
        }
    }

    @Test func `a round is named before its time and a checkpoint only grows`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let name = try #require(RoomName("sale"))
                try await node.open(try GatewayNode.policy(schedule: Self.opens, order: Self.lottery), phase: .prequeue)
                let lease = try await node.takeLead()
                let now = Moment(milliseconds: Int64(try await node.redisTime()))
                #expect(try await node.store.nameRound(name, 7, at: now, lease: lease) == .refused)
                #expect(try await node.store.nameRound(name, 8, at: now + .seconds(60), lease: lease) == .done)
                try await node.sees { $0.order.rounds.map(\.round) == [8] }
                _ = try await node.joinTogether(devices: 0..<3)
                let tries: [(UInt64, RoomStore.LeaderOutcome)] = [
                    (0, .refused), (2, .done), (2, .refused), (1, .refused), (4, .refused), (3, .done),
                ]
                for (size, outcome) in tries {
                    let made = try await node.store.checkpoint(name, size: size, note: "note \(size)", lease: lease)
                    #expect(made == outcome, "size \(size)")
                }
                #expect(try await node.store.checkpoints(name) == ["note 2", "note 3"])
            }
        }
    }

    @Test func `the secret fits the commitment and is told only when the room decides nothing more`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let name = try #require(RoomName("sale"))
                try await node.open(try GatewayNode.policy(order: Self.ties))
                let room = try #require(try await node.store.read(name)).snapshot
                let commitment = Commitment.of(room: "sale", generation: room.generation, secret: room.order.secret)
                #expect(room.order.commitment == commitment.bytes)
                #expect(room.revealedSecret == nil)
                #expect(try await node.store.setPhase(name, from: .active, to: .closed) == .done)
                #expect(try await node.store.read(name)?.snapshot.revealedSecret == room.order.secret)
            }
        }
    }
}

extension GatewayNode {
    /// All of them at once, in order of device.
    func joinTogether(devices: Range<Int>) async throws -> [JoinReply] {
        try await withThrowingTaskGroup(of: (Int, JoinReply).self) { tasks in
            for device in devices { tasks.addTask { (device, try await join(device: device).body) } }
            var replies: [(Int, JoinReply)] = []
            for try await reply in tasks { replies.append(reply) }
            return replies.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The lease of a room, for a minute.
    func takeLead(_ room: String = "sale", as owner: String = "test") async throws -> RoomLease {
        let name = try #require(RoomName(room))
        let arguments: [RedisArgument] = [.text(owner), "60000"]
        let reply = try await redis.call(RoomFunctions.lead, keys: RoomKeys(name).forLead, arguments: arguments)
        return RoomLease(owner: owner, fence: try #require(reply.asArray?.first?.asInteger))
    }

    /// Ranks all closed tie windows, as the leader does.
    func rankTies(_ lease: RoomLease, room: String = "sale") async throws {
        let name = try #require(RoomName(room))
        try await eventually {
            guard let snapshot = try await store.read(name)?.snapshot else { return false }
            let from = snapshot.order.rankedThrough
            let blocks = snapshot.order.ties.filter { $0.first > from }.map { tie in
                let seed = TieBreak.seed(
                    secret: snapshot.order.secret,
                    room: room,
                    first: tie.first,
                    count: tie.count
                )
                let ranks = RankBlock(first: tie.first, count: tie.count, seed: seed).ranks()
                return RoomStore.RankedBlock(first: tie.first, packedRanks: RankTable.packed(ranks))
            }
            let through = snapshot.lastNumber
            return try await store.rank(name, blocks, from: from, through: through, lease: lease) == .done
        }
    }
}
