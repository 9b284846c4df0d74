import Foundation
package import Glibc

/// A Redis server of our own: data in a folder, reachable over a unix socket only.
///
/// It keeps an append-only file synced each second and never evicts, as everything in it is state.
package actor PrivateRedis {
    package struct Layout: Sendable {
        /// Holds the append-only file; made when absent.
        package var dataFolder: String
        /// Holds the socket; a short path, as a socket path ends at 107 bytes. Made when absent.
        package var socketFolder: String
        package var logFile: String
        /// Appended to the server's arguments (`--requirepass x`).
        package var extraArguments: [String]

        package init(
            dataFolder: String,
            socketFolder: String,
            logFile: String? = nil,
            extraArguments: [String] = []
        ) {
            self.dataFolder = dataFolder
            self.socketFolder = socketFolder
            self.logFile = logFile ?? dataFolder + "/redis.log"
            self.extraArguments = extraArguments
        }

        package var socketPath: String { socketFolder + "/redis.sock" }
        package var url: String { "unix://" + socketPath }
    }

    package nonisolated let layout: Layout
    private let readyWithin: Duration
    private let deathSignal: ChildProcess.DeathSignal
    private var process: ChildProcess?

    private static let program = "redis-server"
    private static let socketPathMax = 107
    private static let lookEvery = Duration.milliseconds(20)

    /// `readyWithin` is how long a start may take: a big append-only file is read first.
    package init(
        layout: Layout,
        readyWithin: Duration = .seconds(30),
        deathSignal: ChildProcess.DeathSignal = .terminate
    ) {
        self.layout = layout
        self.readyWithin = readyWithin
        self.deathSignal = deathSignal
    }

    package nonisolated var url: String { layout.url }
    package var processID: pid_t? { process?.processID }
    package var isRunning: Bool { process?.isRunning ?? false }
    /// How the server ended, when it has ended.
    package var exit: ChildProcess.Exit? { process?.exit }

    /// Starts the server and waits until it answers. Starts it again after `stop`, `kill` or a crash.
    package func start() async throws(SupervisionFailure) {
        guard !isRunning else { return }
        guard let executable = ProgramPath.find(Self.program) else {
            throw .missing(program: Self.program, install: "redis-server")
        }
        try makeFolders()
        guard !RedisProbe.answers(socketPath: layout.socketPath) else {
            throw .cannotStart(program: Self.program, reason: "another server answers at \(layout.socketPath)")
        }
        let child = try ChildProcess.start(
            ChildProcess.Launch(
                executable: executable,
                arguments: arguments,
                workingDirectory: layout.dataFolder,
                logFile: layout.logFile,
                deathSignal: deathSignal
            )
        )
        process = child
        try await waitUntilReady(child)
    }

    /// Asks the server to stop, which writes everything out, and waits for its end.
    package func stop(grace: Duration = .seconds(10)) async {
        await process?.stop(signal: SIGTERM, grace: grace)
    }

    /// Ends the server without a chance to write anything, and waits for its end.
    package func kill() async {
        process?.signal(SIGKILL)
        await process?.waitForExit(atMost: .seconds(5))
    }

    /// Sends any signal (tests pause the server with `SIGSTOP`).
    package func signal(_ number: Int32) {
        process?.signal(number)
    }

    private var arguments: [String] {
        [
            "--port", "0", "--unixsocket", layout.socketPath, "--unixsocketperm", "700", "--dir", layout.dataFolder,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "no", "--logfile", "",
        ] + layout.extraArguments
    }

    private func makeFolders() throws(SupervisionFailure) {
        guard layout.socketPath.utf8.count <= Self.socketPathMax else {
            throw .cannotStart(
                program: Self.program,
                reason: "the socket path \(layout.socketPath) is longer than \(Self.socketPathMax) bytes"
            )
        }
        do {
            for folder in [layout.dataFolder, layout.socketFolder] {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            }
        } catch {
            throw .cannotStart(program: Self.program, reason: "\(error.localizedDescription)")
        }
    }

    private func waitUntilReady(_ child: ChildProcess) async throws(SupervisionFailure) {
        let deadline = ContinuousClock.now + readyWithin
        while ContinuousClock.now < deadline {
            if let exit = child.exit {
                throw .cannotStart(program: Self.program, reason: "\(exit); see \(layout.logFile)")
            }
            if RedisProbe.answers(socketPath: layout.socketPath) { return }
            do { try await Task.sleep(for: Self.lookEvery) } catch { break }
        }
        await child.stop()
        throw .notReady(program: Self.program, reason: "no answer within \(readyWithin); see \(layout.logFile)")
    }
}
