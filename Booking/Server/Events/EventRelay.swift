import BookingDatabase
import Events
import Logging
import Operations
import Ordering
import ServiceLifecycle

/// Publishes the outbox: one process at a time, batch by batch. What it has published is one place in PostgreSQL, so
/// orders pay nothing for it: a row is written once, read once, and removed when it is old.
actor EventRelay: Service {
    static let batchMax = 512
    private static let countMax = 10_000
    private static let cleanMax = 5000
    private static let cleanRoundsMax = 100
    private static let cleanInterval = Duration.seconds(60)
    private static let lookInterval = Duration.seconds(5)
    private static let pauseMax = Duration.seconds(5)

    private let events: EventDatabase
    private let streams: EventStreams
    private let owner: String
    private let configuration: EventConfiguration
    private let metrics: EventMetrics
    private let logger: Logger

    private var state: RelayState?
    private var leasedUntil = ContinuousClock.now
    private var seenInStreams = 0
    private var nextClean = ContinuousClock.now
    private var nextLook = ContinuousClock.now
    private var failures = 0

    init(
        events: EventDatabase,
        streams: EventStreams,
        owner: String,
        configuration: EventConfiguration,
        metrics: EventMetrics,
        logger: Logger
    ) {
        self.events = events
        self.streams = streams
        self.owner = owner
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.work() }
        try? await events.releaseRelay(owner: owner)
    }

    private func work() async {
        while !Task.isCancelled {
            var pause = configuration.interval
            do {
                while try await step(), !Task.isCancelled {}
                failures = 0
            } catch {
                report(error)
                pause = min(configuration.interval * (1 << min(failures, 10)), Self.pauseMax)
            }
            guard await Pause.isOver(after: pause) else { return }
        }
    }

    /// Publishes one batch.
    /// - Returns: whether there may be more at once.
    func step() async throws -> Bool {
        do {
            guard let state = try await leased() else { return false }
            try await lookAfter()
            let page = try await events.unpublished(after: state.place, limit: Self.batchMax)
            guard page.end != state.place else { return false }
            try await publish(page, from: state)
            return page.events.count >= Self.batchMax
        } catch {
            // A batch that may have been published in part is never completed: the next one gets a number of its own.
            state = nil
            if case EventStreams.Failure.outrun = error { seenInStreams = try await streams.lastBatch() }
            throw error
        }
    }

    private func publish(_ page: OutboxPage, from state: RelayState) async throws {
        var tails = state.tails
        var entries: [(partition: Int, entry: StreamEntry)] = []
        entries.reserveCapacity(page.events.count)
        for event in page.events {
            let tail = tails[event.partition]
            let index = tail.batch == state.batch ? tail.index + 1 : 0
            let entry = StreamEntry(
                position: StreamPosition(batch: state.batch, index: index),
                previousBatch: state.tails[event.partition].batch,
                cut: state.place,
                event: PublishedEvent(event) { $0.text }
            )
            tails[event.partition] = entry.position
            entries.append((event.partition, entry))
        }
        try await streams.publish(entries)
        let asked = ContinuousClock.now
        let next = try await events.advanceRelay(
            owner: owner,
            batch: state.batch,
            to: page.end,
            tails: tails,
            lease: configuration.lease
        )
        guard let next else { return self.state = nil }
        leasedUntil = asked + configuration.lease
        self.state = RelayState(place: page.end, batch: next, tails: tails)
        metrics.published.increment(by: UInt64(entries.count))
    }

    /// The state to go on from while the lease is ours.
    private func leased() async throws -> RelayState? {
        let asked = ContinuousClock.now
        if let state {
            guard leasedUntil - asked < configuration.lease / 2 else { return state }
            if try await events.keepRelay(owner: owner, batch: state.batch, lease: configuration.lease) {
                leasedUntil = asked + configuration.lease
                return state
            }
            self.state = nil
        }
        let taken = try await events.takeRelay(owner: owner, lease: configuration.lease, atLeast: seenInStreams)
        guard taken != nil else { return nil }
        try await events.adopt()
        // Read again: adopting may have set it back.
        state = try await events.relayState()
        leasedUntil = asked + configuration.lease
        return state
    }

    /// Numbers for operators, and the removal of what is old.
    private func lookAfter() async throws(StoreFailure) {
        let now = ContinuousClock.now
        if now >= nextLook {
            nextLook = now + Self.lookInterval
            let (count, oldest) = try await events.waiting(countMax: Self.countMax)
            metrics.waiting.set(Double(count))
            metrics.oldestAge.set(oldest / .seconds(1))
            metrics.parked.set(Double(try await events.parkedCount()))
            for lag in try await events.lags(countMax: Self.countMax) { metrics.show(lag) }
        }
        guard now >= nextClean else { return }
        nextClean = now + Self.cleanInterval
        let (outbox, inbox) = configuration.retentionTimes
        let times = RetentionTimes(outbox: outbox, inbox: inbox, deliveries: EventConfiguration.deliveriesKept)
        for _ in 0..<Self.cleanRoundsMax where try await !events.clean(times, limit: Self.cleanMax) { return }
    }

    private func report(_ error: any Error) {
        failures += 1
        metrics.failures.increment()
        // The first failure is news, the rest is known.
        let level: Logger.Level = failures == 1 ? .warning : .debug
        logger.log(level: level, "events not published", metadata: ["error": "\(error)"])
    }
}
