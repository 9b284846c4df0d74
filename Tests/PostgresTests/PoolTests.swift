import Logging
import Postgres
import TestSupport
import Testing

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

@Suite struct PoolTests {
    private static let one = Statement("one", "SELECT 1 AS a")

    /// Ends the server side of the pool's connections that run `query`.
    private static func terminate(_ configuration: PostgresConfiguration, where condition: String) async throws -> Int {
        let connection = PostgresConnection(configuration: configuration)
        try await connection.open()
        let result = try await connection.execute(
            Statement(
                "terminate",
                """
                SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
                WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND \(condition)
                """
            )
        )
        await connection.close()
        return result.rowCount
    }

    @Test func `more callers than connections all get their turn`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 2) { pool in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let statement = Statement("echo", "SELECT $1 AS a", [.int(number)])
                        return try await pool.execute(statement).first?.int("a") ?? 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 499 * 500 / 2)
        }
    }

    @Test func `a full line refuses at once, and a wait ends at its limit`() async throws {
        try await withTemporaryPostgres { configuration in
            var configuration = configuration
            configuration.connectionsMax = 1
            configuration.waitersMax = 3
            configuration.waitLimit = .milliseconds(200)
            try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
                try await eventually { await Self.failure(of: Self.one, pool) == nil }
                let failures = await withTaskGroup(of: PostgresFailure?.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            do throws(PostgresFailure) {
                                _ = try await pool.execute(Statement("sleep", "SELECT pg_sleep(1)::text AS a"))
                                return nil
                            } catch {
                                return error
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(failures.count { $0 == nil } == 1)
                #expect(failures.count { $0 == .tooManyWaiting } == 4)
                #expect(failures.count { $0 == .notSent(reason: "no connection became free in time") } == 3)
            }
        }
    }

    @Test func `connections that died while idle are replaced without the caller noticing`() async throws {
        try await withTemporaryPostgresPool(connectionsMax: 3) { pool in
            _ = try await pool.execute(Self.one)
            try await eventually { try await Self.others(pool.configuration) == 3 }
            #expect(try await Self.terminate(pool.configuration, where: "backend_type = 'client backend'") == 3)
            try await eventually { try await Self.others(pool.configuration) == 0 }
            for _ in 0..<6 { #expect(try await pool.execute(Self.one).first?.int("a") == 1) }
        }
    }

    private static func others(_ configuration: PostgresConfiguration) async throws -> Int {
        let connection = PostgresConnection(configuration: configuration)
        try await connection.open()
        let result = try await connection.execute(
            Statement(
                "others",
                """
                SELECT pid FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend'
                """
            )
        )
        await connection.close()
        return result.rowCount
    }

    @Test func `a transaction cut off by the server before its end is sent again`() async throws {
        try await withTemporaryPostgres { configuration in
            var patient = configuration
            patient.connectionsMax = 1
            patient.statementLimit = .seconds(60)
            patient.lockLimit = .seconds(60)
            patient.waitLimit = .seconds(60)
            // It waits for this lock until it has been cut off once.
            let holder = PostgresConnection(configuration: configuration)
            try await holder.open()
            try await holder.script("CREATE TABLE done (n bigint); SELECT pg_advisory_lock(4711)")
            try await PostgresPool.withPool(patient, logger: .quiet) { pool in
                async let failure = Self.failure(
                    of: Statement(
                        "slow",
                        "INSERT INTO done SELECT 1 FROM (SELECT pg_advisory_xact_lock(4711)) AS lock"
                    ),
                    pool
                )
                try await eventually {
                    try await Self.terminate(configuration, where: "wait_event = 'advisory'") == 1
                }
                await holder.close()
                #expect(await failure == nil)
                let count = try await pool.execute(Statement("count", "SELECT count(*) AS n FROM done"))
                #expect(try count.first?.int("n") == 1)
            }
        }
    }

    @Test func `a connection that breaks after sending leaves the outcome unknown`() async throws {
        try await withPrivatePostgres { server in
            var configuration = try PostgresConfiguration(url: server.url)
            configuration.connectionsMax = 2
            try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
                async let failure = Self.failure(of: Statement("sleep", "SELECT pg_sleep(8)::text AS a"), pool)
                try await eventually {
                    let sleeping = try await pool.execute(
                        Statement(
                            "sleeping",
                            "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(8)%text%'"
                                + " AND pid <> pg_backend_pid()"
                        )
                    )
                    return sleeping.rowCount == 1
                }
                await server.kill()
                guard case .unknownOutcome = await failure else {
                    Issue.record("\(String(describing: await failure))")
                    return
                }
                try await server.restart()
                try await eventually { await Self.failure(of: Self.one, pool) == nil }
            }
        }
    }

    private static func failure(of statement: Statement, _ pool: PostgresPool) async -> PostgresFailure? {
        do throws(PostgresFailure) {
            _ = try await pool.execute(statement)
            return nil
        } catch {
            return error
        }
    }

    @Test func `without a server a caller hears the reason after its wait`() async throws {
        var configuration = try PostgresConfiguration(url: "host=/nonexistent user=usher dbname=usher")
        configuration.connectionsMax = 1
        configuration.waitLimit = .milliseconds(150)
        try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
            let failure = await Self.failure(of: Self.one, pool)
            guard case .notSent(let reason) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(reason.contains("/nonexistent"))
        }
    }

    @Test func `a closed pool refuses and never hangs`() async throws {
        try await withTemporaryPostgres { configuration in
            let pool = try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
                _ = try await pool.execute(Self.one)
                return pool
            }
            guard case .notSent = await Self.failure(of: Self.one, pool) else {
                Issue.record("a closed pool answered")
                return
            }
        }
    }

    @Test func `a malformed connection string is refused before anything starts`() {
        #expect(throws: PostgresFailure.self) { try PostgresConfiguration(url: "postgresql://[") }
        #expect(throws: PostgresFailure.self) { try PostgresConfiguration(url: "hots=/tmp") }
    }
}
