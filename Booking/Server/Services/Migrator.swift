import BookingDatabase
import Logging
import Postgres

/// Brings the schema up to date before anything is served, waiting for PostgreSQL as long as it takes.
struct Migrator {
    let postgres: PostgresConfiguration
    let logger: Logger

    private static let retryInterval = Duration.milliseconds(500)

    /// A migration that was changed after it was applied stops the start; a server that is away is waited for.
    func run() async throws {
        while true {
            do throws(MigrationFailure) {
                let applied = try await BookingDatabase.migrate(postgres)
                logger.notice("schema is up to date", metadata: ["applied": "\(applied.joined(separator: " "))"])
                return
            } catch {
                guard case .failed = error else { throw error }
                logger.warning("schema not brought up to date", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.retryInterval)
        }
    }
}
