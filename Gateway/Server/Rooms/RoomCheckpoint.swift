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
            let snapshot = RoomSnapshot(
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
                asOf: WallClock.now()
            )
            return KnownRoom(snapshot: snapshot, revocations: -1, granted: 0)
        }
    }

    /// Writes the rooms when they have changed: at once when a room or its policy has, else at most once a second.
    mutating func keep(_ rooms: some Collection<KnownRoom>) {
        let entries = rooms.map { Self.entry($0.snapshot) }.sorted { $0.name < $1.name }
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

    private static func entry(_ room: RoomSnapshot) -> Entry {
        Entry(
            name: room.name.text,
            policy: String(decoding: room.policy.canonicalJSON, as: UTF8.self),
            hash: room.policyHash,
            version: room.version,
            phase: room.phase.rawValue,
            generation: room.generation,
            epoch: room.epoch,
            cursor: room.cursor,
            number: room.highestNumber,
            dedupeKey: Hex.encode(room.dedupeKey)
        )
    }
}

struct RoomCheckpointFault: Error, CustomStringConvertible {
    var path: String

    var description: String {
        "the rooms in \(path) cannot be read, so it is not known what to guard; restore or remove the file"
    }
}
