import Logging
import NIOCore
import Operations
import Ordering
import ServiceLifecycle
import Synchronization

/// The live maps of the sessions somebody looks at: one reader follows the log of each, and what it reads is written
/// once for all subscribers.
final class LiveMaps: Service {
    private struct Newcomer {
        var feed: MapFeed
        var seen: MapVersion?
    }

    private struct Audience {
        var newcomers: [Newcomer] = []
        var feeds: [ObjectIdentifier: MapFeed] = [:]
        var isEmpty: Bool { newcomers.isEmpty && feeds.isEmpty }
    }

    private struct State {
        var audiences: [SessionID: Audience] = [:]
        var count = 0
        var hasEnded = false
    }

    /// Changes within this time become one delta.
    private static let tick = Duration.milliseconds(80)
    private static let heartbeatEvery = Duration.seconds(15)
    /// Changes read at once; a reader that finds so many reads again at once.
    private static let changesMax = 2_000

    private let catalogue: CatalogueCache
    private let holds: any HoldStore
    private let clock: Clock
    private let subscribersMax: Int
    private let subscribers: Gauge
    private let dropped: Counter
    private let logger: Logger
    private let state = Mutex(State())

    init(
        catalogue: CatalogueCache,
        holds: any HoldStore,
        clock: Clock,
        subscribersMax: Int,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.catalogue = catalogue
        self.holds = holds
        self.clock = clock
        self.subscribersMax = subscribersMax
        self.logger = logger
        subscribers = metrics.gauge("usher_booking_map_subscribers", "Readers of live maps.")
        dropped = metrics.counter("usher_booking_map_dropped_total", "Readers of live maps that were too slow.")
    }

    // MARK: Subscribers

    var hasRoom: Bool { state.withLock { $0.count < subscribersMax && !$0.hasEnded } }

    /// A feed that begins with a snapshot, or with what came after `seen`, if anything did; `nil` when there are as many readers as may
    /// be. The caller ends it with `leave`.
    func join(_ session: SessionID, seen: MapVersion?, close: @escaping @Sendable () -> Void) -> MapFeed? {
        let feed = MapFeed(close: close)
        let isIn = state.withLock { state in
            guard state.count < subscribersMax, !state.hasEnded else { return false }
            state.count += 1
            subscribers.set(Double(state.count))
            state.audiences[session, default: Audience()].newcomers.append(Newcomer(feed: feed, seen: seen))
            return true
        }
        return isIn ? feed : nil
    }

    func leave(_ session: SessionID, _ feed: MapFeed) {
        feed.end()
        state.withLock { state in
            state.count -= 1
            subscribers.set(Double(state.count))
            state.audiences[session]?.feeds[ObjectIdentifier(feed)] = nil
            state.audiences[session]?.newcomers.removeAll { $0.feed === feed }
            if state.audiences[session]?.isEmpty == true { state.audiences[session] = nil }
        }
    }

    // MARK: The reader

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var maps: [SessionID: LiveSeatMap] = [:]
            var spokenAt = ContinuousClock.now
            while !Task.isCancelled {
                let watched = state.withLock { Array($0.audiences.keys) }
                maps = maps.filter { watched.contains($0.key) }
                for session in watched { maps[session] = await follow(session, maps[session]) }
                if ContinuousClock.now - spokenAt > Self.heartbeatEvery {
                    spokenAt = .now
                    for session in watched { tell(session, MapEvent.heartbeat, alsoNewcomers: true) }
                }
                guard await Pause.isOver(after: Self.tick) else { break }
            }
        }
        end()
    }

    /// Reads what is new, tells everybody, and lets newcomers in; the map to go on with.
    private func follow(_ session: SessionID, _ known: LiveSeatMap?) async -> LiveSeatMap? {
        do throws(HoldFailure) {
            guard var map = known else { return welcome(session, try await begin(session)) }
            while true {
                let news = try await holds.changes(of: session, after: map.version.sequence, limit: Self.changesMax)
                guard let delta = map.apply(news) else {
                    // Another epoch, or a gap: everybody starts afresh.
                    guard let fresh = try await begin(session) else { return nil }
                    tell(session, MapEvent.snapshot(fresh, of: session, at: clock.now()))
                    return welcome(session, fresh)
                }
                if !delta.runs.isEmpty { tell(session, MapEvent.delta(delta)) }
                if news.changes.count < Self.changesMax { return welcome(session, map) }
            }
        } catch {
            logger.debug("live map not read", metadata: ["session.id": "\(session)", "error": "\(error)"])
            return known
        }
    }

    /// The whole map, and what the log still has of the time before, for those who come back.
    private func begin(_ session: SessionID) async throws(HoldFailure) -> LiveSeatMap? {
        guard let layout = catalogue.layout(session) else { return nil }
        let letters = try await holds.letters(of: session, sections: layout.sections.count)
        guard var map = LiveSeatMap(letters, of: layout) else { return nil }
        let first = max(0, letters.sequence - Int64(Self.changesMax))
        map.recall(try await holds.changes(of: session, after: first, limit: Int(letters.sequence - first)))
        return map
    }

    private func welcome(_ session: SessionID, _ map: LiveSeatMap?) -> LiveSeatMap? {
        guard let map else { return nil }
        let newcomers = state.withLock { state in
            let newcomers = state.audiences[session]?.newcomers ?? []
            state.audiences[session]?.newcomers = []
            for newcomer in newcomers {
                state.audiences[session]?.feeds[ObjectIdentifier(newcomer.feed)] = newcomer.feed
            }
            return newcomers
        }
        var snapshot: ByteBuffer?
        for newcomer in newcomers {
            if let seen = newcomer.seen, let missed = map.delta(after: seen) {
                // Who missed nothing is told of the next change.
                if !missed.runs.isEmpty { _ = newcomer.feed.send(MapEvent.delta(missed)) }
            } else {
                let event = snapshot ?? MapEvent.snapshot(map, of: session, at: clock.now())
                snapshot = event
                _ = newcomer.feed.send(event)
            }
        }
        return map
    }

    private func tell(_ session: SessionID, _ event: ByteBuffer, alsoNewcomers: Bool = false) {
        let feeds = state.withLock { state -> [MapFeed] in
            guard let audience = state.audiences[session] else { return [] }
            return audience.feeds.values + (alsoNewcomers ? audience.newcomers.map(\.feed) : [])
        }
        for feed in feeds where !feed.send(event) {
            dropped.increment()
            state.withLock { $0.audiences[session]?.feeds[ObjectIdentifier(feed)] = nil }
        }
    }

    /// The process ends: so do the streams, and their readers ask another one.
    private func end() {
        let feeds = state.withLock { state in
            state.hasEnded = true
            return state.audiences.values.flatMap { Array($0.feeds.values) + $0.newcomers.map(\.feed) }
        }
        for feed in feeds { feed.end() }
    }
}
