// What the leader writes of a room's order and proof, and what everybody reads of it.
package import Queueing
import Redis

extension RoomStore {
    package enum LeaderOutcome: Sendable, Equatable {
        case done
        /// The lease is another's.
        case notLeading
        /// Not in this state of the room.
        case refused
        case noRoom

        init(_ reply: RedisValue) {
            self =
                switch reply.asArray?.first?.asInteger {
                case 1: .done
                case 0: .notLeading
                case 2: .refused
                default: .noRoom
                }
        }
    }

    /// Numbers that are ranked among themselves: four big-endian bytes for each.
    package struct RankedBlock: Sendable {
        package var first: UInt64
        package var packedRanks: [UInt8]

        package init(first: UInt64, packedRanks: [UInt8]) {
            self.first = first
            self.packedRanks = packedRanks
        }
    }

    /// The largest piece of a record that is read in one call.
    package static let recordBytesReadMax = 1 << 20

    /// Gives the ranks of the numbers after `from`, the last one ranked, through `through`; those in no block keep their
    /// number as rank. Refused when others were ranked meanwhile, or a number up to there may still change.
    package func rank(
        _ name: RoomName,
        _ blocks: [RankedBlock],
        from: UInt64,
        through: UInt64,
        lease: RoomLease
    ) async throws -> LeaderOutcome {
        let ranks = blocks.flatMap { [RedisArgument($0.first), .bytes($0.packedRanks)] }
        return LeaderOutcome(
            try await redis.call(
                RoomFunctions.rank,
                keys: RoomKeys(name).forRank,
                arguments: lease.arguments + [RedisArgument(from), RedisArgument(through)] + ranks
            )
        )
    }

    /// Names the round that will be drawn with; refused at or after its time.
    package func nameRound(
        _ name: RoomName,
        _ round: UInt64,
        at time: Moment,
        lease: RoomLease
    ) async throws -> LeaderOutcome {
        LeaderOutcome(
            try await redis.call(
                RoomFunctions.nameRound,
                keys: RoomKeys(name).forDraw,
                arguments: lease.arguments + [RedisArgument(round), RedisArgument(time.milliseconds)]
            )
        )
    }

    /// Moves a sealed room to drawn; refused until all of the cohort is ranked.
    package func draw(_ name: RoomName, document: String, lease: RoomLease) async throws -> LeaderOutcome {
        LeaderOutcome(
            try await redis.call(
                RoomFunctions.draw,
                keys: RoomKeys(name).forDraw,
                arguments: lease.arguments + [.text(document)]
            )
        )
    }

    /// Adds a signed note of the log's first `size` entries; refused when the last one is as large.
    package func checkpoint(
        _ name: RoomName,
        size: UInt64,
        note: String,
        lease: RoomLease
    ) async throws -> LeaderOutcome {
        LeaderOutcome(
            try await redis.call(
                RoomFunctions.checkpoint,
                keys: RoomKeys(name).forCheckpoint,
                arguments: lease.arguments + [RedisArgument(size), .text(note)]
            )
        )
    }

    // MARK: Reading

    /// The records of a room: byte strings that only grow.
    package enum Record: String, Sendable, CaseIterable {
        /// 24-byte entries by number.
        case log
        /// First number and count.
        case ties
        /// Cursor and milliseconds.
        case moves
        /// Number and milliseconds.
        case claims
        /// Number.
        case left

        package var entryBytes: Int {
            switch self {
            case .log: 24
            case .ties, .moves, .claims: 16
            case .left: 8
            }
        }
    }

    package func length(of record: Record, _ name: RoomName) async throws -> Int {
        try await redis.call(["STRLEN", RoomKeys(name).record(record)]).asInteger ?? 0
    }

    /// At most `recordBytesReadMax` bytes from an offset.
    package func bytes(of record: Record, _ name: RoomName, from: Int, count: Int) async throws -> [UInt8] {
        guard from >= 0, count > 0 else { return [] }
        let last = from + min(count, Self.recordBytesReadMax) - 1
        let reply = try await redis.call(
            ["GETRANGE", RoomKeys(name).record(record), .integer(from), .integer(last)]
        )
        return reply.asBytes ?? []
    }

    /// Signed notes, oldest first; `-1` is the newest.
    package func checkpoints(_ name: RoomName, from: Int = 0, through: Int = -1) async throws -> [String] {
        let reply = try await redis.call(
            ["LRANGE", RoomKeys(name).checkpoints, .integer(from), .integer(through)]
        )
        return (reply.asArray ?? []).compactMap(\.asText)
    }

    /// A change of the rules: `kind` is policy, phase, override, seal, round, draw or restore.
    package struct RecordedChange: Sendable, Equatable {
        package var at: Moment
        package var kind: String
        package var detail: String
        /// What else was noted: `by`, or `version`, `hash` and `document` of a policy.
        package var more: [String: String]
    }

    package func changes(_ name: RoomName, countMax: Int = 10_000) async throws -> [RecordedChange] {
        let reply = try await redis.call(["XRANGE", RoomKeys(name).changes, "-", "+", "COUNT", .integer(countMax)])
        return (reply.asArray ?? []).compactMap { entry in
            guard let parts = entry.asArray, parts.count == 2,
                let at = parts[0].asText?.split(separator: "-").first.flatMap({ Int64($0) }),
                let texts = parts[1].asArray?.map({ $0.asText ?? "" })
            else { return nil }
            var fields: [String: String] = [:]
            for index in stride(from: 0, to: texts.count - 1, by: 2) { fields[texts[index]] = texts[index + 1] }
            let kind = fields.removeValue(forKey: "kind") ?? ""
            let detail = fields.removeValue(forKey: "detail") ?? ""
            return RecordedChange(at: Moment(milliseconds: at), kind: kind, detail: detail, more: fields)
        }
    }
}

extension RoomKeys {
    func record(_ record: RoomStore.Record) -> RedisArgument {
        switch record {
        case .log: log
        case .ties: ties
        case .moves: moves
        case .claims: claims
        case .left: left
        }
    }
}
