import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct PrivatePostgresTests {
    private static func run(_ server: TemporaryServer, _ sql: String) async throws -> Int? {
        let connection = PostgresConnection(configuration: try PostgresConfiguration(url: server.url))
        try await connection.open()
        let result = try await connection.execute(Statement("run", sql))
        await connection.close()
        return try result.columns.contains("n") ? result.first?.int("n") : nil
    }

    @Test func `it works below a private folder with a path of 120 characters`() async throws {
        let parent = "/tmp/usher-private-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let deep = parent + "/" + String(repeating: "d", count: 119 - parent.count)
        try FileManager.default.createDirectory(
            atPath: deep,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        #expect(deep.count == 120)
        try await withPrivatePostgres(below: deep) { server in
            #expect(try await Self.run(server, "SELECT 1::bigint AS n") == 1)
            let modes = try FileManager.default.attributesOfItem(atPath: "\(deep)/data")[.posixPermissions] as? Int
            #expect(modes == 0o700)
        }
    }

    @Test func `what was committed survives a kill, a stop and a stale lock file`() async throws {
        try await withPrivatePostgres(isDurable: true) { server in
            _ = try await Self.run(server, "CREATE TABLE kept (n bigint)")
            _ = try await Self.run(server, "INSERT INTO kept VALUES (1)")
            await server.kill()
            #expect(!server.isRunning)
            let lock = "\(server.dataFolder)/postmaster.pid"
            #expect(FileManager.default.fileExists(atPath: lock))
            // The number in the lock file now belongs to somebody else who lives: this process.
            let text = try String(contentsOfFile: lock, encoding: .utf8)
            let rest = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(separator: "\n")
            try "\(getpid())\n\(rest)".write(toFile: lock, atomically: false, encoding: .utf8)
            try await server.restart()
            #expect(try await Self.run(server, "SELECT count(*) AS n FROM kept") == 1)
            await server.stop()
            #expect(!FileManager.default.fileExists(atPath: lock))
            try await server.restart()
            #expect(try await Self.run(server, "SELECT count(*) AS n FROM kept") == 1)
        }
    }

    @Test func `a half-made data folder is made again`() async throws {
        let folder = "/tmp/usher-half-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/data.unfinished", withIntermediateDirectories: true)
        try "15".write(toFile: "\(folder)/data.unfinished/PG_VERSION", atomically: false, encoding: .utf8)
        try await withPrivatePostgres(below: folder) { server in
            let one = try await Self.run(server, "SELECT 1::bigint AS n")
            #expect(one == 1)
        }
    }

    @Test func `no network, a private socket, and durable settings`() async throws {
        try await withPrivatePostgres(isDurable: true) { server in
            let matching = try await Self.run(
                server,
                """
                SELECT count(*) AS n FROM pg_settings WHERE (name, setting) IN
                    (('listen_addresses', ''), ('unix_socket_permissions', '0700'), ('fsync', 'on'),
                     ('synchronous_commit', 'on'), ('full_page_writes', 'on'), ('max_connections', '64'))
                """
            )
            #expect(matching == 6)
        }
    }
}
