import Foundation
import Glibc
import Supervision
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    @Test func `the exit status of a program is reported`() async throws {
        let child = try ChildProcess.start(.init(executable: "sh", arguments: ["-c", "exit 7"]))
        #expect(await child.waitForExit(atMost: .seconds(10)) == .status(7))
        #expect(!child.isRunning)
    }

    @Test func `a program that ignores the polite signal is killed after its grace`() async throws {
        let mark = FileManager.default.temporaryDirectory.appending(path: "usher-deaf-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: mark) }
        let child = try ChildProcess.start(
            .init(executable: "sh", arguments: ["-c", "trap '' TERM; : > \(mark); while :; do sleep 0.1; done"])
        )
        try await eventually { FileManager.default.fileExists(atPath: mark) }
        #expect(await child.stop(grace: .milliseconds(300)) == .signal(SIGKILL))
    }

    @Test func `a program runs in a session of its own with its folder, variables and log`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-child-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "log").path()
        let child = try ChildProcess.start(
            .init(
                executable: "sh",
                arguments: ["-c", "echo $COLOUR; pwd; ps -o sid= -p $$"],
                environment: ["COLOUR": "teal"],
                workingDirectory: folder.path(),
                logFile: log
            )
        )
        #expect(await child.waitForExit(atMost: .seconds(10)) == .status(0))
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "teal")
        #expect(lines.dropFirst().first.map(String.init).map { folder.path().hasPrefix($0) } == true)
        #expect(lines.last.flatMap { pid_t($0.trimmingCharacters(in: .whitespaces)) } == child.processID)
    }
}
