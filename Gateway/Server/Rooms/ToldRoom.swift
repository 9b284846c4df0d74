// What a gateway tells a store that has forgotten a room, in the form the function `restore` reads.
import Foundation
package import Queueing
import Redis
import Signing

struct ToldRoom: Encodable {
    var generation: Int
    var epoch: Int
    var highest: UInt64
    var cursor: UInt64
    var forfeitedThrough: UInt64
    var granted: Int
    var live: Int
    var phase: String
    var override: String
    var version: Int
    var policy: String
    var hash: String
    var fields: [String: String]
    var dedupeKey: String
    var secret: String
    var commitment: String
    var cohort: Int64
    var sealedAt: Int64
    var draw: String
    var rounds: String
    var voids: String
    var rate: String
    var outlook: String
    var asOf: Int64
    var moves: [[Int64]]
    var turned: [UInt64]
    var extended: [[Int64]]
    var revoked: [String]
    var grants: [Grant]

    struct Grant: Encodable {
        var grant: RoomMemory.Grant

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(grant.number)
            try list.encode(grant.passID)
            try list.encode(grant.expiresAtMS)
            try list.encode(grant.endsAtMS)
            try list.encode(grant.grantedAtMS)
        }
    }

    init(_ known: KnownRoom, _ memory: RoomMemory) {
        let room = known.snapshot
        generation = room.generation
        epoch = room.epoch
        highest = max(room.highestNumber, room.lastNumber, memory.highest(of: room.name))
        cursor = room.cursor
        forfeitedThrough = room.calls.forfeitedThrough
        granted = known.granted
        live = room.livePasses
        phase = room.phase.rawValue
        override = room.override.text
        version = room.version
        policy = String(decoding: room.policy.canonicalJSON, as: UTF8.self)
        hash = room.policyHash
        fields = Dictionary(RoomStore.fields(room.policy)) { first, _ in first }
        dedupeKey = Hex.encode(room.dedupeKey)
        secret = Hex.encode(room.order.secret)
        commitment = Hex.encode(room.order.commitment)
        cohort = room.order.cohort.map { Int64($0) } ?? -1
        sealedAt = room.order.sealedAt?.milliseconds ?? 0
        draw = room.order.draw ?? ""
        rounds = room.order.rounds.map { "\($0.round):\($0.at.milliseconds) " }.joined()
        voids = room.order.voids.map { "\($0.lowerBound):\($0.upperBound) " }.joined()
        rate = room.rate.text
        outlook = room.outlook.rawValue
        asOf = room.asOf.milliseconds
        moves = room.calls.marks.map { [Int64($0.upTo), $0.at.milliseconds] }
        turned = room.turnedUp.sorted()
        extended = room.extended.map { [Int64($0.key), $0.value.milliseconds] }
        revoked = room.revokedPasses.sorted()
        grants = memory.grants(of: room.name).map { Grant(grant: $0) }
    }

    /// All arguments of `restore`.
    static func arguments(_ known: KnownRoom, _ memory: RoomMemory) throws -> [RedisArgument] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let room = known.snapshot
        let ties = room.order.ties.flatMap { bytes($0.first) + bytes($0.count) }
        let recovered = room.recovered.sorted { $0.value < $1.value }
            .flatMap { bytes($0.key) + bytes(UInt64($0.value)) }
        let joins = memory.joins(of: room.name).flatMap { [RedisArgument($0.number), .bytes($0.entry)] }
        let told = try encoder.encode(ToldRoom(known, memory))
        return [.bytes(Array(told)), .bytes(ties), .bytes(recovered)] + joins
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

extension RoomStore {
    /// Tells the store what this gateway knows of a room; telling it again changes nothing.
    func restore(_ known: KnownRoom, _ memory: RoomMemory) async throws {
        let name = known.snapshot.name
        _ = try await redis.call(["SADD", RoomKeys.rooms, .text(name.text)])
        _ = try await redis.call(
            RoomFunctions.restore,
            keys: RoomKeys(name).forRestore,
            arguments: try ToldRoom.arguments(known, memory)
        )
    }

    /// Gives entries of the log back to a store that has lost them; those it has stay as they are.
    package func restoreLog(_ name: RoomName, from first: UInt64, entries: [UInt8]) async throws {
        _ = try await redis.call(
            RoomFunctions.restoreLog,
            keys: RoomKeys(name).forRestoreLog,
            arguments: [RedisArgument(first), .bytes(entries)]
        )
    }
}
