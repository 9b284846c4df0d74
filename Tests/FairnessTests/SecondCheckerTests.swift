// The checker in docs/verify, written from the page in another language, must say the same of the same bundles.
@testable import Fairness
import Foundation
import Testing

/// Runs docs/verify/usher_verify.py. Without python3 and its package `cryptography` there is nothing to compare with.
struct SecondChecker {
    struct Line: Decodable {
        let name: String
        let verdict: String
        let detail: String
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/verify")

    static let isThere = (try? run(["-c", "import cryptography"]).status) == 0

    static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B"] + arguments
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, bytes)
    }

    /// The lines on each file, from one run.
    static func check(_ files: [[UInt8]], withBLS: Bool = false) throws -> (status: Int32, lines: [[Line]]) {
        struct Answer: Decodable {
            let checks: [Line]
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-bundles-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let paths = files.indices.map { folder.appending(path: "\($0).bundle").path() }
        for (file, path) in zip(files, paths) { try Data(file).write(to: URL(filePath: path)) }
        let result = try run(["usher_verify.py", "--json"] + (withBLS ? [] : ["--no-bls"]) + paths)
        return (result.status, try JSONDecoder().decode([Answer].self, from: result.output).map(\.checks))
    }
}

@Suite(.enabled(if: SecondChecker.isThere, "skipped: no python3 with the package cryptography"))
struct SecondCheckerTests {
    private func compare(_ bundles: [(name: String, bundle: RoomBundle)]) throws -> Int32 {
        let there = try SecondChecker.check(try bundles.map { try $0.bundle.file() })
        try #require(there.lines.count == bundles.count)
        for ((name, bundle), lines) in zip(bundles, there.lines) {
            let here = Audit.run(bundle).checks
            #expect(lines.map(\.name) == here.map(\.name), "\(name)")
            #expect(lines.map(\.verdict) == here.map(\.verdict.rawValue), "\(name): \(lines.map(\.detail))")
        }
        return there.status
    }

    @Test func `both accept rooms that kept their promises`() throws {
        #expect(try compare(try RoomFixture.Kind.allCases.map { ($0.rawValue, try RoomFixture($0).bundle()) }) == 0)
    }

    @Test func `attack 21: both reject changed bundles for the same checks`() throws {
        #expect(try compare(try Tampering.all.map { ($0.name, try $0.bundle()) }) == 1)
    }

    @Test func `the second checker verifies the beacon's BLS signature`() throws {
        let good = try SecondChecker.check([try RoomFixture(.lottery).bundle().file()], withBLS: true)
        let verified = good.lines[0].first { $0.name == "beacon" }
        #expect(verified?.verdict == "ok")
        #expect(verified?.detail.contains("BLS signature verified") == true)

        // Another round's genuine signature under the right round's number: only BLS can tell.
        var fixture = try RoomFixture(.lottery)
        fixture.round = 1001
        fixture.changeDraw = { $0.round = 1000 }
        let forged = try fixture.bundle()
        #expect(Audit.run(forged).holds)
        let lines = try SecondChecker.check([try forged.file()], withBLS: true).lines[0]
        #expect(lines.filter { $0.verdict == "FAIL" }.map(\.name) == ["beacon"])
    }

    @Test func `both read a bundle that Python wrote`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "usher-\(UUID().uuidString).bundle")
        defer { try? FileManager.default.removeItem(at: path) }
        #expect(try SecondChecker.run(["make_lottery.py", "3000", path.path()]).status == 0)
        let bundle = try RoomBundle(file: Array(try Data(contentsOf: path)))
        #expect(bundle.entries.count == 3150)
        #expect(try compare([("of Python", bundle)]) == 0)
    }

    @Test func `what is no bundle is refused`() throws {
        #expect(try SecondChecker.check([Array("nothing".utf8)]).status == 2)
    }

    @Test func `the second checker's own tests pass`() throws {
        #expect(try SecondChecker.run(["test_verify.py"]).status == 0)
    }
}
