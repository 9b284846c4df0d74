package import Postgres

/// The schema of the booking database and how to speak to it.
package enum BookingDatabase {
    /// Brings the schema up to date; waits while another process does so.
    /// - Returns: the names of the migrations applied now.
    @discardableResult
    package static func migrate(
        _ configuration: PostgresConfiguration
    ) async throws(MigrationFailure) -> [String] {
        try await migrations.apply(with: configuration)
    }

    /// Settings under which the statements of this module were written: plans by index, made once.
    ///
    /// A plan made while a table is small would read it whole for ever, and a sale fills the tables within seconds;
    /// planning at each use costs more than the statement.
    package static func tuned(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = configuration
        configuration.sessionSettings = [
            "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
            "enable_mergejoin": "off", "jit": "off",
        ]
        return configuration
    }

    static let migrations = Migrations([
        Migrations.Migration(
            number: 1,
            name: "m001_booking",
            sql: String(decoding: PackageResources.m001_booking_sql, as: UTF8.self)
        )
    ])
}
