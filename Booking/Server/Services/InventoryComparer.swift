import Logging
import Operations
import Ordering
import ServiceLifecycle

/// Compares what Redis shows with what PostgreSQL decided, again and again, and mends Redis where they differ. One
/// process at a time.
struct InventoryComparer: Service {
    let catalogue: CatalogueCache
    let store: any CatalogueStore
    let orders: any OrderStore
    let holds: any HoldStore
    let owner: String
    let interval: Duration
    let mismatches: Gauge
    let mended: Counter
    let logger: Logger

    /// Between the two looks that must agree.
    static let confirmAfter = Duration.seconds(2)
    private static let lease = Duration.seconds(30)
    /// Decisions that Redis has yet to show; beyond, nothing is compared until it has.
    private static let laggingMax = 4_096

    init(
        catalogue: CatalogueCache,
        store: any CatalogueStore,
        orders: any OrderStore,
        holds: any HoldStore,
        owner: String,
        interval: Duration,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.catalogue = catalogue
        self.store = store
        self.orders = orders
        self.holds = holds
        self.owner = owner
        self.interval = interval
        self.logger = logger
        mismatches = metrics.gauge(
            "usher_booking_inventory_mismatch",
            "Seats shown otherwise than decided, found at the last comparison."
        )
        mended = metrics.counter("usher_booking_inventory_mended_total", "Seats whose letter was corrected.")
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while await Pause.isOver(after: interval) { await compareAll() }
        }
    }

    /// One comparison of every session.
    func compareAll(confirmAfter: Duration = Self.confirmAfter) async {
        var found = 0
        for session in catalogue.current.sessions where session.state.isVisible {
            do {
                guard try await store.lease("compare:\(session.id)", owner: owner, lasting: Self.lease) else {
                    continue
                }
                found += try await compare(session, confirmAfter)
            } catch {
                logger.warning(
                    "inventory not compared",
                    metadata: ["session.id": "\(session.id)", "error": "\(error)"]
                )
            }
        }
        mismatches.set(Double(found))
    }

    /// How many seats were shown wrongly.
    private func compare(_ session: Session, _ confirmAfter: Duration) async throws -> Int {
        guard let first = try await look(at: session)?.comparison, !first.mismatches.isEmpty else { return 0 }
        try await Task.sleep(for: confirmAfter)
        guard let (second, claims) = try await look(at: session) else { return 0 }
        let confirmed = first.confirmed(by: second)
        guard !confirmed.mismatches.isEmpty else { return 0 }
        logger.error(
            "seats shown otherwise than decided",
            metadata: [
                "session.id": "\(session.id)", "seats": "\(confirmed.mismatches.map(\.seat).sorted().prefix(20))",
            ]
        )
        let freed = confirmed.seats(.mendFree)
        let blocked = confirmed.seats(.mendBlocked)
        if !freed.isEmpty { _ = try await holds.force(.mendFree, freed, in: session.id) }
        if !blocked.isEmpty { _ = try await holds.force(.mendBlocked, blocked, in: session.id) }
        for case .some(let failure) in await holds.project(confirmed.projections(claims, of: session.id)) {
            throw failure
        }
        mended.increment(by: UInt64(confirmed.mismatches.count))
        return confirmed.mismatches.count
    }

    /// The seats of this moment; `nil` when the session is being rebuilt, or too much has yet to be shown.
    private func look(
        at session: Session
    ) async throws -> (comparison: SeatComparison, claims: [SessionInventory.Claim])? {
        guard let layout = catalogue.layout(session.id) else { return nil }
        let lagging = try await orders.unprojected(limit: Self.laggingMax)
        guard lagging.count < Self.laggingMax else { return nil }
        let claims = try await store.claims(of: session.id)
        let standing = try await holds.standing(of: session.id, sections: layout.sections.count)
        guard standing.epoch == session.epoch else { return nil }
        let waiting = Set(lagging.filter { $0.session == session.id }.flatMap(\.seats))
        let found = SeatComparison(standing, claims).mismatches.filter { !waiting.contains($0.seat) }
        return (SeatComparison(mismatches: found), claims)
    }
}
