// The stock `stripe` package from PyPI takes the stand-in for the real thing.
import Foundation
import TestSupport
import Testing

struct StripeSDKTests {
    private static let python = ProcessInfo.processInfo.environment["USHER_PYTHON"] ?? "python3"

    @Test func `the stock stripe package works against the stand-in`() async throws {
        guard try run(["-c", "import stripe"], input: Data()).status == 0 else {
            print("skipped: no stripe package for \(Self.python); ./test installs it")
            return
        }
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let form = "amount=5000&currency=eur&confirm=true&payment_method=pm_card_visa"
                    _ = try await provider.send(path: "/v1/payment_intents", form)
                    try await eventually { listener.deliveries.count == 1 }
                    let event = try #require(listener.deliveries.first)
                    let told = try run(
                        [Self.script, provider.baseURL, provider.secretKey, provider.webhookSecret],
                        input: Data(event.body) + Data("\n\(event.signature)\n".utf8)
                    )
                    #expect(told.status == 0 && told.output == "ok\n", "\(told.output)\(told.errors)")
                }
            }
        }
    }

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Scripts/stripe_sdk.py").path

    private func run(_ arguments: [String], input: Data) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [Self.python] + arguments
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: input)
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self)
        )
    }
}
