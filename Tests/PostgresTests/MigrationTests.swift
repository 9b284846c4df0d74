import Postgres
import TestSupport
import Testing

@Suite struct MigrationTests {
    private static let first = Migrations.Migration(
        number: 1,
        name: "m001_seats",
        sql: "CREATE TABLE seat (n bigint); INSERT INTO seat VALUES (1);"
    )
    private static let second = Migrations.Migration(
        number: 2,
        name: "m002_more",
        sql: "INSERT INTO seat VALUES (2);"
    )

    private static func seats(_ configuration: PostgresConfiguration) async throws -> Int? {
        try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
            try await pool.execute(Statement("seats", "SELECT count(*) AS n FROM seat")).first?.int("n")
        }
    }

    @Test func `migrations are applied once, in order, and later ones follow`() async throws {
        try await withTemporaryPostgres { configuration in
            let first = try await Migrations([Self.first]).apply(with: configuration)
            #expect(first == ["m001_seats"])
            #expect(try await Migrations([Self.second, Self.first]).apply(with: configuration) == ["m002_more"])
            #expect(try await Migrations([Self.first, Self.second]).apply(with: configuration) == [])
            #expect(try await Self.seats(configuration) == 2)
        }
    }

    @Test func `many processes at once apply each one once`() async throws {
        try await withTemporaryPostgres { configuration in
            let names = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<6 {
                    group.addTask { try await Migrations([Self.first, Self.second]).apply(with: configuration) }
                }
                return try await group.reduce([], +)
            }
            #expect(names == ["m001_seats", "m002_more"])
            #expect(try await Self.seats(configuration) == 2)
        }
    }

    @Test func `a changed old one, an unknown one and a gap are errors`() async throws {
        try await withTemporaryPostgres { configuration in
            try await Migrations([Self.first, Self.second]).apply(with: configuration)
            let changed = Migrations.Migration(number: 1, name: "m001_seats", sql: Self.first.sql + " ")
            await #expect(throws: MigrationFailure.changed(name: "m001_seats")) {
                try await Migrations([changed, Self.second]).apply(with: configuration)
            }
            await #expect(throws: MigrationFailure.unknown(name: "m002_more")) {
                try await Migrations([Self.first]).apply(with: configuration)
            }
            await #expect(throws: MigrationFailure.gap) {
                try await Migrations([Self.second]).apply(with: configuration)
            }
        }
    }

    @Test func `a failing one leaves nothing behind`() async throws {
        try await withTemporaryPostgres { configuration in
            let broken = Migrations.Migration(
                number: 2,
                name: "m002_broken",
                sql: "INSERT INTO seat VALUES (2); SELECT 1 / 0;"
            )
            await #expect(throws: MigrationFailure.self) {
                try await Migrations([Self.first, broken]).apply(with: configuration)
            }
            let kept = try await Self.seats(configuration)
            #expect(kept == 1)
            #expect(try await Migrations([Self.first, Self.second]).apply(with: configuration) == ["m002_more"])
        }
    }
}
