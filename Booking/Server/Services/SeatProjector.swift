import Logging
import Operations
import Ordering
import ServiceLifecycle

/// Shows in Redis what PostgreSQL decided about seats: pins the holds of orders, marks seats sold, frees them. Reads the
/// outbox in order, one process at a time; every step is idempotent, so a repeat after a crash is harmless.
final class SeatProjector: Service {
    static let batchMax = 256

    private let orders: any OrderStore
    private let holds: any HoldStore
    private let logger: Logger
    private let rounds: LeasedRounds

    init(
        orders: any OrderStore,
        catalogue: any CatalogueStore,
        holds: any HoldStore,
        owner: String,
        logger: Logger
    ) {
        self.orders = orders
        self.holds = holds
        self.logger = logger
        rounds = LeasedRounds("seat-projector", of: owner, leases: catalogue)
    }

    /// Says that there is something new in the outbox.
    func kick() { rounds.kick() }

    func run() async throws {
        await rounds.run { [self] in await drain() }
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
