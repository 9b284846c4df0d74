// The stock `stripe` package from PyPI takes the stand-in for the real thing.
import Foundation
import TestSupport
import Testing

struct StripeSDKTests {
    @Test func `the stock stripe package works against the stand-in`() async throws {
        guard let python = try StripePython.path() else {
            print("skipped: python3 with \(StripePython.requirement) from PyPI cannot be had")
            return
        }
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let form = "amount=5000&currency=eur&confirm=true&payment_method=pm_card_visa"
                    _ = try await provider.send(path: "/v1/payment_intents", form)
                    try await eventually { listener.deliveries.count == 1 }
                    let event = try #require(listener.deliveries.first)
                    let told = try StripePython.run(
                        python,
                        [Self.script, provider.baseURL, provider.secretKey, provider.webhookSecret],
                        input: Data(event.body) + Data("\n\(event.signature)\n".utf8)
                    )
                    #expect(told.status == 0 && told.output == "ok\n", "\(told.output)")
                }
            }
        }
    }

    private static let script = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../Scripts/stripe_sdk.py").standardizedFileURL.path
}

/// A Python that has the stripe package: the machine's own, or one in a virtual environment kept under `.build`.
enum StripePython {
    static let requirement = "stripe==12.5.1"

    static func path() throws -> String? {
        let hasPackage = ["-c", "import stripe; stripe.StripeClient"]
        let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path
        let folder = "\(package)/.build/stripe-python"
        let python = "\(folder)/bin/python3"
        if try run(python, hasPackage).status == 0 { return python }
        if try run("python3", hasPackage).status == 0 { return "python3" }
        _ = try run("python3", ["-m", "venv", folder])
        _ = try run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement])
        return try run(python, hasPackage).status == 0 ? python : nil
    }

    /// What the program wrote to its outputs; status 127 when there is no such program.
    static func run(
        _ program: String,
        _ arguments: [String],
        input: Data = Data()
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let (stdin, outputs) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = outputs
        process.standardError = outputs
        try process.run()
        if !input.isEmpty { try stdin.fileHandleForWriting.write(contentsOf: input) }
        try stdin.fileHandleForWriting.close()
        let output = outputs.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
