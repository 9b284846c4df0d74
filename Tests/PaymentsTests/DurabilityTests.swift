// What was answered is still there after the process is gone, however it went.
import Foundation
import NIOHTTP1
import Ordering
import PaymentLedger
import Payments
import Supervision
import TestSupport
import Testing

@testable import MockPayments

struct DurabilityTests {
    private static let good = "amount=5000&currency=eur&capture_method=manual&confirm=true&payment_method=pm_card_visa"

    @Test func `a restart keeps payments, keys and secrets`() async throws {
        try await withFolder { folder in
            let first = try await withProvider(in: folder) { provider in
                let reply = try await provider.send(path: "/v1/payment_intents", Self.good, key: "k")
                return (provider.secretKey, reply.id, reply.bytes)
            }
            try await withProvider(in: folder) { provider in
                #expect(provider.secretKey == first.0)
                let again = try await provider.send(path: "/v1/payment_intents", Self.good, key: "k")
                #expect(again.bytes == first.2 && again.headers.first(name: "Idempotent-Replayed") == "true")
                let taken = try await provider.send(path: "/v1/payment_intents/\(first.1)/capture")
                #expect(taken.stateName == "succeeded")
            }
            let file = try LedgerFile.read(path: folder + "/ledger.jsonl")
            #expect(file.ledger.intents[first.1]?.received == 5000)
            let permissions = try FileManager.default.attributesOfItem(atPath: folder + "/secret-key")
            #expect(permissions[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `a torn last line is cut off and the next line follows`() async throws {
        try await withFolder { folder in
            let path = folder + "/ledger.jsonl"
            let id = try await withProvider(in: folder) { provider in
                try await provider.send(path: "/v1/payment_intents", Self.good).id
            }
            let whole = try #require(FileManager.default.contents(atPath: path))
            try (whole + Data(#"{"at":1,"facts":[{"capt"#.utf8)).write(to: URL(fileURLWithPath: path))
            try await withProvider(in: folder) { provider in
                let reply = try await provider.send(path: "/v1/payment_intents/\(id)/capture")
                #expect(reply.stateName == "succeeded")
            }
            #expect(try LedgerFile.read(path: path).ledger.intents[id]?.state == .succeeded)
        }
    }

    @Test func `a spoilt ledger and one in use stop the start`() async throws {
        try await withFolder { folder in
            let configuration = MockPaymentsConfiguration(folder: folder)
            let first = try MockProvider(configuration, logger: quiet)
            #expect(throws: StartFault.self) { try MockProvider(configuration, logger: quiet) }
            _ = first
            var other = configuration
            other.ledger = folder + "/other.jsonl"
            try Data("{}\n".utf8).write(to: URL(fileURLWithPath: other.ledger))
            #expect(throws: LedgerFileFault.self) { try MockProvider(other, logger: quiet) }
        }
    }

    @Test func `kill -9 under load loses nothing that was answered`() async throws {
        try await withFolder { folder in
            for round in 0..<3 {
                let log = folder + "/log-\(round)"
                let child = try ChildProcess.start(Self.launch(folder: folder, log: log))
                try await eventually { Self.port(in: log) != nil }
                let port = try #require(Self.port(in: log))
                let key = try String(contentsOfFile: folder + "/secret-key", encoding: .utf8)
                let answered = try await withHTTPClient { client in
                    let booking = StripeProvider(
                        .init(baseURL: "http://127.0.0.1:\(port)", secretKey: key.trimmingCharacters(in: .newlines)),
                        client: client,
                        logger: quiet
                    )
                    return await Self.load(booking, whenBusy: { child.signal(SIGKILL) })
                }
                await child.waitForExit(atMost: .seconds(10))
                #expect(answered.count >= 50)
                let ledger = try LedgerFile.read(path: folder + "/ledger.jsonl").ledger
                for (reference, state) in answered {
                    #expect(ledger.intents[reference]?.state == state)
                }
            }
        }
    }

    @Test func `a port in use is one line and status 2`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder + "/first") { provider in
                let port = try #require(provider.baseURL.split(separator: ":").last)
                let log = folder + "/log"
                var launch = Self.launch(folder: folder + "/second", log: log)
                launch.arguments[1] = String(port)
                let child = try ChildProcess.start(launch)
                #expect(await child.waitForExit(atMost: .seconds(20)) == .status(2))
                let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                #expect(lines.last == "usher-mock-payments: port \(port) of 127.0.0.1 is in use")
            }
        }
    }

    private static func launch(folder: String, log: String) -> ChildProcess.Launch {
        ChildProcess.Launch(
            executable: productPath("usher-mock-payments"),
            arguments: [
                "--port", "0", "--ledger", folder + "/ledger.jsonl", "--secret-key-file", folder + "/secret-key",
                "--webhook-secret-file", folder + "/webhook-secret",
            ],
            logFile: log,
            deathSignal: .kill
        )
    }

    /// The port the provider took, once its log tells.
    private static func port(in log: String) -> Int? {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return nil }
        return text.firstMatch(of: /"server.port":"(\d+)"/).flatMap { Int($0.1) }
    }

    /// Authorises and captures with 16 buyers until the provider dies in the middle of it.
    /// - Returns: the last state each payment was answered with.
    private static func load(
        _ booking: StripeProvider,
        whenBusy kill: @escaping @Sendable () -> Void
    ) async -> [String: IntentState] {
        await withTaskGroup(of: [String: IntentState].self) { group in
            for buyer in 0..<16 {
                group.addTask {
                    var answered: [String: IntentState] = [:]
                    for turn in 0..<10_000 {
                        if buyer == 0, turn == 25 { kill() }
                        var payment = makePayment()
                        guard case .state(let held) = await booking.authorize(payment) else { return answered }
                        answered[held.reference] = .requiresCapture
                        payment.reference = held.reference
                        guard case .state = await booking.capture(payment) else {
                            // It may have been captured without our hearing of it.
                            answered[held.reference] = nil
                            return answered
                        }
                        answered[held.reference] = .succeeded
                    }
                    return answered
                }
            }
            return await group.reduce(into: [:]) { $0.merge($1) { $1 } }
        }
    }
}

/// Where the build put a program.
func productPath(_ name: String) -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return root.appendingPathComponent(".build/debug/\(name)").path
}
