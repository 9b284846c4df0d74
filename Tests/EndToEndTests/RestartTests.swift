import Foundation
import Supervision
import Testing

/// Gateways that stop and start under load.
struct RestartTests {
    private static func run(_ options: [String]) async throws -> (status: Int32, counts: [String: Int], output: String)
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-restarts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let json = folder.appending(path: "counts.json").path()
        let log = folder.appending(path: "log").path()
        let program = try ChildProcess.start(
            .init(
                executable: URL(filePath: tests).deletingLastPathComponent().appending(path: "usher-loadtest").path(),
                arguments: ["restarts", "--pages", root.path() + "Gateway/Pages", "--json", json] + options,
                logFile: log
            )
        )
        let exit = await program.waitForExit(atMost: .seconds(240))
        if exit == nil { await program.stop(grace: .seconds(5)) }
        let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        guard case .status(let status) = exit, let bytes = FileManager.default.contents(atPath: json) else {
            throw StackFault("restarts ended with \(exit?.description ?? "no end"): \(output)")
        }
        let counts = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        return (status, counts?.compactMapValues { $0 as? Int } ?? [:], output)
    }

    @Test func `gateways restarted in turn under load lose no request`() async throws {
        let run = try await Self.run(["--restarts", "5", "--visitors", "20"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.counts["restarts"] == 5)
        #expect(run.counts["answered"] ?? 0 > 100)
        #expect(run.counts["toldToMove"] ?? 0 > 0)
        for breach in ["unanswered", "cutShort", "failed", "lost", "badExits"] { #expect(run.counts[breach] == 0) }
    }

    @Test func `gateways that are killed do, so the count finds what there is`() async throws {
        let run = try await Self.run(["--restarts", "4", "--visitors", "40", "--kill"])
        #expect(run.status == 1, "\(run.output)")
        #expect(run.counts["badExits"] == 4)
        #expect(run.counts["unanswered"] ?? 0 > 0)
    }
}
