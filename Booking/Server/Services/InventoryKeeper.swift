import Logging
import Ordering
import ServiceLifecycle

/// Compares the epoch of each session in Redis with PostgreSQL's and rebuilds what is missing or of another epoch:
/// the first warm-up and the recovery after a loss of Redis are the same path. Also frees holds that are due.
struct InventoryKeeper: Service {
    let catalogue: CatalogueCache
    let store: any CatalogueStore
    let holds: any HoldStore
    let owner: String
    let interval: Duration
    let logger: Logger

    /// Holds freed per session and look.
    private static let sweepMax = 256
    private static let rebuildLease = Duration.seconds(10)

    func run() async throws {
        await Pause.between(rounds: interval) { await look() }
    }

    /// One look at every session that is shown.
    func look() async {
        let sessions = catalogue.current.sessions.filter(\.state.isVisible)
        do throws(HoldFailure) {
            let epochs = try await holds.epochs(of: sessions.map(\.id))
            for (session, epoch) in zip(sessions, epochs) {
                if epoch == session.epoch {
                    _ = try await holds.sweep(session.id, limit: Self.sweepMax)
                } else {
                    await rebuild(session)
                }
            }
        } catch {
            logger.warning("inventory not reached", metadata: ["error": "\(error)"])
        }
    }

    private func rebuild(_ session: Session) async {
        do {
            let isOurs = try await store.lease(
                "rebuild:\(session.id)",
                owner: owner,
                lasting: Self.rebuildLease
            )
            guard isOurs else { return }
            let inventory = try await store.beginRebuild(of: session.id)
            try await holds.load(inventory)
            try await catalogue.refresh()
            logger.notice(
                "seats loaded",
                metadata: [
                    "session.id": "\(session.id)", "seats": "\(inventory.layout.seatCount)",
                    "claims": "\(inventory.claims.count)", "epoch": "\(inventory.epoch)",
                ]
            )
        } catch {
            logger.warning(
                "seats not loaded",
                metadata: ["session.id": "\(session.id)", "error": "\(error)"]
            )
        }
    }
}
