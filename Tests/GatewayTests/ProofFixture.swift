// The services that prove a room's order, beside a gateway of a test.
import EdgeHTTP
import Fairness
import Foundation
import Logging
import Queueing
import Redis
import Signing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// Runs keeper, rank check and, unless said otherwise, drawer of a node.
func withProof<Outcome: Sendable>(
    _ node: GatewayNode,
    in folder: LogFolder,
    beacon: any BeaconSource = ScriptedBeacon(),
    draws: Bool = true,
    patience: Duration = .milliseconds(300),
    _ body: @Sendable () async throws -> Outcome
) async throws -> Outcome {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let wiring = ProofWiring(
        logs: node.logs,
        leases: node.leases,
        beacon: beacon,
        metrics: node.metrics,
        logger: logger
    )
    let keeper = wiring.keeper(node.redis, node.rooms, node.keys.logs, folder.path, .milliseconds(25))
    let drawer = wiring.drawer(node.redis, node.rooms, .milliseconds(50), patience: patience)
    let check = wiring.rankCheck(node.redis, node.rooms, .milliseconds(50))
    let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { tasks in
        tasks.addTask {
            try await keeper.run()
            return nil
        }
        tasks.addTask {
            try await check.run()
            return nil
        }
        if draws {
            tasks.addTask {
                try await drawer.run()
                return nil
            }
        }
        defer { tasks.cancelAll() }
        return try await body()
    }
    for name in node.rooms.view.rooms.keys { node.logs.set(nil, of: try #require(RoomName(name))) }
    return outcome
}

extension GatewayNode {
    /// A room with a lottery or tie windows.
    static func policy(order: String, opensIn seconds: Int64? = nil, perMinute: Int = 60_000) throws -> RoomPolicy {
        let opens = seconds.map { #""\#((WallClock.now() + .seconds($0)).rfc3339)""# } ?? "null"
        let text = """
            {"admission":{"per_minute":\(perMinute),"active_max":1000,"ramp_seconds":0},"order":\(order),
            "schedule":{"sale_opens_at":\(opens)},"protects":[{"session":"\(session)"}]}
            """
        return try RoomPolicy(json: Array(text.utf8))
    }

    static let drand = #"{"method":"lottery","beacon":"drand"}"#
    static let commitReveal = #"{"method":"lottery","beacon":"commit_reveal"}"#

    func log(_ room: String = "sale") throws -> RoomLog {
        let view = try #require(rooms.view.rooms[room])
        return try #require(logs.log(of: view.snapshot))
    }

    /// Waits until a checkpoint covers so many places.
    func signed(_ size: Int, room: String = "sale") async throws -> SignedCheckpoint {
        try await eventually {
            rooms.view.rooms[room].flatMap { logs.log(of: $0.snapshot) }.map { $0.signedSize >= size } ?? false
        }
        return try #require(try log(room).checkpoint)
    }

    func get<Message: Decodable>(_ type: Message.Type, _ action: String, room: String = "sale") async throws -> Message
    {
        try await send(.get, Path.room(room, action)).decoded(type)
    }

    var snapshot: RoomSnapshot {
        get throws { try #require(rooms.view.rooms["sale"]).snapshot }
    }

    func storedRanks(_ count: Int) async throws -> [UInt32] {
        let bytes = try await store.ranks(try #require(RoomName("sale")), from: 1, count: count)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
    }
}
