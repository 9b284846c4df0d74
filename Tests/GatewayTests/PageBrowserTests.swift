// The waiting page in a real browser, in every state, against a room that a script plays.
import Foundation
import Testing

struct PageBrowserTests {
    private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
        .path
    private static let hasBrowser = FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium")

    @Test(.enabled(if: hasBrowser, "needs /usr/bin/chromium"))
    func `the page says in every state what the room says, and checks the visitor's entry`() throws {
        let process = Process()
        let outputs = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["node", "\(Self.root)/Tests/Scripts/page_states.mjs", "\(Self.root)/Gateway/Pages"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = outputs
        process.standardError = FileHandle.nullDevice
        try process.run()
        let told = String(decoding: outputs.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(told)")
        #expect(told.split(separator: "\n").count >= 13)
    }
}
