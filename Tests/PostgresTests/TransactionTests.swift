import Postgres
import TestSupport
import Testing

@Suite struct TransactionTests {
    private static func table(on pool: PostgresPool) async throws {
        _ = try await pool.transaction([
            Statement("table", "CREATE TABLE seat (n bigint CONSTRAINT seat_once PRIMARY KEY, owner text NOT NULL)"),
            Statement(
                "deferred",
                """
                ALTER TABLE seat ADD CONSTRAINT owner_once UNIQUE (owner) DEFERRABLE INITIALLY DEFERRED
                """
            ),
        ])
    }

    private static func insert(_ number: Int, _ owner: String) -> Statement {
        Statement("insert", "INSERT INTO seat VALUES ($1, $2)", [.int(number), .text(owner)])
    }

    private static func count(_ pool: PostgresPool) async throws -> Int? {
        try await pool.execute(Statement("count", "SELECT count(*) AS n FROM seat")).first?.int("n")
    }

    @Test func `a list of statements takes effect together, each sees the ones before`() async throws {
        try await withTemporaryPostgresPool { pool in
            try await Self.table(on: pool)
            let results = try await pool.transaction([
                Self.insert(1, "a"), Self.insert(2, "b"),
                Statement("sum", "SELECT sum(n)::bigint AS n, count(DISTINCT xmin::text) AS ids FROM seat"),
            ])
            #expect(results.count == 3)
            #expect(results[0].changedCount == 1)
            #expect(try results[2].first?.int("n") == 3)
            #expect(try results[2].first?.int("ids") == 1)
        }
    }

    @Test func `a violated constraint undoes the whole list and names itself`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 1) { pool in
            try await Self.table(on: pool)
            let failure = await #expect(throws: PostgresFailure.self) {
                try await pool.transaction([Self.insert(1, "a"), Self.insert(1, "b"), Self.insert(2, "c")])
            }
            guard case .refused(let state, let message, let constraint) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(state == .uniqueViolation)
            #expect(constraint == "seat_once")
            #expect(!message.isEmpty)
            #expect(try await Self.count(pool) == 0)
            // The same connection goes on, with the statement that was prepared in the failed list.
            _ = try await pool.transaction([Self.insert(1, "a")])
            #expect(try await Self.count(pool) == 1)
        }
    }

    @Test func `a constraint checked only at the end refuses too`() async throws {
        try await withTemporaryPostgresPool { pool in
            try await Self.table(on: pool)
            let failure = await #expect(throws: PostgresFailure.self) {
                try await pool.transaction([Self.insert(1, "a"), Self.insert(2, "a")])
            }
            #expect(failure?.constraint == "owner_once")
            #expect(try await Self.count(pool) == 0)
        }
    }

    @Test func `the same name with other values types or text is another statement`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 1) { pool in
            let first = try await pool.execute(Statement("same", "SELECT $1 AS a", [.int(1)]))
            let second = try await pool.execute(Statement("same", "SELECT $1 AS a", [.text("x")]))
            let third = try await pool.execute(Statement("same", "SELECT 2 AS a"))
            #expect(try first.first?.int("a") == 1)
            #expect(try second.first?.text("a") == "x")
            #expect(try third.first?.int("a") == 2)
        }
    }

    @Test func `a syntax error is refused again and again and leaves the connection usable`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 1) { pool in
            for _ in 0..<3 {
                let failure = await #expect(throws: PostgresFailure.self) {
                    try await pool.execute(Statement("broken", "SELEC 1"))
                }
                #expect(failure?.hasNoEffect == true)
            }
            let one = try await pool.execute(Statement("one", "SELECT 1 AS a"))
            #expect(try one.first?.int("a") == 1)
        }
    }

    @Test func `a statement that takes too long is ended by the server`() async throws {
        try await withTemporaryPostgres { configuration in
            var configuration = configuration
            configuration.statementLimit = .milliseconds(100)
            try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
                let failure = await #expect(throws: PostgresFailure.self) {
                    try await pool.execute(Statement("sleep", "SELECT pg_sleep(30)::text AS a"))
                }
                guard case .refused(.queryCanceled, _, _) = failure else {
                    Issue.record("\(String(describing: failure))")
                    return
                }
            }
        }
    }

    @Test func `large values and many statements pass through one pipeline`() async throws {
        let blob = [UInt8](repeating: 7, count: 300_000)
        try await withTemporaryPostgresPool(connectionsMax: 1) { pool in
            let results = try await pool.transaction(
                (0..<40).map { _ in Statement("echo", "SELECT $1 AS a", [.bytes(blob)]) }
            )
            #expect(results.count == 40)
            #expect(try results.allSatisfy { try $0.first?.bytes("a") == blob })
        }
    }
}
