// What else proves a room's order, outside the store: calls, passes, places left, changes of the rules, checkpoints.
import Fairness
import Foundation
import Queueing
import Redis

/// One task uses it. Calls block for files of a few megabytes at most.
struct RoomRecords {
    static let kinds: [RoomStore.Record] = [.moves, .claims, .left]
    /// Bytes of a record in one call.
    static let pieceBytesMax = 1 << 20
    /// Records that are told to a store in one call: it must not be held up.
    static let toldMax = 4096
    static let changesMax = 2000
    static let changesAtOnceMax = 200
    static let checkpointsMax = 10_000
    static let checkpointsAtOnceMax = 64

    let room: RoomName
    let generation: Int
    private let files: [RoomStore.Record: ArrivalFile]
    private var changes: TextFile
    private var notes: TextFile
    private var newestSize = 0

    init(folder: String, room: RoomName, generation: Int) throws {
        self.room = room
        self.generation = generation
        let path = "\(folder)/\(room.text).\(generation)"
        var files: [RoomStore.Record: ArrivalFile] = [:]
        for kind in Self.kinds {
            files[kind] = try ArrivalFile(path: "\(path).\(kind.rawValue)", entryLength: kind.entryBytes)
        }
        self.files = files
        changes = try TextFile(path: path + ".changes")
        notes = try TextFile(path: path + ".checkpoints")
        newestSize = Self.size(notes.texts.last)
    }

    // MARK: Following the store

    private func length(of kind: RoomStore.Record) throws -> Int {
        try (files[kind]?.count() ?? 0) * kind.entryBytes
    }

    /// Takes what has come to the store's records since.
    mutating func follow(_ redis: RedisClient) async throws {
        let keys = RoomKeys(room)
        var commands: [[RedisArgument]] = []
        for kind in Self.kinds {
            let from = try length(of: kind)
            commands.append(["GETRANGE", keys.record(kind), .integer(from), .integer(from + Self.pieceBytesMax - 1)])
        }
        let after = changes.texts.last.flatMap { RecordedText($0)?.id } ?? "0-0"
        commands.append(["XRANGE", keys.changes, .text("(" + after), "+", "COUNT", .integer(Self.changesAtOnceMax)])
        commands.append(["LRANGE", keys.checkpoints, "-1", "-1"])
        let replies = try await redis.pipeline(commands)
        guard replies.count == commands.count else { throw UnreadableReply(function: "records") }
        for (kind, reply) in zip(Self.kinds, replies) {
            guard let file = files[kind], let bytes = reply.asBytes, !bytes.isEmpty else { continue }
            let whole = bytes.count / kind.entryBytes * kind.entryBytes
            try file.write(Array(bytes.prefix(whole)), at: try file.count())
        }
        let fresh = (replies[Self.kinds.count].asArray ?? []).compactMap { RecordedText($0)?.text }
        try changes.append(fresh, max: Self.changesMax)
        if let newest = replies.last?.asArray?.first?.asText, Self.size(newest) > newestSize {
            try await takeNotes(redis)
        }
    }

    private mutating func takeNotes(_ redis: RedisClient) async throws {
        let store = RoomStore(redis: redis)
        let last = try await store.checkpoints(room, from: -Self.checkpointsAtOnceMax)
        let fresh = last.filter { Self.size($0) > newestSize }
        if fresh.count < Self.checkpointsAtOnceMax {
            try notes.append(fresh, max: Self.checkpointsMax)
        } else {
            try notes.replace(try await store.checkpoints(room))
        }
        newestSize = Self.size(notes.texts.last)
    }

    private static func size(_ note: String?) -> Int {
        note.flatMap { SignedCheckpoint(note: $0) }?.checkpoint.size ?? 0
    }

    // MARK: After a loss

    /// Where ours and theirs begin to differ, in records.
    private func common(_ kind: RoomStore.Record, _ file: ArrivalFile, _ store: RoomStore) async throws -> Int {
        let (count, size) = (try file.count(), kind.entryBytes)
        let pieceMax = Self.pieceBytesMax / size
        var same = 0
        while same < count {
            let ours = try file.entries(same..<min(count, same + pieceMax))
            let theirs = try await store.bytes(of: kind, room, from: same * size, count: ours.count)
            let equal = zip(ours, theirs).prefix { $0 == $1 }.count / size
            same += equal
            guard equal * size == ours.count else { break }
        }
        return same
    }

