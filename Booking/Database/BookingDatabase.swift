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

    /// Settings under which the statements of this module were written: every lookup by its key, joins in the order
    /// they are written, planned once.
    ///
    /// A sale fills empty tables within seconds and the planner's statistics come a minute later, so no plan may
    /// depend on them: planning at each use would cost more than the statement, and a plan that read a table whole
    /// while it was small would go on doing so. The statements help: a join says `key = ANY(ARRAY[value])`, which can
    /// only be a lookup, where `key = value` may also be a walk through the index; a key of two columns is looked up in
    /// a subquery of its own. A test explains every statement over nearly empty tables.
    package static func tuned(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = configuration
        configuration.sessionSettings = [
            "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "join_collapse_limit": "1",
            "from_collapse_limit": "1", "jit": "off",
        ]
        return configuration
    }

    static let migrations = Migrations([
        Migrations.Migration(
            number: 1,
            name: "m001_booking",
            sql: String(decoding: PackageResources.m001_booking_sql, as: UTF8.self)
        ),
        Migrations.Migration(
            number: 2,
            name: "m002_seats",
            sql: String(decoding: PackageResources.m002_seats_sql, as: UTF8.self)
        ),
        Migrations.Migration(
            number: 3,
            name: "m003_money",
            sql: String(decoding: PackageResources.m003_money_sql, as: UTF8.self)
        ),
        Migrations.Migration(
            number: 4,
            name: "m004_events",
            sql: String(decoding: PackageResources.m004_events_sql, as: UTF8.self)
        ),
        Migrations.Migration(
            number: 5,
            name: "m005_backlog",
            sql: String(decoding: PackageResources.m005_backlog_sql, as: UTF8.self)
        ),
        Migrations.Migration(
            number: 6,
            name: "m006_updates",
            sql: String(decoding: PackageResources.m006_updates_sql, as: UTF8.self)
        ),
    ])
}
