import Logging
import Operations
import Ordering
import ServiceLifecycle
import Synchronization

/// Shows in Redis what PostgreSQL decided about seats: pins the holds of orders, marks seats sold, frees them. Reads the
/// outbox in order, one process at a time; every step is idempotent, so a repeat after a crash is harmless.
final class SeatProjector: Service {
    static let batchMax = 256
    private static let leaseName = "seat-projector"
    private static let leaseLength = Duration.seconds(5)
    /// How soon a kick is noticed, and how often to look without one.
    private static let tick = Duration.milliseconds(10)
    private static let ticksBetweenLooks = 25

    private let orders: any OrderStore
    private let catalogue: any CatalogueStore
    private let holds: any HoldStore
    private let owner: String
    private let logger: Logger
    private let isKicked = Atomic<Bool>(false)

    init(
        orders: any OrderStore,
        catalogue: any CatalogueStore,
        holds: any HoldStore,
        owner: String,
        logger: Logger
    ) {
        self.orders = orders
        self.catalogue = catalogue
        self.holds = holds
        self.owner = owner
        self.logger = logger
    }

    /// Says that there is something new in the outbox.
    func kick() { isKicked.store(true, ordering: .relaxed) }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var ticks = 0
            var leasedUntil = ContinuousClock.now
            while !Task.isCancelled {
                let isDue = ticks % Self.ticksBetweenLooks == 0
                if isKicked.exchange(false, ordering: .relaxed) || isDue {
                    if leasedUntil - ContinuousClock.now < Self.leaseLength / 2 { leasedUntil = await lease() }
                    if leasedUntil > ContinuousClock.now { await drain() }
                }
                ticks += 1
                guard await Pause.isOver(after: Self.tick) else { return }
            }
        }
    }

    private func lease() async -> ContinuousClock.Instant {
        let asked = ContinuousClock.now
        let isOurs = try? await catalogue.lease(Self.leaseName, owner: owner, lasting: Self.leaseLength)
        return isOurs == true ? asked + Self.leaseLength : asked
    }

    /// Works until the outbox is empty or something fails.
    private func drain() async {
        do throws(StoreFailure) {
            while !Task.isCancelled {
                let projections = try await orders.unprojected(limit: Self.batchMax)
                guard !projections.isEmpty else { return }
                CrashPoint.before(.shown)
                let failures = await holds.project(projections)
                CrashPoint.after(.shown)
                let done = zip(projections, failures).filter { $0.1 == nil }.map(\.0.position)
                CrashPoint.before(.projected)
                try await orders.markProjected(done)
                CrashPoint.after(.projected)
                if let failure = failures.compactMap({ $0 }).first {
                    logger.warning("seats not projected", metadata: ["error": "\(failure)"])
                    return
                }
                if projections.count < Self.batchMax { return }
            }
        } catch {
            logger.warning("outbox not read", metadata: ["error": "\(error)"])
        }
    }
}