    /// Tells a store that recovers all it has lost of this. - Returns: false when it does not recover any more.
    func giveBack(_ redis: RedisClient) async throws -> Bool {
        let store = RoomStore(redis: redis)
        let sizes = try await redis.call(["HGET", RoomKeys(room).meta, "checkpoint_size"]).asInteger ?? 0
        let lost = notes.texts.map { ($0, Self.size($0)) }.filter { $0.1 > sizes }
        let pieces = stride(from: 0, to: lost.count, by: Self.toldMax / 8).map {
            lost[$0..<min(lost.count, $0 + Self.toldMax / 8)]
        }
        for piece in pieces {
            let told = piece.flatMap { [RedisArgument.integer($0.1), .text($0.0)] }
            guard try await tell(redis, "checkpoints", told) else { return false }
        }
        let theirs = try await redis.call(["XRANGE", RoomKeys(room).changes, "-", "+"]).asArray ?? []
        let known = Set(theirs.compactMap { RecordedText($0)?.id })
        let missing = changes.texts.compactMap { RecordedText($0) }.filter { !known.contains($0.id) }
        for first in stride(from: 0, to: missing.count, by: Self.changesAtOnceMax) {
            let piece = missing[first..<min(missing.count, first + Self.changesAtOnceMax)]
            let told = "[" + piece.map(\.text).joined(separator: ",") + "]"
            guard try await tell(redis, "changes", [.text(told)]) else { return false }
        }
        for kind in Self.kinds {
            guard let file = files[kind] else { continue }
            let count = try file.count()
            for first in stride(from: try await common(kind, file, store), to: count, by: Self.toldMax) {
                let piece = try file.entries(first..<min(count, first + Self.toldMax))
                guard try await tell(redis, kind.rawValue, [.bytes(piece)]) else { return false }
            }
        }
        return true
    }

    private func tell(_ redis: RedisClient, _ which: String, _ arguments: [RedisArgument]) async throws -> Bool {
        let reply = try await redis.call(
            RoomFunctions.restoreRecords,
            keys: RoomKeys(room).forRestoreRecords,
            arguments: [.text(which)] + arguments
        )
        return reply.asArray?.first?.asInteger == 1
    }

    /// Once a store has recovered, its records are what counts: ours become the same.
    mutating func agree(_ redis: RedisClient) async throws {
        let store = RoomStore(redis: redis)
        for kind in Self.kinds {
            guard let file = files[kind] else { continue }
            let same = try await common(kind, file, store)
            if same < (try file.count()) { try file.truncate(to: same) }
        }
        let theirs = try await redis.call(["XRANGE", RoomKeys(room).changes, "-", "+"]).asArray ?? []
        let texts = Array(theirs.compactMap { RecordedText($0)?.text }.suffix(Self.changesMax))
        if texts != changes.texts { try changes.replace(texts) }
        let signed = try await store.checkpoints(room)
        if signed != notes.texts { try notes.replace(signed) }
        newestSize = Self.size(notes.texts.last)
    }
}

/// An entry of a stream as JSON: `["id", ["field", "value", …]]`.
struct RecordedText: Equatable {
    let id: String
    let text: String

    init?(_ entry: RedisValue) {
        guard let parts = entry.asArray, parts.count == 2, let id = parts[0].asText,
            let fields = parts[1].asArray?.map({ $0.asText ?? "" }),
            let json = try? JSONEncoder().encode(Entry(id: id, fields: fields))
        else { return nil }
        self.id = id
        text = String(decoding: json, as: UTF8.self)
    }

    init?(_ text: String) {
        guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(text.utf8)) else { return nil }
        id = entry.id
        self.text = text
    }

    private struct Entry: Codable {
        var id: String
        var fields: [String]

        init(id: String, fields: [String]) {
            self.id = id
            self.fields = fields
        }

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            id = try list.decode(String.self)
            fields = try list.decode([String].self)
        }

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(id)
            try list.encode(fields)
        }
    }
}
