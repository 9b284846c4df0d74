import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Supervision
import Synchronization

/// One service program: how to start it, when it is ready, and when to start it again.
final class ServiceChild: Sendable {
    let name: String
    private let launch: ChildProcess.Launch
    private let readyURL: String
    private let pauseMax: Duration

    private struct State {
        var process: ChildProcess?
        var startedAt = ContinuousClock.now
        var pause = ServiceChild.firstPause
        var startAgainAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private static let firstPause = Duration.milliseconds(250)
    /// After so long without an end the pause starts small again.
    private static let steadyAfter = Duration.seconds(30)
    private static let stopGrace = Duration.seconds(35)

    init(name: String, launch: ChildProcess.Launch, readyURL: String, pauseMax: Duration) {
        self.name = name
        self.pauseMax = pauseMax
        self.launch = launch
        self.readyURL = readyURL
    }

    var processID: Int32? { state.withLock { $0.process?.processID } }

    func start() throws(SupervisionFailure) {
        let process = try ChildProcess.start(launch)
        state.withLock {
            $0.process = process
            $0.startedAt = .now
            $0.startAgainAt = nil
        }
    }

    /// Polls the ready page; a program that ended or is not ready in time is a failure.
    func waitUntilReady(atMost limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        var last = "nothing"
        while ContinuousClock.now < deadline {
            if let exit = state.withLock({ $0.process?.exit }) {
                throw SupervisionFailure.notReady(program: name, reason: "it ended with \(exit)\(lastLogLine())")
            }
            let answer = await askIfReady()
            if answer.isReady { return }
            last = answer.words
            try await Task.sleep(for: .milliseconds(50))
        }
        throw SupervisionFailure.notReady(program: name, reason: "\(readyURL) said after \(limit): \(last)")
    }

    private func askIfReady() async -> (isReady: Bool, words: String) {
        do {
            let request = HTTPClientRequest(url: readyURL)
            let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(1))
            let body = String(buffer: try await reply.body.collect(upTo: 4096))
            return (reply.status.code == 200, body.replacing("\n", with: " "))
        } catch {
            return (false, "\(error)")
        }
    }

    /// Looks whether the program has ended; `true` when it was started again.
    func restartIfEnded(say: (String) -> Void) -> Bool {
        let now = ContinuousClock.now
        let ended: (exit: ChildProcess.Exit, isNews: Bool, pause: Duration, isDue: Bool)? = state.withLock { state in
            guard let exit = state.process?.exit else { return nil }
            if let due = state.startAgainAt { return (exit, false, state.pause, now >= due) }
            if now - state.startedAt > Self.steadyAfter { state.pause = Self.firstPause }
            state.pause = min(state.pause, pauseMax)
            state.startAgainAt = now + state.pause
            defer { state.pause = min(state.pause * 2, pauseMax) }
            return (exit, true, state.pause, false)
        }
        guard let ended else { return false }
        if ended.isNews { say("\(name) ended with \(ended.exit); starting it again in \(ended.pause)") }
        guard ended.isDue else { return false }
        do throws(SupervisionFailure) {
            try start()
            say("\(name) was started again")
            return true
        } catch {
            say("\(error)")
            state.withLock { $0.startAgainAt = now + $0.pause }
            return false
        }
    }

    func stop() async {
        await state.withLock { $0.process }?.stop(grace: Self.stopGrace)
    }

    private func lastLogLine() -> String {
        guard let file = launch.logFile, let bytes = FileManager.default.contents(atPath: file),
            let line = String(decoding: bytes.suffix(2000), as: UTF8.self).split(separator: "\n").last
        else { return "" }
        return ": \(line)"
    }
}

extension ServiceChild {
    static func payments(_ plan: StackPlan) -> ServiceChild {
        make(
            plan,
            "usher-mock-payments",
            [
                "--port", "\(plan.paymentsPort)", "--ledger", plan.ledger, "--secret-key-file", plan.providerKeyFile,
                "--webhook-url", plan.booking + "/v1/webhooks/psp/stripe", "--webhook-secret-file",
                plan.webhookSecretFile,
            ],
            readyURL: plan.payments + "/readyz"
        )
    }

    static func booking(_ plan: StackPlan, redis: String) -> ServiceChild {
        make(
            plan,
            "usher-booking",
            [
                "--port", "\(plan.bookingPort)", "--operations-port", "\(plan.bookingOperationsPort)", "--redis", redis,
                "--postgres", "host=\(plan.socketFolder)/pg port=5432 user=usher dbname=usher", "--keys",
                plan.keysFolder, "--gateway", plan.gateway, "--public-url", plan.gatewayTLS ?? plan.gateway,
                "--provider", plan.payments, "--provider-key-file", plan.providerKeyFile, "--webhook-secret-file",
                plan.webhookSecretFile,
            ],
            readyURL: plan.bookingOperations + "/readyz"
        )
    }

    static func gateway(_ plan: StackPlan) -> ServiceChild {
        let tls =
            plan.tlsPort.map {
                [
                    "--tls-port", "\($0)", "--tls-certificate", plan.certificate.certificateFile, "--tls-key",
                    plan.certificate.keyFile,
                ]
            } ?? []
        // Nobody balances over one gateway, so its stop need not wait for anybody to look elsewhere.
        return make(
            plan,
            "usher-gateway",
            [
                "--drain-lead", "0s",
                "--port", "\(plan.gatewayPort)", "--admin-port", "\(plan.adminPort)", "--redis",
                "unix://\(plan.socketFolder)/redis.sock", "--booking", plan.booking, "--booking-operations",
                plan.bookingOperations, "--keys", plan.keysFolder, "--admin-token-file", plan.adminTokenFile,
                "--rooms-file", plan.dataFolder + "/rooms.json",
                "--arrivals", plan.dataFolder + "/arrivals",
                "--pages", plan.pagesFolder,
            ] + tls,
            readyURL: plan.admin + "/readyz"
        )
    }

    private static func make(
        _ plan: StackPlan,
        _ name: String,
        _ arguments: [String],
        readyURL: String
    ) -> ServiceChild {
        ServiceChild(
            name: name,
            launch: .init(
                executable: plan.program(name),
                arguments: arguments,
                logFile: plan.logsFolder + "/\(name).log"
            ),
            readyURL: readyURL,
            pauseMax: plan.restartPauseMax
        )
    }
}
