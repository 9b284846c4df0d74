import Logging
import Operations
import Ordering
import ServiceLifecycle

/// Decides accepted orders, oldest first, many in one transaction: each gets its seats and waits for its payment, or
/// fails. One process at a time; all it knows is in the database, so any process can go on with it.
final class BacklogDrain: Service {
    static let batchMax = 256
    /// Steps before the lease is looked at again.
    private static let stepsMax = 32

    private let backlog: any OrderBacklog
    private let projector: SeatProjector
    private let length: Gauge
    private let age: Gauge
    private let created: Counter
    private let failed: Counter
    private let logger: Logger
    private let rounds: LeasedRounds

    init(
        backlog: any OrderBacklog,
        leases: any CatalogueStore,
        projector: SeatProjector,
        owner: String,
        metrics: MetricsRegistry,
        logger: Logger
    ) {
        self.backlog = backlog
        self.projector = projector
        self.logger = logger
        rounds = LeasedRounds("order-backlog", of: owner, leases: leases)
        length = metrics.gauge("usher_booking_backlog_orders", "Accepted orders that are not decided yet.")
        age = metrics.gauge("usher_booking_backlog_age_seconds", "For how long the oldest of them has waited.")
        let help = "Accepted orders that were decided here."
        created = metrics.counter("usher_booking_backlog_decided_total", help, labels: ["outcome": "created"])
        failed = metrics.counter("usher_booking_backlog_decided_total", help, labels: ["outcome": "failed"])
    }

    /// Says that an order was accepted.
    func kick() { rounds.kick() }

    func run() async throws {
        await rounds.run(counting: { [self] in await count() }) { [self] in await drain() }
    }

    /// Works until nothing waits, something fails, or it is time to look at the lease.
    func drain() async {
        do throws(StoreFailure) {
            for _ in 0..<Self.stepsMax {
                let due = WaitingOrder.decidableTogether(try await backlog.waiting(limit: Self.batchMax))
                guard !due.isEmpty, !Task.isCancelled else { return }
                CrashPoint.before(.decided)
                let step = try await backlog.decide(due)
                CrashPoint.after(.decided)
                created.increment(by: UInt64(step.created))
                failed.increment(by: UInt64(step.failed))
                projector.kick()
            }
            kick()
        } catch {
            logger.warning("accepted orders not decided", metadata: ["error": "\(error)"])
        }
    }

    func count() async {
        guard let size = try? await backlog.size() else { return }
        length.set(Double(size.count))
        age.set(size.oldest / .seconds(1))
    }
}
