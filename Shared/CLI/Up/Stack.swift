import Foundation
import Supervision
import Synchronization

/// Everything `usher up` runs: two stores and three services, started in order, watched, stopped in reverse.
final class Stack: Sendable {
    let plan: StackPlan
    private let redis: PrivateRedis
    private let postgres = Mutex<PrivatePostgres?>(nil)
    private let services: [ServiceChild]

    private static let readyLimit = Duration.seconds(60)
    private static let lookInterval = Duration.milliseconds(200)

    init(_ plan: StackPlan) {
        self.plan = plan
        redis = PrivateRedis(
            layout: .init(
                dataFolder: plan.redisFolder,
                socketFolder: plan.socketFolder,
                logFile: plan.logsFolder + "/redis.log"
            )
        )
        services = [.payments(plan), .booking(plan, redis: "unix://\(plan.socketFolder)/redis.sock"), .gateway(plan)]
    }

    func start() async throws {
        try await step("redis") { try await redis.start() }
        try await step("postgresql") {
            let server = try await PrivatePostgres.start(
                .init(
                    dataFolder: plan.postgresFolder,
                    socketFolder: plan.socketFolder + "/pg",
                    logFile: plan.logsFolder + "/postgres.log"
                )
            )
            postgres.withLock { $0 = server }
        }
        if plan.tlsPort != nil, try await plan.certificate.prepare() {
            Terminal.say("  a certificate for localhost was made: \(plan.certificate.certificateFile)")
        }
        for service in services {
            try await step(service.name) {
                try service.start()
                try await service.waitUntilReady(atMost: Self.readyLimit)
            }
        }
        try await writeRunFile()
    }

    private func step(_ name: String, _ body: () async throws -> Void) async throws {
        let started = ContinuousClock.now
        do {
            try await body()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw UpFault("\(name): \(error) (see \(plan.logsFolder))")
        }
        let took = (ContinuousClock.now - started) / .seconds(1)
        Terminal.say(
            "  \(name.padding(toLength: 20, withPad: " ", startingAt: 0)) ready in \(String(format: "%.1f", took)) s"
        )
    }

    /// Restarts whatever ends, with growing pauses, until cancelled.
    func watch() async throws {
        while true {
            for service in services where service.restartIfEnded(say: say) { try await writeRunFile() }
            if await !redis.isRunning { try await revive("redis") { try await redis.start() } }
            if let server = postgres.withLock({ $0 }), !server.isRunning {
                try await revive("postgresql") { try await server.restart() }
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    private func revive(_ name: String, _ start: () async throws -> Void) async throws {
        say("\(name) ended; starting it again")
        do {
            try await start()
            say("\(name) is back")
            try await writeRunFile()
        } catch let error as CancellationError {
            throw error
        } catch {
            say("\(name) cannot be started: \(error)")
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func say(_ line: String) { Terminal.say("usher: \(line)") }

    /// Services first, the last one started first; then the stores.
    func stop() async {
        for service in services.reversed() { await stopping(service.name) { await service.stop() } }
        await stopping("postgresql") { await postgres.withLock({ $0 })?.stop() }
        await stopping("redis") { await redis.stop() }
    }

    /// Says so when a stop takes long enough to wonder.
    private func stopping(_ name: String, _ stop: () async -> Void) async {
        let started = ContinuousClock.now
        await stop()
        let took = (ContinuousClock.now - started) / .seconds(1)
        if took > 1 { say("\(name) took \(String(format: "%.1f", took)) s to stop") }
    }

    func printAddresses() {
        Terminal.say(
            """

            Usher is up. Ctrl-C stops everything.
              shop and waiting rooms   \(plan.gateway)\(plan.gatewayTLS.map { "  \($0)" } ?? "")
              a session's page         \(plan.gateway)/sessions/\(DemoCatalogue.tourSession)
              admin API                \(plan.admin)/admin/v1/rooms   (token in \(plan.adminTokenFile))
              metrics                  \(plan.admin)/metrics  \(plan.bookingOperations)/metrics  \(plan.payments)/metrics
              logs                     \(plan.logsFolder)

            """
        )
    }

    /// Tells `usher check`, tests and people what runs where.
    private func writeRunFile() async throws {
        var facts: [String: Any] = [
            "postgres": postgres.withLock { $0?.url } ?? "",
            "redis": redis.url,
            "ledger": plan.ledger,
            "keys": plan.keysFolder,
            "gateway": plan.gateway,
            "admin": plan.admin,
            "booking": plan.booking,
            "booking_operations": plan.bookingOperations,
            "payments": plan.payments,
            "admin_token_file": plan.adminTokenFile,
        ]
        facts["gateway_tls"] = plan.gatewayTLS
        facts["certificate"] = plan.tlsPort.map { _ in plan.certificate.certificateFile }
        var processes: [String: Int] = ["usher": Int(getpid())]
        for service in services { processes[service.name] = service.processID.map(Int.init) }
        processes["redis"] = await redis.processID.map(Int.init)
        processes["postgresql"] = postgres.withLock { $0?.processID }.map(Int.init)
        facts["processes"] = processes
        let bytes = try JSONSerialization.data(withJSONObject: facts, options: [.prettyPrinted, .sortedKeys])
        try bytes.write(to: URL(filePath: plan.runFile), options: .atomic)
    }
}
