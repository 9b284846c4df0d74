import Foundation
package import Glibc
import Synchronization

/// A program started by Usher, in a session of its own, so that a Ctrl-C at the terminal reaches the parent alone
/// and the parent decides the order in which everything stops.
///
/// On Linux a child also gets `deathSignal` when the process that started it dies, so nothing is left running.
package final class ChildProcess: Sendable {
    package struct Launch: Sendable {
        package var executable: String
        package var arguments: [String]
        /// Replaces or adds to the parent's environment.
        package var environment: [String: String]
        package var workingDirectory: String?
        /// The account to run as; only root can ask for another one.
        package var user: String?
        /// Child descriptor number → descriptor of this process.
        package var inheritedDescriptors: [Int32: Int32]
        /// Standard output and error are appended here; `nil` leaves them with the parent.
        package var logFile: String?
        /// Sent to the child when this process dies.
        package var deathSignal: DeathSignal

        package init(
            executable: String,
            arguments: [String] = [],
            environment: [String: String] = [:],
            workingDirectory: String? = nil,
            user: String? = nil,
            inheritedDescriptors: [Int32: Int32] = [:],
            logFile: String? = nil,
            deathSignal: DeathSignal = .terminate
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.workingDirectory = workingDirectory
            self.user = user
            self.inheritedDescriptors = inheritedDescriptors
            self.logFile = logFile
            self.deathSignal = deathSignal
        }
    }

    /// What a child receives when its parent is gone: PostgreSQL stops fast on `INT`, everything else on `TERM`.
    package enum DeathSignal: String, Sendable {
        case terminate = "TERM"
        case interrupt = "INT"
        case kill = "KILL"
    }

    package enum Exit: Sendable, Equatable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .status(let status): "exit status \(status)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    package let processID: pid_t
    package let launch: Launch
    private let ended = Mutex<Exit?>(nil)

    private init(processID: pid_t, launch: Launch) {
        self.processID = processID
        self.launch = launch
    }

    /// Starts the program.
    /// - Throws: `SupervisionFailure.cannotStart` when the executable cannot be run.
    package static func start(_ launch: Launch) throws(SupervisionFailure) -> ChildProcess {
        let processID = try Spawner.shared.spawn(launch)
        return ChildProcess(processID: processID, launch: launch)
    }

    /// How the child ended, or `nil` while it runs. Never blocks.
    package var exit: Exit? {
        ended.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG) == processID else { return nil }
            let signal = status & 0x7f
            known = signal == 0 ? .status((status >> 8) & 0xff) : .signal(signal)
            return known
        }
    }

    package var isRunning: Bool { exit == nil }

    /// Sends a signal; a child that has ended is left alone.
    package func signal(_ number: Int32) {
        guard isRunning else { return }
        _ = Glibc.kill(processID, number)
    }

    /// Waits for the end, looking every 20 ms, at most `limit`.
    /// - Returns: how it ended, or `nil` when it still runs after `limit`.
    @discardableResult
    package func waitForExit(atMost limit: Duration) async -> Exit? {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let exit { return exit }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { usleep(20_000) }
        }
        return exit
    }

    /// Asks the child to stop and kills it when it has not ended after `grace`.
    @discardableResult
    package func stop(signal number: Int32 = SIGTERM, grace: Duration = .seconds(10)) async -> Exit? {
        signal(number)
        if let exit = await waitForExit(atMost: grace) { return exit }
        signal(SIGKILL)
        return await waitForExit(atMost: .seconds(5))
    }
}

/// Why something that Usher starts could not be started or used.
package enum SupervisionFailure: Error, CustomStringConvertible {
    case cannotStart(program: String, reason: String)
    case notReady(program: String, reason: String)
    case missing(program: String, install: String)

    package var description: String {
        switch self {
        case .cannotStart(let program, let reason): "\(program) cannot be started: \(reason)"
        case .notReady(let program, let reason): "\(program) did not become ready: \(reason)"
        case .missing(let program, let install): "\(program) is not installed (apt-get install \(install))"
        }
    }
}
