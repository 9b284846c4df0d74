import BookingDatabase
import Events
import Logging
import Operations
import Ordering
import ServiceLifecycle

/// One process' share of a consumer group: reads the partitions it holds, hands events to the group's effect, and fills
/// what a stream has lost from the outbox.
///
/// Partitions are leased, so that normally one member reads each. Nothing depends on it: an event's row in the inbox is
/// written with its effect, and a member that acts on a lease it has lost is undone by that key.
actor EventMember: Service {
    static let pieceMax = 128
    static let parkedMax = 64
    private static let pageMax = 512
    private static let beatsPerLease = 4
    private static let pauseMax = Duration.seconds(5)

    private let group: EventGroup
    private let events: EventDatabase
    private let streams: EventStreams
    private let owner: String
    private let configuration: EventConfiguration
    private let metrics: EventMetrics
    private let logger: Logger
    private let handling: EventHandling

    private var partitions: [HeldPartition] = []
    private var tails: [StreamPosition] = []
    private var parkedSubjects: Set<String> = []
    private var wanted: Set<String>? = []
    private var memory = SequenceMemory()
    private var nextBeat = ContinuousClock.now

    init(
        group: EventGroup,
        events: EventDatabase,
        streams: EventStreams,
        owner: String,
        configuration: EventConfiguration,
        metrics: EventMetrics,
        logger: Logger
    ) {
        self.group = group
        self.events = events
        self.streams = streams
        self.owner = owner
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        handling = EventHandling(
            group: group,
            events: events,
            owner: owner,
            triesMax: configuration.triesMax,
            logger: logger
        )
    }

    var heldPartitions: [Int] { partitions.map(\.number) }

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.work() }
        try? await events.leave(group: group.name, owner: owner)
    }

    private func work() async {
        var failures = 0
        while !Task.isCancelled {
            var pause = configuration.interval
            do {
                while try await step(), !Task.isCancelled {}
                failures = 0
            } catch {
                failures += 1
                nextBeat = .now
                pause = min(configuration.interval * (1 << min(failures, 10)), Self.pauseMax)
                let level: Logger.Level = failures == 1 ? .warning : .debug
                logger.log(
                    level: level,
                    "events not handled",
                    metadata: ["group": "\(group.name)", "error": "\(error)"]
                )
            }
            guard await Pause.isOver(after: pause) else { return }
        }
    }

    /// Handles a piece of each partition held.
    /// - Returns: whether there may be more at once.
    func step() async throws -> Bool {
        if ContinuousClock.now >= nextBeat { try await beat() }
        guard !partitions.isEmpty, wanted?.isEmpty != true else { return false }
        let read = try await streams.read(partitions, limit: Self.pieceMax)
        var (batch, moved, gaps): ([PartitionedEvent], [HeldPartition], [Int]) = ([], [], [])
        for (index, entries) in read.enumerated() {
            var held = partitions[index]
            let piece = StreamPiece(entries, after: held.position, tail: tails[held.number], memory: &memory)
            if piece.hasGap { gaps.append(index) }
            guard let last = piece.entries.last else { continue }
            held.position = last.position
            held.cut = max(held.cut, last.cut)
            moved.append(held)
            batch += piece.entries.map { PartitionedEvent(partition: held.number, event: $0.event) }
        }
        try await handle(batch, moved: moved)
        for held in moved {
            if let index = partitions.firstIndex(where: { $0.number == held.number }) { partitions[index] = held }
        }
        for index in gaps { try await catchUp(index) }
        return !batch.isEmpty || !gaps.isEmpty
    }

    private func handle(_ batch: [PartitionedEvent], moved: [HeldPartition]) async throws(StoreFailure) {
        let wanted = batch.flatMap { withParts($0) }.filter { self.wanted?.contains($0.event.type) ?? true }
        var parkedSubjects = parkedSubjects
        let count = try await handling.handle(wanted, moved: moved, parkedSubjects: &parkedSubjects)
        self.parkedSubjects = parkedSubjects
        metrics.handled.increment(by: UInt64(count))
    }

    /// Also the events of payments and tickets that are told in an order's, when anybody wants such.
    private func withParts(_ item: PartitionedEvent) -> [PartitionedEvent] {
        let areWanted = wanted?.contains { type in PublishedEvent.partPrefixes.contains { type.hasPrefix($0) } } ?? true
        guard areWanted else { return [item] }
        return [item] + item.event.parts.map { PartitionedEvent(partition: item.partition, event: $0) }
    }

    /// Says that this member lives, and learns what it holds.
    private func beat() async throws(StoreFailure) {
        if tails.isEmpty { try await events.begin(group: group.name) }
        wanted = try await group.wanted()
        let share = try await events.beat(
            group: group.name,
            owner: owner,
            lease: configuration.lease,
            passing: wanted?.isEmpty == true
        )
        if share.partitions.map(\.number) != partitions.map(\.number) {
            logger.info(
                "partitions held",
                metadata: ["group": "\(group.name)", "partitions": "\(share.partitions.map(\.number))"]
            )
        }
        (partitions, tails, parkedSubjects) = (share.partitions, share.relay.tails, share.parkedSubjects)
        nextBeat = .now + configuration.lease / Self.beatsPerLease
        guard !parkedSubjects.isEmpty else { return }
        let due = try await events.dueParked(
            group: group.name,
            partitions: partitions.map(\.number),
            limit: Self.parkedMax
        )
        if try await handling.retry(due) { nextBeat = .now }
    }

    /// Reads what a stream has lost, or cut off at its bound, from the outbox, up to what is published now.
    private func catchUp(_ index: Int) async throws(StoreFailure) {
        metrics.caughtUp.increment()
        let relay = try await events.relayState()
        var held = partitions[index]
        while true {
            let page = try await events.published(
                in: held.number,
                after: held.cut,
                upTo: relay.place,
                limit: Self.pageMax
            )
            guard page.end != held.cut else { break }
            held.cut = page.end
            let found = page.events.map {
                PartitionedEvent(partition: held.number, event: PublishedEvent($0) { $0.text })
            }
            try await handle(found, moved: [held])
            partitions[index] = held
        }
        held.position = max(held.position, relay.tails[held.number])
        held.cut = max(held.cut, relay.place)
        try await handle([], moved: [held])
        partitions[index] = held
        memory.forget()
        logger.notice(
            "gap in a stream filled from the outbox",
            metadata: ["group": "\(group.name)", "partition": "\(held.number)", "position": "\(held.position)"]
        )
    }
}
