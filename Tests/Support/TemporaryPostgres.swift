// PostgreSQL for tests: one private server per test process, an empty schema for each caller.

import Foundation
import Glibc
import Logging
package import Postgres
import Supervision
import Synchronization

/// Runs `body` with an empty schema of the test process' own server, which does not sync to disk. A schema is made in
/// no time, where a database would be copied; tables of other tests are out of sight.
package func withTemporaryPostgres<Value: Sendable>(
    _ body: @Sendable (PostgresConfiguration) async throws -> Value
) async throws -> Value {
    let server = try await SharedPostgres.shared.server()
    let name = "test_\(schemaNumber.add(1, ordering: .relaxed).newValue)"
    let administration = PostgresConnection(configuration: try PostgresConfiguration(url: server.url))
    try await administration.open()
    try await administration.script("CREATE SCHEMA \(name)")
    let outcome: Result<Value, any Error>
    do {
        var configuration = try PostgresConfiguration(url: "\(server.url) options='-c search_path=\(name)'")
        configuration.applicationName = name
        configuration.connectionsMax = 4
        outcome = .success(try await body(configuration))
    } catch {
        outcome = .failure(error)
    }
    try await administration.script("DROP SCHEMA \(name) CASCADE")
    await administration.close()
    return try outcome.get()
}

/// Like `withTemporaryPostgres`, with a running pool.
package func withTemporaryPostgresPool<Value: Sendable>(
    connectionsMax: Int = 4,
    _ body: @Sendable (PostgresPool) async throws -> Value
) async throws -> Value {
    try await withTemporaryPostgres { configuration in
        var configuration = configuration
        configuration.connectionsMax = connectionsMax
        return try await PostgresPool.withPool(configuration, logger: quietLogger, body)
    }
}

/// Runs `body` with a server of its own, which it may stop, kill and start again.
package func withPrivatePostgres<Value: Sendable>(
    isDurable: Bool = false,
    below parent: String? = nil,
    _ body: @Sendable (TemporaryServer) async throws -> Value
) async throws -> Value {
    let folder = temporaryPostgresFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = PrivatePostgres.Configuration(
        dataFolder: "\(parent ?? folder)/data",
        socketFolder: "\(folder)/s",
        logFile: "\(folder)/postgres.log"
    )
    configuration.isDurable = isDurable
    let server = try await PrivatePostgres.start(configuration)
    do {
        let value = try await body(TemporaryServer(server: server))
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}

/// A private server of one test.
package struct TemporaryServer: Sendable {
    fileprivate let server: PrivatePostgres

    package var url: String { server.url }
    package var dataFolder: String { server.configuration.dataFolder }
    package var isRunning: Bool { server.isRunning }

    package func stop() async { await server.stop() }
    /// Ends it as a crash would.
    package func kill() async { await server.kill() }
    package func restart() async throws { try await server.restart() }
}

private let schemaNumber = Atomic(0)
private let folderNumber = Atomic(0)

private let quietLogger = Logger(label: "test.postgres") { _ in SwiftLogNoOpLogHandler() }

/// A short path, as a socket goes below it; the process id in it lets a later run clear up after a crash.
private func temporaryPostgresFolder() -> String {
    let number = folderNumber.add(1, ordering: .relaxed).newValue
    let folder = "/tmp/usher-pg-\(getpid())-\(number)"
    try? FileManager.default.removeItem(atPath: folder)
    try? FileManager.default.createDirectory(
        atPath: folder,
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700]
    )
    return folder
}

/// The server shared by all tests of this process; stopped and removed when the process ends.
private actor SharedPostgres {
    static let shared = SharedPostgres()

    private var starting: Task<PrivatePostgres, any Error>?

    func server() async throws -> PrivatePostgres {
        if let starting { return try await starting.value }
        let starting = Task {
            removeLeftovers()
            let folder = temporaryPostgresFolder()
            var configuration = PrivatePostgres.Configuration(
                dataFolder: "\(folder)/data",
                socketFolder: "\(folder)/s",
                logFile: "\(folder)/postgres.log"
            )
            configuration.isDurable = false
            configuration.connectionsMax = 400
            let server = try await PrivatePostgres.start(configuration)
            endWithProcess.withLock { $0 = (server.processID ?? 0, folder) }
            atexit(endSharedPostgres)
            return server
        }
        self.starting = starting
        return try await starting.value
    }
}

private let endWithProcess = Mutex<(processID: Int32, folder: String)>((0, ""))

private func endSharedPostgres() {
    let (processID, folder) = endWithProcess.withLock { $0 }
    guard processID > 0 else { return }
    kill(processID, SIGQUIT)
    var status: Int32 = 0
    waitpid(processID, &status, 0)
    try? FileManager.default.removeItem(atPath: folder)
}

/// Folders of test processes that were killed; their servers ended with them.
private func removeLeftovers() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
    for name in names where name.hasPrefix("usher-pg-") {
        guard let owner = name.split(separator: "-").dropFirst(2).first.flatMap({ Int32($0) }),
            kill(owner, 0) != 0, errno == ESRCH
        else { continue }
        try? FileManager.default.removeItem(atPath: "/tmp/\(name)")
    }
}
