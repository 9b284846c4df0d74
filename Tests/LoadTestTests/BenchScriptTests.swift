// `loadtest/bench` reads its arguments strictly, and its parts that are only rules hold. No bench is run here.
import Foundation
import Testing

struct BenchScriptTests {
    @Test(arguments: [
        (words: ["--help"], status: 0, says: "edge"),
        (words: ["edge", "--help"], status: 0, says: "--json"),
        (words: [], status: 2, says: "usage: loadtest/bench NAME"),
        (words: ["moon"], status: 2, says: "usage: loadtest/bench NAME"),
        (words: ["room", "--help"], status: 0, says: "--json"),
        (words: ["room", "--only", "P3,P1"], status: 2, says: "--only takes"),
        (words: ["room", "--usher", "/nowhere/usher"], status: 2, says: "is not a program"),
        (words: ["booking", "--help"], status: 0, says: "--connections"),
        (words: ["booking", "--only", "P7"], status: 2, says: "--only takes"),
        (words: ["booking", "--seats", "10"], status: 2, says: "--seats is from 1000 to 100000"),
        (words: ["sell-out", "--help"], status: 0, says: "--programs"),
        (words: ["sell-out", "--rounds", "0"], status: 2, says: "--rounds is from 1 to 100"),
        (words: ["edge", "--fast"], status: 2, says: "unrecognized arguments: --fast"),
        (words: ["edge", "--only", "P1,P9"], status: 2, says: "--only takes"),
        (words: ["edge", "--rounds", "0"], status: 2, says: "--rounds is from 1 to 100"),
        (words: ["edge", "--seconds", "61"], status: 2, says: "--seconds from 1 to 60"),
        (words: ["edge", "--profile", "P5"], status: 2, says: "--profile takes P1, P2 or P4"),
        (words: ["edge", "--gateway", "/nowhere/gateway"], status: 2, says: "is not a program"),
        (words: ["edge", "--json"], status: 2, says: "expected one argument"),
    ])
    func `a bench reads its arguments strictly`(words: [String], status: Int32, says: String) throws {
        let done = try run([Self.root + "/loadtest/bench"] + words)
        #expect(done.status == status && done.output.contains(says), "\(done)")
    }

    @Test func `the rules of a bench hold`() throws {
        let done = try run(["python3", Self.root + "/Tests/Scripts/bench_parts.py", Self.root + "/loadtest"])
        #expect(done.status == 0, "\(done.output)")
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../..").standardizedFileURL.path

    private func run(_ command: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let outputs = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = outputs
        process.standardError = outputs
        try process.run()
        let output = outputs.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
