/// Forward-only changes of the schema, applied in order, each in a transaction of its own and recorded with the
/// checksum of its text.
package struct Migrations: Sendable {
    package struct Migration: Sendable {
        /// Position in the order, from 1 without gaps.
        package let number: Int
        package let name: String
        package let sql: String

        package init(number: Int, name: String, sql: String) {
            self.number = number
            self.name = name
            self.sql = sql
        }
    }

    /// The advisory lock that lets one process migrate at a time ("usher" in ASCII).
    private static let lockKey = 0x75_73_68_65_72
    private static let limit: Duration = .seconds(300)

    private let migrations: [Migration]

    package init(_ migrations: [Migration]) {
        self.migrations = migrations.sorted { $0.number < $1.number }
    }

    /// Brings the database up to date; waits while another process does so.
    /// - Returns: the names of the migrations applied now.
    @discardableResult
    package func apply(with configuration: PostgresConfiguration) async throws(MigrationFailure) -> [String] {
        guard migrations.map(\.number) == Array(1..<(migrations.count + 1)) else { throw .gap }
        var configuration = configuration
        configuration.statementLimit = Self.limit
        configuration.lockLimit = Self.limit
        let connection = PostgresConnection(configuration: configuration)
        do {
            try await connection.open()
            // Held by this connection; ends with it, whatever happens here.
            _ = try await connection.execute(
                Statement("lockMigrations", "SELECT pg_advisory_lock($1)::text", [.int(Self.lockKey)])
            )
            let applied = try await applyMissing(on: connection)
            await connection.close()
            return applied
        } catch {
            await connection.close()
            throw error as? MigrationFailure ?? .failed(name: "connecting", reason: "\(error)")
        }
    }

    private func applyMissing(on connection: PostgresConnection) async throws -> [String] {
        try await connection.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                number bigint PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        let recorded = try await connection.execute(
            Statement("recordedMigrations", "SELECT number, name, checksum FROM schema_migration ORDER BY number")
        )
        let checksums = try await checksums(on: connection)
        for row in recorded.rows {
            let (number, name) = (try row.int("number"), try row.text("name"))
            guard number <= migrations.count else { throw MigrationFailure.unknown(name: name) }
            guard try row.text("checksum") == checksums[number - 1] else { throw MigrationFailure.changed(name: name) }
        }
        var applied: [String] = []
        for migration in migrations.dropFirst(recorded.rowCount) {
            try await apply(migration, checksum: checksums[migration.number - 1], on: connection)
            applied.append(migration.name)
        }
        return applied
    }

    private func apply(
        _ migration: Migration,
        checksum: String,
        on connection: PostgresConnection
    ) async throws {
        do {
            try await connection.script("BEGIN;\n" + migration.sql)
            _ = try await connection.execute(
                Statement(
                    "recordMigration",
                    "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                    [.int(migration.number), .text(migration.name), .text(checksum)]
                )
            )
            try await connection.script("COMMIT")
        } catch {
            throw MigrationFailure.failed(name: migration.name, reason: "\(error)")
        }
    }

    /// SHA-256 of each text, computed by the server.
    private func checksums(on connection: PostgresConnection) async throws -> [String] {
        let result = try await connection.execute(
            Statement(
                "migrationChecksums",
                """
                SELECT encode(sha256(body), 'hex') AS checksum
                FROM unnest($1::bytea[]) WITH ORDINALITY AS text_of(body, number) ORDER BY number
                """,
                [.byteses(migrations.map { Array($0.sql.utf8) })]
            )
        )
        return try result.rows.map { try $0.text("checksum") }
    }
}

package enum MigrationFailure: Error, Equatable, CustomStringConvertible {
    /// The program's migrations are not numbered 1, 2, 3 …
    case gap
    /// A migration that was applied has another text now.
    case changed(name: String)
    /// The database is newer than this program.
    case unknown(name: String)
    case failed(name: String, reason: String)

    package var description: String {
        switch self {
        case .gap: "migrations are not numbered without gaps"
        case .changed(let name): "migration \(name) was applied with another text; write a new one instead"
        case .unknown(let name): "the database has migration \(name), which this program does not know"
        case .failed(let name, let reason): "migration \(name) failed: \(reason)"
        }
    }
}
