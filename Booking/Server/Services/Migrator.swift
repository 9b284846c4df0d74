import BookingDatabase
import Logging
import Ordering
import Postgres
import ServiceLifecycle

/// Brings the schema up to date before anything is served, waiting for PostgreSQL as long as it takes.
struct Migrator: Service {
    let postgres: PostgresConfiguration
    let catalogue: CatalogueCache
    let logger: Logger

    private static let retryInterval = Duration.milliseconds(500)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await BookingDatabase.migrate(postgres)
                    try await catalogue.refresh()
                    logger.notice("schema is up to date")
                    // A service that returns ends the group, so this one stays.
                    while await Pause.isOver(after: .seconds(3600)) {}
                    return
                } catch {
                    logger.warning("schema not brought up to date", metadata: ["error": "\(error)"])
                }
                guard await Pause.isOver(after: Self.retryInterval) else { return }
            }
        }
    }
}
