// Pulls all rooms a few times a second, in one pipeline, and hands the new view to every loop.
package import Logging
import Queueing
package import Redis
import Operations
import ServiceLifecycle

package struct SnapshotPuller: Service {
    /// A gateway with more rooms than this pulls the first ones by name.
    static let roomsMax = 1000

    private let redis: RedisClient
    private let rooms: Rooms
    private let interval: Duration
    private let checkpoint: RoomCheckpoint?
    private let remembered: [KnownRoom]
    private let counters: RoomCounters
    private let gauges: RoomGauges
    private let challenger: Challenger
    private let gave: RoomMemory
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        interval: Duration,
        checkpointFile: String? = nil,
        counters: RoomCounters,
        gauges: RoomGauges,
        challenger: Challenger,
        gave: RoomMemory = RoomMemory(),
        logger: Logger
    ) throws {
        self.gave = gave
        var checkpoint = checkpointFile.map { RoomCheckpoint(path: $0, logger: logger) }
        remembered = try checkpoint?.read() ?? []
        self.checkpoint = checkpoint
        self.redis = redis
        self.rooms = rooms
        self.interval = interval
        self.counters = counters
        self.gauges = gauges
        self.challenger = challenger
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var memory = PullMemory(remembered)
            var checkpoint = checkpoint
            while !Task.isCancelled {
                await pull(&memory)
                // New rooms are there at once.
                if !memory.isComplete, !memory.isAway { await pull(&memory) }
                if !memory.isAway { checkpoint?.keep(memory.known.values) }
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func pull(_ memory: inout PullMemory) async {
        do {
            let started = WallClock.now()
            let replies = try await redis.pipeline(memory.commands, deadline: .seconds(1))
            let ended = WallClock.now()
            if replies.contains(where: { $0.asError?.hasPrefix("ERR Function not found") ?? false }) {
                try await redis.load(RoomFunctions.library)
                return
            }
            guard memory.take(replies, sentAt: started, gotAt: ended) else {
                throw UnreadableReply(function: "snapshot")
            }
            noteForgotten(&memory)
            try await restore(memory)
            hand(memory)
            gauges.setAway(false)
            if memory.isAway {
                memory.isAway = false
                logger.notice("rooms are fresh again")
            }
        } catch {
            counters.pullFailures.increment()
            gauges.setAway(true)
            if !memory.isAway {
                memory.isAway = true
                logger.warning(
                    "rooms cannot be pulled, answering from the last snapshot",
                    metadata: ["error": "\(error)"]
                )
            }
            rooms.update { view in
                view.set(view.rooms.values.map { $0.degraded() })
            }
        }
    }

    /// Tells the store of the rooms it has forgotten something of, until it has them again.
    private func restore(_ memory: PullMemory) async throws {
        for room in memory.known.values where room.needsRestore {
            try await RoomStore(redis: redis).restore(room, gave)
        }
    }

    /// Says once which rooms are gone from the store.
    private func noteForgotten(_ memory: inout PullMemory) {
        let forgotten = memory.known.values.filter(\.isForgotten).map(\.snapshot.name.text).sorted()
        guard forgotten != memory.saidForgotten else { return }
        memory.saidForgotten = forgotten
        guard !forgotten.isEmpty else { return }
        logger.error(
            "rooms are gone from the store: they stay guarded, and the store is told what is known of them",
            metadata: ["rooms": "\(forgotten.joined(separator: " "))"]
        )
    }

    private func hand(_ memory: PullMemory) {
        gauges.set(Array(memory.known.values))
        let old = rooms.view.rooms
        let views = memory.known.values.map { known in
            RoomView(known.snapshot, ranks: known.ranks, reusing: old[known.snapshot.name.text])
        }
        challenger.keep(views, atMS: WallClock.now().milliseconds + memory.clockOffsetMS)
        rooms.update { view in
            view.set(views)
            view.forgotten = memory.saidForgotten
            view.clockOffsetMS = memory.clockOffsetMS
            view.isKnown = view.isKnown || memory.isComplete
        }
    }
}

/// What is kept from one pull to the next.
struct PullMemory {
    private(set) var known: [RoomName: KnownRoom]
    private(set) var clockOffsetMS: Int64 = 0
    var isAway = false
    /// Whether every room that is listed has been asked for.
    private(set) var isComplete = false
    var saidForgotten: [String] = []
    private var names: [RoomName]

    /// Begins with the rooms that are remembered from before the start.
    init(_ remembered: [KnownRoom] = []) {
        known = Dictionary(remembered.map { ($0.snapshot.name, $0) }) { first, _ in first }
        names = known.keys.sorted { $0.text < $1.text }
    }

    /// List of rooms, then a snapshot of each room known so far.
    var commands: [[RedisArgument]] {
        [["SMEMBERS", RoomKeys.rooms]] + names.map { SnapshotReader.command($0, known: known[$0]) }
    }

    /// - Returns: false when the replies are not those of `commands`.
    mutating func take(_ replies: [RedisValue], sentAt: Moment, gotAt: Moment) -> Bool {
        guard replies.count == names.count + 1, let listed = replies[0].asArray else { return false }
        for (name, reply) in zip(names, replies.dropFirst()) {
            if var room = SnapshotReader.read(reply, name: name, known: known[name]) {
                if room.needsRestore {
                    // What it says is older than what is known here, which goes on until the store knows it, too.
                    let old = known[name].flatMap { $0.snapshot.generation == room.snapshot.generation ? $0 : nil }
                    var kept = old ?? room
                    kept.snapshot.isDegraded = true
                    kept.needsRestore = true
                    known[name] = kept
                    continue
                }
                if let old = known[name]?.snapshot, old.generation == room.snapshot.generation {
                    room.snapshot.highestNumber = max(old.highestNumber, room.snapshot.lastNumber)
                }
                known[name] = room
                let middle = (sentAt.milliseconds + gotAt.milliseconds) / 2
                clockOffsetMS = room.snapshot.asOf.milliseconds - middle
            } else {
                // A store that has forgotten a room does not open its doors: what was known last goes on.
                known[name]?.snapshot.isDegraded = true
                known[name]?.isForgotten = true
                known[name]?.needsRestore = true
            }
        }
        let asked = Set(names)
        let now = Set(listed.compactMap { $0.asText.flatMap { RoomName($0) } })
        isComplete = now.isSubset(of: asked)
        names = now.union(known.keys).sorted { $0.text < $1.text }
        if names.count > SnapshotPuller.roomsMax { names = Array(names.prefix(SnapshotPuller.roomsMax)) }
        return true
    }
}
