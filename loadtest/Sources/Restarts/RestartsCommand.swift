// `usher-loadtest restarts`: two gateways under load, one of them restarted again and again.
import ArgumentParser
import Foundation
import Glibc
import NIOPosix
import Supervision

struct RestartsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts",
        abstract: "Restart two gateways in turn under load, and count what is lost.",
        discussion: """
            Starts a private Redis, a shop that answers slowly and two gateways in a temporary folder, and visitors who
            balance by the readiness page. Exit status: 0 nothing was lost, 1 something was, 2 the run could not start.
            """
    )

    @Option(help: "How many restarts.") var restarts = 100
    @Option(help: "How many visitors, each with about ten requests a second.") var visitors = 40
    @Option(help: "How long a stopping gateway still serves.") var drainLead = "400ms"
    @Option(help: "The gateway's program; by default the one beside this.") var gateway: String?
    @Option(help: "Folder of the gateway's pages.") var pages = "Gateway/Pages"
    @Option(help: "Also write the result to this file as JSON.") var json: String?
    @Flag(help: "Kill the gateways instead: shows what the count finds.") var kill = false

    func validate() throws {
        guard (1...10_000).contains(restarts) else { throw ValidationError("--restarts is from 1 to 10000") }
        guard (1...1000).contains(visitors) else { throw ValidationError("--visitors is from 1 to 1000") }
    }

    func run() async throws {
        let folder = "/tmp/usher-restarts-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = PrivateRedis(
            layout: .init(dataFolder: folder + "/redis", socketFolder: folder),
            deathSignal: .kill
        )
        let tally = RestartTally()
        do {
            try await redis.start()
            let pair = try await makePair(folder, redis: redis.url)
            let run = RestartRun(pair: pair, tally: tally, restarts: restarts, visitors: visitors, kill: kill)
            do {
                try await run.run()
            } catch {
                await pair.stopBoth()
                throw error
            }
            await pair.stopBoth()
            await redis.kill()
        } catch {
            await redis.kill()
            FileHandle.standardError.write(Data("usher-loadtest: \(error)\n".utf8))
            throw ExitCode(2)
        }
        try report(tally.counts)
        if tally.counts.breaches > 0 { throw ExitCode(1) }
    }

    private func makePair(_ folder: String, redis: String) async throws -> GatewayPair {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = URL(filePath: own).deletingLastPathComponent().appending(path: "usher-gateway").path()
        let group = MultiThreadedEventLoopGroup.singleton
        let plan = GatewayPair.Plan(
            program: gateway ?? beside,
            pages: URL(filePath: pages).standardizedFileURL.path(),
            folder: folder,
            redis: redis,
            shopPort: try await SlowShop.start(on: group),
            drainLead: drainLead,
            ports: try await FreePorts.find(4, on: group)
        )
        return try GatewayPair(plan, group: group)
    }

    private func report(_ counts: RestartTally.Counts) throws {
        let rows: [(String, Int)] = [
            ("restarts", counts.restarts), ("requests answered", counts.answered),
            ("told to move on", counts.toldToMove), ("connections refused", counts.refused),
            ("unanswered", counts.unanswered), ("cut short", counts.cutShort), ("failed (5xx)", counts.failed),
            ("lost", counts.lost), ("bad exits", counts.badExits),
        ]
        for (name, count) in rows { print("  \(name.padding(toLength: 22, withPad: " ", startingAt: 0))\(count)") }
        if let words = counts.firstFailure { print("  first failure: \(words)") }
        print(counts.breaches == 0 ? "nothing was lost" : "\(counts.breaches) breaches")
        if let json { try JSONEncoder().encode(counts).write(to: URL(filePath: json)) }
    }
}

/// The visitors, the balancer and the one who restarts, side by side.
struct RestartRun: Sendable {
    let pair: GatewayPair
    let tally: RestartTally
    let restarts: Int
    let visitors: Int
    let kill: Bool

    private static let rotationLimit = Duration.seconds(20)

    func run() async throws {
        try await pair.startBoth()
        let flag = GoesOn()
        let group = MultiThreadedEventLoopGroup.singleton
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pair.balance() }
            try await waitForRotation()
            try await withThrowingTaskGroup(of: Void.self) { crowd in
                for number in 0..<visitors {
                    let visitor = RestartVisitor(number: number, pair: pair, tally: tally, group: group)
                    crowd.addTask { await visitor.run { flag.isSet } }
                }
                defer { flag.clear() }
                for round in 0..<restarts {
                    let hasEndedWell = try await pair.restart(round % 2, kill: kill)
                    tally.note {
                        $0.restarts += 1
                        if !hasEndedWell { $0.badExits += 1 }
                    }
                    try await waitForRotation()
                }
                flag.clear()
                try await crowd.waitForAll()
            }
            tasks.cancelAll()
        }
    }

    private func waitForRotation() async throws {
        let deadline = ContinuousClock.now + Self.rotationLimit
        while !pair.areBothInRotation() {
            guard ContinuousClock.now < deadline else { throw PairFault("the gateways are not both ready") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
