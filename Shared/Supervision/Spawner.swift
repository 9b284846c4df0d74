// The thread that starts children. A parent-death signal is bound to the thread that made the child, so the
// children of short-lived pool threads would die with them; this thread lives as long as the process.

import Foundation
import Glibc
import Synchronization

final class Spawner: Sendable {
    static let shared = Spawner()

    /// `POSIX_SPAWN_SETSID` of glibc, which is hidden behind a macro Swift does not see.
    private static let newSession: Int32 = 0x80

    private struct Job: Sendable {
        let launch: ChildProcess.Launch
        let answer: Answer
    }

    private let jobs = Mutex<[Job]>([])
    private let arrived = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                arrived.wait()
                guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
                job.answer.fill(Self.spawnNow(job.launch))
            }
        }
        thread.name = "usher-spawner"
        thread.start()
    }

    func spawn(_ launch: ChildProcess.Launch) throws(SupervisionFailure) -> pid_t {
        let answer = Answer()
        jobs.withLock { $0.append(Job(launch: launch, answer: answer)) }
        arrived.signal()
        return try answer.wait().get()
    }

    private final class Answer: Sendable {
        private let outcome = Mutex<Result<pid_t, SupervisionFailure>>(
            .failure(.cannotStart(program: "setpriv", reason: "no answer from the spawning thread"))
        )
        private let done = DispatchSemaphore(value: 0)

        func wait() -> Result<pid_t, SupervisionFailure> {
            done.wait()
            return outcome.withLock { $0 }
        }

        func fill(_ result: Result<pid_t, SupervisionFailure>) {
            outcome.withLock { $0 = result }
            done.signal()
        }
    }

    /// `setpriv` (util-linux, always present on Debian) sets the death signal and the account, then becomes the
    /// program.
    private static func spawnNow(_ launch: ChildProcess.Launch) -> Result<pid_t, SupervisionFailure> {
        var words = ["setpriv", "--pdeathsig", launch.deathSignal.rawValue]
        if let user = launch.user {
            words += ["--reuid=\(user)", "--regid=\(user)", "--init-groups"]
        }
        words.append("--")
        if let directory = launch.workingDirectory {
            words += ["env", "--chdir=\(directory)"]
        }
        words += [launch.executable] + launch.arguments
        var environment = ProcessInfo.processInfo.environment
        environment.merge(launch.environment) { _, new in new }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        if let logFile = launch.logFile {
            posix_spawn_file_actions_addopen(&actions, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        for (child, own) in launch.inheritedDescriptors {
            posix_spawn_file_actions_adddup2(&actions, own, child)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes,
            Int16(newSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        )

        let arguments = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var processID: pid_t = 0
        let status = posix_spawnp(&processID, "setpriv", &actions, &attributes, arguments, variables)
        guard status == 0 else {
            return .failure(.cannotStart(program: launch.executable, reason: String(cString: strerror(status))))
        }
        return .success(processID)
    }
}
