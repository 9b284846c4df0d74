// Acts for the leader of a room: ranks the places of tie windows that are over, and draws lotteries.
import Fairness
package import Logging
import NIOPosix
package import Operations
import Queueing
package import Redis
import ServiceLifecycle
import UsherAPI

package struct Drawer: Service {
    /// Ranks that go to the store in one call; a tie window is not cut.
    static let ranksAtOnceMax = 65_536
    static let roomsAtOnceMax = 16

    private let redis: RedisClient
    private let store: RoomStore
    private let rooms: Rooms
    private let logs: RoomLogs
    private let leases: RoomLeases
    private let beacon: any BeaconSource
    private let interval: Duration
    private let patience: Duration
    private let draws: Counter
    private let logger: Logger

    package init(
        redis: RedisClient,
        rooms: Rooms,
        logs: RoomLogs,
        leases: RoomLeases,
        beacon: any BeaconSource,
        interval: Duration,
        patience: Duration = DrawRound.patience,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.redis = redis
        store = RoomStore(redis: redis)
        self.rooms = rooms
        self.logs = logs
        self.leases = leases
        self.beacon = beacon
        self.interval = interval
        self.patience = patience
        draws = metrics.counter("usher_gateway_draws_total", "Lotteries drawn here.")
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var memories: [RoomName: BeaconMemory] = [:]
            while !Task.isCancelled {
                memories = await round(memories)
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// All rooms that are led here, a few at a time.
    private func round(_ memories: [RoomName: BeaconMemory]) async -> [RoomName: BeaconMemory] {
        let led = rooms.view.rooms.values.compactMap { view in
            leases.lease(of: view.name).map { (view.snapshot, $0) }
        }
        return await withTaskGroup(of: (RoomName, BeaconMemory).self) { tasks in
            var fresh: [RoomName: BeaconMemory] = [:]
            for (index, (room, lease)) in led.enumerated() where !room.isDegraded {
                if index >= Self.roomsAtOnceMax, let (name, memory) = await tasks.next() { fresh[name] = memory }
                let memory = memories[room.name] ?? BeaconMemory()
                tasks.addTask { (room.name, await step(memory, room, lease)) }
            }
            for await (name, memory) in tasks { fresh[name] = memory }
            return fresh
        }
    }

    private func step(_ memory: BeaconMemory, _ room: RoomSnapshot, _ lease: RoomLease) async -> BeaconMemory {
        var memory = memory
        if memory.generation != room.generation { memory = BeaconMemory(generation: room.generation) }
        do {
            switch room.policy.order {
            case .firstCome where room.policy.tieWindowMS > 0: try await rankTies(room, lease)
            case .lottery where room.phase == .sealed: try await draw(room, lease, &memory)
            case .lottery where room.order.draw != nil: try await rankAgain(room, lease)
            case .firstCome, .lottery: break
            }
            memory.said = nil
        } catch {
            if memory.said != "\(error)" {
                memory.said = "\(error)"
                logger.warning("places cannot be ranked", metadata: ["room": "\(room.name)", "error": "\(error)"])
            }
        }
        return memory
    }

    // MARK: Ties

    private func rankTies(_ room: RoomSnapshot, _ lease: RoomLease) async throws {
        let meta = try await redis.call(["HMGET", RoomKeys(room.name).meta, "tie_first", "number", "ranked_through"])
        guard let parts = meta.asArray, parts.count == 3, let open = parts[0].asUnsigned,
            let number = parts[1].asUnsigned, let ranked = parts[2].asUnsigned
        else { return }
        let through = open > 0 ? open - 1 : number
        guard through > ranked else { return }
        // Read after the numbers: every window that was over then is among them.
        let known = room.order.ties
        let fresh = try await store.bytes(
            of: .ties,
            room.name,
            from: known.count * OrderRecord.Tie.bytes,
            count: RoomStore.recordBytesReadMax
        )
        let ties = (known + OrderRecord.Tie.read(fresh)).filter {
            $0.first > ranked && $0.first + $0.count - 1 <= through
        }
        for piece in TiePieces(ties, from: ranked, through: through, numbersMax: Self.ranksAtOnceMax).pieces {
            let blocks = piece.ties.map { tie in
                let seed = TieBreak.seed(
                    secret: room.order.secret,
                    room: room.name.text,
                    first: tie.first,
                    count: tie.count
                )
                let ranks = RankBlock(first: tie.first, count: tie.count, seed: seed).ranks()
                return RoomStore.RankedBlock(first: tie.first, packedRanks: RankTable.packed(ranks))
            }
            let outcome = try await store.rank(
                room.name,
                blocks,
                from: piece.from,
                through: piece.through,
                lease: lease
            )
            guard outcome == .done else { return }
        }
    }

    // MARK: Lottery

    private func draw(_ room: RoomSnapshot, _ lease: RoomLease, _ memory: inout BeaconMemory) async throws {
        guard let cohort = room.order.cohort, let log = logs.log(of: room), log.hold == nil,
            log.signedSize >= Int(cohort), let value = try await value(room, lease, &memory),
            let root = try log.root(at: Int(cohort))
        else { return }
        let document = DrawDocument(room: room, root: root, count: cohort, value: value)
        let seed = DrawDocument.seed(room: room, root: root, count: cohort, value: value)
        let ranks = try await NIOThreadPool.singleton.runIfActive {
            RankBlock(first: 1, count: cohort, seed: seed).ranks()
        }
        guard try await write(ranks, after: 0, of: room, lease) else { return }
        guard try await store.draw(room.name, document: document.json, lease: lease) == .done else { return }
        draws.increment()
        logger.notice(
            "lottery drawn",
            metadata: ["room": "\(room.name)", "places": "\(cohort)", "kind": "\(document.kind)"]
        )
    }

    /// A store that lost the ranks of a draw calls nobody of the cohort until it has them again.
    private func rankAgain(_ room: RoomSnapshot, _ lease: RoomLease) async throws {
        guard let cohort = room.order.cohort, room.order.rankedThrough < cohort,
            let block = RoomRanks.drawnBlock(of: room), block.count == cohort
        else { return }
        let ranks = try await NIOThreadPool.singleton.runIfActive { block.ranks() }
        guard try await write(ranks, after: Int(room.order.rankedThrough), of: room, lease) else { return }
        logger.notice("ranks of the draw written again", metadata: ["room": "\(room.name)", "places": "\(cohort)"])
    }

    /// In a sealed room from the first on, whatever a leader before has written: until the draw is done no rank is in
    /// force. After it only those that are missing.
    private func write(
        _ ranks: [UInt32],
        after ranked: Int,
        of room: RoomSnapshot,
        _ lease: RoomLease
    ) async throws -> Bool {
        var done = ranked
        while done < ranks.count {
            let end = min(ranks.count, done + Self.ranksAtOnceMax)
            let outcome = try await store.rank(
                room.name,
                [.init(first: UInt64(done) + 1, packedRanks: RankTable.packed(Array(ranks[done..<end])))],
                from: UInt64(done),
                through: UInt64(end),
                lease: lease
            )
            guard outcome == .done else { return false }
            done = end
        }
        return true
    }

    /// What the lottery is drawn with; nil while it cannot be known.
    private func value(
        _ room: RoomSnapshot,
        _ lease: RoomLease,
        _ memory: inout BeaconMemory
    ) async throws -> DrawDocument.Value? {
        guard room.policy.beacon != .commitReveal else { return .secret(room.order.secret) }
        guard let opens = room.policy.schedule.saleOpensAt else { return nil }
        let chain = beacon.chain
        let first = DrawRound.first(chain: chain, saleOpensAt: opens, sealedAt: room.order.sealedAt)
        let round = DrawRound.current(first: first, named: room.order.rounds, chain: chain)
        let now = rooms.view.now()
        guard chain.moment(of: round) <= now else {
            if !room.order.rounds.contains(where: { $0.round == round }) { try await name(round, room, lease) }
            return nil
        }
        guard try await isSigned(room, before: chain.moment(of: round), &memory) else {
            try await giveUp(round, at: now, room, lease, &memory)
            return nil
        }
        if let known = memory.value, known.round == round { return .round(known, chain: chain) }
        do {
            let value = try await beacon.round(round)
            memory.value = value
            return .round(value, chain: chain)
        } catch {
            try await giveUp(round, at: now, room, lease, &memory)
            throw error
        }
    }

    /// Whether the sealed list was signed before the round came: with a list that could still be chosen nothing is drawn.
    private func isSigned(_ room: RoomSnapshot, before time: Moment, _ memory: inout BeaconMemory) async throws -> Bool
    {
        if memory.signedAt == nil, let cohort = room.order.cohort {
            let covering = try await store.checkpoints(room.name).lazy.compactMap {
                SignedCheckpoint(note: $0)?.checkpoint
            }
            .first { $0.size >= Int(cohort) }
            memory.signedAt = covering.map { Moment(milliseconds: $0.milliseconds) }
        }
        return room.order.cohort == 0 || memory.signedAt.map { $0 < time } ?? false
    }

    /// A round that has been missed for long enough is followed by the next named one.
    private func giveUp(
        _ round: UInt64,
        at now: Moment,
        _ room: RoomSnapshot,
        _ lease: RoomLease,
        _ memory: inout BeaconMemory
    ) async throws {
        let since = memory.missing(round, at: now)
        guard now - since >= patience, room.order.rounds.count < DrawRound.namedMax else { return }
        try await name(DrawRound.next(after: round, chain: beacon.chain, at: rooms.view.now()), room, lease)
    }

    private func name(_ round: UInt64, _ room: RoomSnapshot, _ lease: RoomLease) async throws {
        let time = beacon.chain.moment(of: round)
        guard try await store.nameRound(room.name, round, at: time, lease: lease) == .done else { return }
        logger.notice("round named", metadata: ["room": "\(room.name)", "round": "\(round)", "at": "\(time.rfc3339)"])
    }
}

/// What is known of the beacon for one room, and since when a round is missed.
struct BeaconMemory: Sendable {
    var generation = 0
    var value: BeaconRound?
    /// When the sealed list was first covered by a checkpoint.
    var signedAt: Moment?
    var said: String?
    private var missed: (round: UInt64, since: Moment)?

    init(generation: Int = 0) { self.generation = generation }

    /// Since when this round is missed.
    mutating func missing(_ round: UInt64, at now: Moment) -> Moment {
        if let missed, missed.round == round { return missed.since }
        missed = (round, now)
        return now
    }
}
