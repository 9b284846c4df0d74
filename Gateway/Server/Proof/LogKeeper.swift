// Pulls every room's arrival log, keeps it in a file, and signs how far it has come when this gateway leads the room.
import Fairness
import Foundation
package import Logging
import NIOPosix
import Operations
package import QueueTokens
import Queueing
package import Redis
import ServiceLifecycle
import Signing

package struct LogKeeper: Service {
    /// Entries asked for at once; with 24 bytes each a call stays below a megabyte.
    static let pieceEntriesMax = 40_000
    /// Pieces of a room in one round; the rest comes in the next.
    static let piecesMax = 8
    static let roomsAtOnceMax = 16
    /// Entries that are given back to a store in one call.
    static let givenBackMax = 2000
    static let signEvery: Duration = .seconds(1)
    /// How often a log that is not what was signed is compared with the store's again.
    static let mendEvery: Duration = .seconds(2)

    private let redis: RedisClient
    private let store: RoomStore
    private let rooms: Rooms
    private let logs: RoomLogs
    private let leases: RoomLeases
    private let keys: KeyRing
    private let folder: String
    private let interval: Duration
    private let gauges: LogGauges
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        logs: RoomLogs,
        leases: RoomLeases,
        keys: KeyRing,
        folder: String,
        interval: Duration,
        gauges: LogGauges,
        logger: Logger
    ) {
        self.redis = redis
        store = RoomStore(redis: redis)
        self.rooms = rooms
        self.logs = logs
        self.leases = leases
        self.keys = keys
        self.folder = folder
        self.interval = interval
        self.gauges = gauges
        self.logger = logger
    }

    /// What is carried from round to round.
    private struct Memory: Sendable {
        /// The epoch in which the log was last compared with the store's.
        var epoch: Int?
        var records: RoomRecords?
        /// The epoch since which the records are known to be those of the store; nil after a loss.
        var recordsEpoch: Int?
        var signedAt: ContinuousClock.Instant?
        var comparedAt: ContinuousClock.Instant?
        var said: String?
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var memories: [RoomName: Memory] = [:]
            while !Task.isCancelled {
                memories = await round(memories)
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func round(_ memories: [RoomName: Memory]) async -> [RoomName: Memory] {
        let views = rooms.view.rooms.values
        return await withTaskGroup(of: (RoomName, Memory).self) { tasks in
            var fresh = memories
            for (index, view) in views.enumerated() {
                if index >= Self.roomsAtOnceMax, let (name, memory) = await tasks.next() { fresh[name] = memory }
                let memory = memories[view.name] ?? Memory()
                tasks.addTask { (view.name, await step(memory, view.snapshot)) }
            }
            for await (name, memory) in tasks { fresh[name] = memory }
            return fresh
        }
    }

    private func step(_ memory: Memory, _ room: RoomSnapshot) async -> Memory {
        var memory = memory
        guard !room.isDegraded else {
            // The puller says so when the store is away.
            try? await giveBackAll(room, &memory)
            return memory
        }
        do {
            let log = try await open(room)
            try await follow(log, room, &memory)
            try await sign(log, room, &memory)
            try await followRecords(room, &memory)
            gauges.set(log)
            say(log.hold?.text, room.name, &memory)
        } catch let fault as ArrivalFile.Fault {
            logs.log(of: room)?.hold(.unwritable(fault.description))
            say(fault.description, room.name, &memory)
        } catch {
            say("\(error)", room.name, &memory)
        }
        return memory
    }

    private func say(_ trouble: String?, _ room: RoomName, _ memory: inout Memory) {
        guard trouble != memory.said else { return }
        memory.said = trouble
        if let trouble {
            logger.error("arrival log is not signed", metadata: ["room": "\(room)", "reason": "\(trouble)"])
        } else {
            logger.notice("arrival log is in order again", metadata: ["room": "\(room)"])
        }
    }

    private func open(_ room: RoomSnapshot) async throws -> RoomLog {
        if let log = logs.log(of: room) { return log }
        let publicKeys = keys.keys.keys.map(\.publicKey)
        let log = try await NIOThreadPool.singleton.runIfActive { [folder] in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return try RoomLog(folder: folder, room: room.name, generation: room.generation, keys: publicKeys)
        }
        logs.set(log, of: room.name)
        return log
    }

    // MARK: Following the store

    private struct Pulled {
        var entries: [UInt8]
        var note: String?
        var number: Int
        var epoch: Int
    }

    /// Nil when the room is gone, or of another generation by now.
    private func pull(_ log: RoomLog) async throws -> Pulled? {
        let keys = RoomKeys(log.room)
        let first = log.count * ArrivalEntry.length
        let last = first + Self.pieceEntriesMax * ArrivalEntry.length - 1
        let replies = try await redis.pipeline([
            ["GETRANGE", keys.log, .integer(first), .integer(last)],
            ["LRANGE", keys.checkpoints, "-1", "-1"],
            ["HMGET", keys.meta, "number", "epoch", "generation"],
        ])
        guard replies.count == 3, let bytes = replies[0].asBytes, let notes = replies[1].asArray,
            let meta = replies[2].asArray, meta.count == 3, let number = meta[0].asInteger,
            let epoch = meta[1].asInteger, meta[2].asInteger == log.generation
        else { return nil }
        // A gap after a loss may not have reached the string: what is not there is nobody's.
        let here = min(bytes.count / ArrivalEntry.length, max(0, number - log.count))
        return Pulled(
            entries: Array(bytes.prefix(here * ArrivalEntry.length)),
            note: notes.first?.asText,
            number: number,
            epoch: epoch
        )
    }

    private func follow(_ log: RoomLog, _ room: RoomSnapshot, _ memory: inout Memory) async throws {
        for _ in 0..<Self.piecesMax {
            guard let pulled = try await pull(log) else { return }
            guard pulled.number >= log.count else {
                memory.epoch = nil
                if log.hold?.isFault != true { log.hold(.storeForgot(have: log.count, store: pulled.number)) }
                return
            }
            if memory.epoch != pulled.epoch || mustMend(log, memory) {
                try await compare(log, &memory)
                memory.epoch = pulled.epoch
                guard log.hold?.isFault != true else { return }
                continue
            }
            if log.hold?.isFault == false { log.hold(nil) }
            try log.append(pulled.entries)
            try await check(pulled.note, log)
            guard pulled.entries.count == Self.pieceEntriesMax * ArrivalEntry.length else { return }
        }
    }

    private func mustMend(_ log: RoomLog, _ memory: Memory) -> Bool {
        guard log.hold?.isFault == true else { return false }
        return memory.comparedAt.map { ContinuousClock.now - $0 >= Self.mendEvery } ?? true
    }

    /// Compares the whole log with the store's, gives each what it is missing, and makes sure of the newest checkpoint.
    private func compare(_ log: RoomLog, _ memory: inout Memory) async throws {
        memory.comparedAt = .now
        let (have, signed) = (log.count, log.signedSize)
        var (index, lost, isChanged) = (0, 0, false)
        var conflict: Int?
        while index < have {
            let range = index..<min(have, index + Self.pieceEntriesMax)
            let length = ArrivalEntry.length
            let theirs = try await store.bytes(
                of: .log,
                log.room,
                from: index * length,
                count: range.count * length
            )
            let merge = LogMerge(ours: try log.entries(range), theirs: theirs, first: index, signed: signed)
            if merge.isChanged {
                try log.overwrite(merge.entries, at: index)
                isChanged = true
            }
            if let indices = merge.lostIndices { try await giveBack(indices, of: log) }
            lost += merge.lost
            conflict = conflict ?? merge.conflict
            index = range.upperBound
        }
        if lost > 0 {
            logger.warning("the store had lost arrivals", metadata: ["room": "\(log.room)", "entries": "\(lost)"])
        }
        if isChanged { try await NIOThreadPool.singleton.runIfActive { try log.rebuild() } }
        log.hold(nil)
        if let conflict {
            log.hold(.inconsistent("the store has another arrival under number \(conflict + 1) than was signed"))
        }
        if let checkpoint = log.checkpoint { try log.accept(checkpoint) }
    }

    /// Arrivals the store has forgotten, in pieces that do not hold it up.
    private func giveBack(_ indices: ClosedRange<Int>, of log: RoomLog) async throws {
        for first in stride(from: indices.lowerBound, through: indices.upperBound, by: Self.givenBackMax) {
            let end = min(first + Self.givenBackMax, indices.upperBound + 1)
            try await store.restoreLog(log.room, from: UInt64(first) + 1, entries: try log.entries(first..<end))
        }
    }

    /// The newest checkpoint of the store, whoever signed it.
    private func check(_ note: String?, _ log: RoomLog) async throws {
        guard let note, note != log.checkpoint?.note else { return }
        guard let signed = SignedCheckpoint(note: note),
            signed.isSigned(byOneOf: keys.keys.keys.map(\.publicKey))
        else {
            log.hold(.inconsistent("the newest checkpoint is not signed by a key of ours"))
            return
        }
        try await NIOThreadPool.singleton.runIfActive { _ = try log.accept(signed) }
    }

    // MARK: What else is kept

    private func records(_ room: RoomSnapshot, _ memory: inout Memory) async throws -> RoomRecords {
        if let records = memory.records, records.generation == room.generation { return records }
        memory.records = nil
        memory.recordsEpoch = nil
        return try await NIOThreadPool.singleton.runIfActive { [folder] in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return try RoomRecords(folder: folder, room: room.name, generation: room.generation)
        }
    }

    private func followRecords(_ room: RoomSnapshot, _ memory: inout Memory) async throws {
        guard let state = try await recovery(of: room), !state.recovers else { return }
        var records = try await records(room, &memory)
        if memory.recordsEpoch == state.epoch {
            try await records.follow(redis)
        } else {
            try await records.agree(redis)
            memory.recordsEpoch = state.epoch
        }
        memory.records = records
    }

    /// A store that has lost this room is given everything that is known here, before it goes on.
    private func giveBackAll(_ room: RoomSnapshot, _ memory: inout Memory) async throws {
        guard let state = try await recovery(of: room), state.recovers else { return }
        memory.recordsEpoch = nil
        let log = try await open(room)
        if memory.epoch != state.epoch {
            try await compare(log, &memory)
            memory.epoch = state.epoch
        }
        let records = try await records(room, &memory)
        memory.records = records
        _ = try await records.giveBack(redis)
    }

    /// Nil when the room is gone, or of another generation by now.
    private func recovery(of room: RoomSnapshot) async throws -> (epoch: Int, recovers: Bool)? {
        let replies = try await redis.pipeline([
            ["HMGET", RoomKeys(room.name).meta, "generation", "epoch", "recovering_until"], ["TIME"],
        ])
        guard replies.count == 2, let meta = replies[0].asArray, meta.count == 3,
            meta[0].asInteger == room.generation, let epoch = meta[1].asInteger,
            let time = replies[1].asArray, time.count == 2, let seconds = time[0].asInteger,
            let micros = time[1].asInteger
        else { return nil }
        return (epoch, (meta[2].asInteger ?? 0) > seconds * 1000 + micros / 1000)
    }

    // MARK: Signing

    private func sign(_ log: RoomLog, _ room: RoomSnapshot, _ memory: inout Memory) async throws {
        guard let lease = leases.lease(of: room.name), let key = keys.privateKey, log.hold == nil,
            log.count > log.signedSize
        else { return }
        if let signedAt = memory.signedAt, ContinuousClock.now - signedAt < Self.signEvery { return }
        let size = Self.sizeToSign(count: log.count, signed: log.signedSize, cohort: room.order.cohort)
        try await NIOThreadPool.singleton.runIfActive { try log.sync() }
        guard let root = try log.root(at: size) else { return }
        let checkpoint = Checkpoint(
            room: room.name.text,
            generation: room.generation,
            size: size,
            root: root,
            milliseconds: rooms.view.now().milliseconds
        )
        let signed = checkpoint.signed(by: key)
        memory.signedAt = .now
        switch try await store.checkpoint(room.name, size: UInt64(size), note: signed.note, lease: lease) {
        case .done:
            gauges.signed.increment()
            try log.accept(signed)
        case .notLeading, .refused, .noRoom: break
        }
    }

    /// The sealed list gets a checkpoint of its own size.
    static func sizeToSign(count: Int, signed: Int, cohort: UInt64?) -> Int {
        guard let cohort = cohort.flatMap({ Int(exactly: $0) }), signed < cohort, cohort <= count else { return count }
        return cohort
    }
}
