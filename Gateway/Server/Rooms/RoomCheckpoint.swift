// What a gateway remembers of its rooms outside Redis, so that a store that was emptied does not open their doors.
import Foundation
import Logging
import Queueing
import Signing

/// A small file with each room's policy and how far it had come. A room that is in the file and not in Redis stays
/// guarded: nobody gets through without a pass, nobody joins, and the readiness page names it until an admin makes the
/// room again.
struct RoomCheckpoint {
    private struct Entry: Codable, Equatable {
        var name: String
        var policy: String
        var hash: String
        var version: Int
        var phase: String
        var generation: Int
        var epoch: Int
        var cursor: UInt64
        var number: UInt64
        var dedupeKey: String
        // Later additions: a file without them is read all the same.
        var override: String?
        var forfeitedThrough: UInt64?
        var granted: Int?
        var live: Int?
        var moves: [[Int64]]?
        var turned: [UInt64]?
        var revoked: [String]?
        var secret: String?
        var commitment: String?
        var rankedThrough: UInt64?
        var cohort: UInt64?
        var sealedAt: Int64?
        var ties: [[UInt64]]?
        var draw: String?
        var rounds: [[Int64]]?
        var voids: [[UInt64]]?
        var recovered: [[Int64]]?
        var asOf: Int64?
    }

    private let path: String
    private let logger: Logger
    private var written: [Entry] = []
    private var writtenAt = ContinuousClock.now - Self.writeEvery

    /// Numbers move all the time; the file follows them this often.
    private static let writeEvery = Duration.seconds(1)

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// The rooms of the file, none when there is no file.
    /// - Throws: `RoomCheckpointFault` when the file is there and cannot be read: the rooms it guards are unknown then.
    mutating func read() throws -> [KnownRoom] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        guard let bytes = FileManager.default.contents(atPath: path),
            let entries = try? JSONDecoder().decode([Entry].self, from: bytes)
        else { throw RoomCheckpointFault(path: path) }
        written = entries
        return try entries.map { entry in
            guard let name = RoomName(entry.name), let phase = Phase(rawValue: entry.phase),
                let policy = try? RoomPolicy(json: Array(entry.policy.utf8)),
                let dedupeKey = Hex.decode(entry.dedupeKey)
            else { throw RoomCheckpointFault(path: path) }
            var snapshot = RoomSnapshot(
                name: name,
                policy: policy,
                policyHash: entry.hash,
                version: entry.version,
                phase: phase,
                generation: entry.generation,
                epoch: entry.epoch,
                cursor: entry.cursor,
                lastNumber: entry.number,
                dedupeKey: dedupeKey,
                isDegraded: true,
                asOf: entry.asOf.map { Moment(milliseconds: $0) } ?? WallClock.now()
            )
            snapshot.override = entry.override.flatMap { Override(text: $0) } ?? .none
            snapshot.calls = CallMarks(
                (entry.moves ?? []).filter { $0.count == 2 && $0[0] > 0 }
                    .map { CallMarks.Mark(upTo: UInt64($0[0]), at: Moment(milliseconds: $0[1])) },
                forfeitedThrough: entry.forfeitedThrough ?? 0
            )
            snapshot.turnedUp = Set(entry.turned ?? [])
            snapshot.revokedPasses = Set(entry.revoked ?? [])
            snapshot.livePasses = entry.live ?? 0
            for pair in entry.recovered ?? [] where pair.count == 2 { snapshot.recovered[UInt64(pair[0])] = pair[1] }
            snapshot.order = Self.order(entry)
            var room = KnownRoom(snapshot: snapshot, revocations: -1, granted: entry.granted ?? 0)
            room.ranks.follow(snapshot)
            return room
        }
    }

    /// Writes the rooms when they have changed: at once when a room or its policy has, else at most once a second.
    mutating func keep(_ rooms: some Collection<KnownRoom>) {
        let entries = rooms.map { Self.entry($0) }.sorted { $0.name < $1.name }
        guard entries != written else { return }
        let isSameRooms = entries.map { [$0.name, $0.hash] } == written.map { [$0.name, $0.hash] }
        guard !isSameRooms || ContinuousClock.now - writtenAt >= Self.writeEvery else { return }
        do {
            try JSONEncoder().encode(entries).write(to: URL(filePath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            written = entries
        } catch {
            logger.error("rooms not written", metadata: ["file": "\(path)", "error": "\(error)"])
        }
        writtenAt = .now
    }

    private static func order(_ entry: Entry) -> OrderRecord {
        OrderRecord(
            secret: entry.secret.flatMap(Hex.decode) ?? [],
            commitment: entry.commitment.flatMap(Hex.decode) ?? [],
            rankedThrough: entry.rankedThrough ?? 0,
            cohort: entry.cohort,
            sealedAt: entry.sealedAt.map { Moment(milliseconds: $0) },
            ties: (entry.ties ?? []).filter { $0.count == 2 }.map { OrderRecord.Tie(first: $0[0], count: $0[1]) },
            draw: entry.draw,
            rounds: (entry.rounds ?? []).filter { $0.count == 2 }
                .map { OrderRecord.NamedRound(round: UInt64($0[0]), at: Moment(milliseconds: $0[1])) },
            voids: (entry.voids ?? []).filter { $0.count == 2 && $0[0] <= $0[1] }.map { $0[0]...$0[1] }
        )
    }

    private static func entry(_ known: KnownRoom) -> Entry {
        let room = known.snapshot
        let order = room.order
        return Entry(
            name: room.name.text,
            policy: String(decoding: room.policy.canonicalJSON, as: UTF8.self),
            hash: room.policyHash,
            version: room.version,
            phase: room.phase.rawValue,
            generation: room.generation,
            epoch: room.epoch,
            cursor: room.cursor,
            number: room.highestNumber,
            dedupeKey: Hex.encode(room.dedupeKey),
            override: room.override.text,
            forfeitedThrough: room.calls.forfeitedThrough,
            granted: known.granted,
            live: room.livePasses,
            moves: room.calls.marks.map { [Int64($0.upTo), $0.at.milliseconds] },
            turned: room.turnedUp.sorted(),
            revoked: room.revokedPasses.sorted(),
            secret: Hex.encode(order.secret),
            commitment: Hex.encode(order.commitment),
            rankedThrough: order.rankedThrough,
            cohort: order.cohort,
            sealedAt: order.sealedAt?.milliseconds,
            ties: order.ties.map { [$0.first, $0.count] },
            draw: order.draw,
            rounds: order.rounds.map { [Int64($0.round), $0.at.milliseconds] },
            voids: order.voids.map { [$0.lowerBound, $0.upperBound] },
            recovered: room.recovered.sorted { $0.value < $1.value }.map { [Int64($0.key), $0.value] },
            asOf: room.calls.marks.isEmpty && room.livePasses == 0 ? nil : room.asOf.milliseconds
        )
    }
}

struct RoomCheckpointFault: Error, CustomStringConvertible {
    var path: String

    var description: String {
        "the rooms in \(path) cannot be read, so it is not known what to guard; restore or remove the file"
    }
}
