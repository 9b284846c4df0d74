import Foundation
import Glibc
import Synchronization

/// A PostgreSQL server of our own: data in a folder, one unix socket, no network, superuser and database `usher`.
///
/// It runs as the ordinary user that started it, or as the account `postgres` when root started it, because
/// PostgreSQL refuses root. That account may not be able to enter the folders above the data, so both folders are
/// opened here and handed over as descriptors.
package final class PrivatePostgres: Sendable {
    package struct Configuration: Sendable {
        /// Where the tables are kept; made on first start. May be long and under private folders.
        package var dataFolder: String
        /// Where the socket is put; short, as a socket path ends at 107 bytes.
        package var socketFolder: String
        package var logFile: String
        /// Without it a crash of the machine may lose or damage data: for tests only.
        package var isDurable = true
        package var connectionsMax = 64
        package var readyLimit: Duration = .seconds(30)

        package init(dataFolder: String, socketFolder: String, logFile: String) {
            self.dataFolder = dataFolder
            self.socketFolder = socketFolder
            self.logFile = logFile
        }
    }

    private static let socketPathMax = 107
    private static let dataDescriptor: Int32 = 9
    private static let socketDescriptor: Int32 = 8
    private static let clientLimit: Duration = .seconds(10)
    private static let stopGrace: Duration = .seconds(15)

    package let configuration: Configuration
    private let installation: PostgresInstallation
    private let account: SystemAccount?
    private let server = Mutex<ChildProcess?>(nil)

    private init(_ configuration: Configuration) throws(SupervisionFailure) {
        let socketPath = "\(configuration.socketFolder)/.s.PGSQL.5432"
        guard socketPath.utf8.count <= Self.socketPathMax else {
            throw .cannotStart(program: "postgres", reason: "socket path longer than 107 bytes: \(socketPath)")
        }
        self.configuration = configuration
        installation = try PostgresInstallation(for: configuration.dataFolder)
        account = getuid() == 0 ? SystemAccount(named: "postgres") : nil
        guard getuid() != 0 || account != nil else {
            throw .cannotStart(program: "postgres", reason: "it refuses root, and there is no account postgres")
        }
    }

    /// Makes the data folder when it is missing, starts the server and waits until it answers.
    package static func start(_ configuration: Configuration) async throws(SupervisionFailure) -> PrivatePostgres {
        let postgres = try PrivatePostgres(configuration)
        try await postgres.makeData()
        try await postgres.start()
        return postgres
    }

    /// For libpq.
    package var url: String { "host=\(configuration.socketFolder) port=5432 user=usher dbname=usher" }

    package var isRunning: Bool { server.withLock { $0?.isRunning ?? false } }
    package var processID: Int32? { server.withLock { $0?.processID } }

    /// Ends all connections, writes everything down and stops.
    package func stop() async {
        await server.withLock { $0 }?.stop(signal: SIGINT, grace: Self.stopGrace)
    }

    /// Ends the server as a crash would.
    package func kill() async {
        let running = server.withLock { $0 }
        running?.signal(SIGKILL)
        await running?.waitForExit(atMost: Self.stopGrace)
    }

    /// Starts the server again on its data, after a stop or a crash; stops it first when it runs.
    package func restart() async throws(SupervisionFailure) {
        await stop()
        try await start()
    }

    // MARK: Starting

    /// Made beside its place and moved there when complete: a half-made folder is never taken for data.
    private func makeData() async throws(SupervisionFailure) {
        let data = configuration.dataFolder
        guard !FileManager.default.fileExists(atPath: "\(data)/PG_VERSION") else { return }
        let unfinished = "\(data).unfinished"
        try? FileManager.default.removeItem(atPath: unfinished)
        let folder = try OpenFolder(path: unfinished, account: account)
        var arguments = [
            "-D", "/proc/self/fd/\(Self.dataDescriptor)", "-U", "usher", "-A", "trust", "-E", "UTF8", "--no-locale",
        ]
        if !configuration.isDurable { arguments.append("--no-sync") }
        let exit = try await run("initdb", arguments, as: account, handing: [Self.dataDescriptor: folder.descriptor])
        guard exit == .status(0) else { throw failure("initdb", exit) }
        // An empty folder that someone made in advance would be in the way of the move.
        rmdir(data)
        guard rename(unfinished, data) == 0 else {
            throw .cannotStart(program: "initdb", reason: "\(data): \(String(cString: strerror(errno)))")
        }
    }

    private func start() async throws(SupervisionFailure) {
        try await removeStaleLock()
        let deadline = ContinuousClock.now + configuration.readyLimit
        // After a crash the old processes may hold the shared memory for a moment; the server then ends at once.
        while true {
            try launch()
            if try await isReady(before: deadline) { break }
            guard ContinuousClock.now < deadline else {
                await stop()
                throw .notReady(program: "postgres", reason: "no answer in time; see \(configuration.logFile)")
            }
        }
        try await makeDatabase()
    }

    private func launch() throws(SupervisionFailure) {
        let data = try OpenFolder(path: configuration.dataFolder, account: account)
        let socket = try OpenFolder(path: configuration.socketFolder, account: account)
        let child = try ChildProcess.start(
            ChildProcess.Launch(
                executable: installation.path(of: "postgres"),
                arguments: ["-D", "/proc/self/fd/\(Self.dataDescriptor)"] + settings.flatMap { ["-c", $0] },
                environment: ["LC_ALL": "C", "PGDATA": ""],
                workingDirectory: "/",
                user: account?.name,
                inheritedDescriptors: [Self.dataDescriptor: data.descriptor, Self.socketDescriptor: socket.descriptor],
                logFile: configuration.logFile,
                deathSignal: .interrupt
            )
        )
        server.withLock { $0 = child }
    }

    private var settings: [String] {
        let durable = configuration.isDurable ? "on" : "off"
        return [
            "listen_addresses=", "unix_socket_directories=/proc/self/fd/\(Self.socketDescriptor)",
            "unix_socket_permissions=0700", "port=5432", "max_connections=\(configuration.connectionsMax)",
            "shared_buffers=256MB",
            "fsync=\(durable)", "synchronous_commit=\(durable)", "full_page_writes=\(durable)", "max_wal_size=2GB",
            "checkpoint_timeout=15min", "wal_compression=on", "random_page_cost=1.1", "jit=off",
            "max_parallel_workers_per_gather=0", "idle_in_transaction_session_timeout=60s", "timezone=UTC",
            "log_timezone=UTC", "log_line_prefix=%m [%p] ", "log_checkpoints=off", "log_autovacuum_min_duration=-1",
            "logging_collector=off", "log_destination=stderr",
        ]
    }

    /// - Returns: whether the server answers; `false` when it has ended or the time is over.
    private func isReady(before deadline: ContinuousClock.Instant) async throws(SupervisionFailure) -> Bool {
        while ContinuousClock.now < deadline {
            let arguments = ["-q", "-h", configuration.socketFolder, "-p", "5432", "-U", "usher", "-d", "postgres"]
            if try await run("pg_isready", arguments) == .status(0) { return true }
            guard isRunning else {
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return false }
                return false
            }
        }
        return false
    }

    private func makeDatabase() async throws(SupervisionFailure) {
        let address = ["-h", configuration.socketFolder, "-p", "5432", "-U", "usher"]
        let look = try await run("psql", address + ["-X", "-q", "-d", "usher", "-c", "SELECT"])
        guard look != .status(0) else { return }
        let exit = try await run("createdb", address + ["usher"])
        guard exit == .status(0) else { throw failure("createdb", exit) }
    }

    /// After a crash the lock file names a process that is gone, or by chance another one with the same number.
    private func removeStaleLock() async throws(SupervisionFailure) {
        let lock = "\(configuration.dataFolder)/postmaster.pid"
        let deadline = ContinuousClock.now + Self.stopGrace
        while let owner = ownerOfData(by: lock) {
            guard ContinuousClock.now < deadline else {
                throw .cannotStart(program: "postgres", reason: "process \(owner) uses \(configuration.dataFolder)")
            }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                throw .cannotStart(program: "postgres", reason: "cancelled")
            }
        }
        for path in [lock, "\(configuration.socketFolder)/.s.PGSQL.5432.lock"] {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// The living server of this data folder: a server's working directory is its data folder.
    private func ownerOfData(by lock: String) -> Int32? {
        guard let text = try? String(contentsOfFile: lock, encoding: .utf8),
            let owner = text.split(separator: "\n").first.flatMap({ Int32($0) }),
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(owner)/cwd")
        else { return nil }
        var (mine, other) = (Glibc.stat(), Glibc.stat())
        guard stat(configuration.dataFolder, &mine) == 0, stat(folder, &other) == 0 else { return nil }
        return mine.st_ino == other.st_ino && mine.st_dev == other.st_dev ? owner : nil
    }

    // MARK: Programs beside the server

    private func run(
        _ program: String,
        _ arguments: [String],
        as account: SystemAccount? = nil,
        handing descriptors: [Int32: Int32] = [:]
    ) async throws(SupervisionFailure) -> ChildProcess.Exit? {
        let child = try ChildProcess.start(
            ChildProcess.Launch(
                executable: installation.path(of: program),
                arguments: arguments,
                environment: ["LC_ALL": "C", "PGDATA": "", "PGCONNECT_TIMEOUT": "5"],
                workingDirectory: "/",
                user: account?.name,
                inheritedDescriptors: descriptors,
                logFile: configuration.logFile,
                deathSignal: .kill
            )
        )
        let limit = program == "initdb" ? configuration.readyLimit : Self.clientLimit
        let exit = await child.waitForExit(atMost: limit)
        if exit == nil { await child.stop(signal: SIGKILL) }
        return exit
    }

    private func failure(_ program: String, _ exit: ChildProcess.Exit?) -> SupervisionFailure {
        let end = exit.map { "\($0)" } ?? "did not end in time"
        return .cannotStart(program: program, reason: "\(end); see \(configuration.logFile)")
    }
}
