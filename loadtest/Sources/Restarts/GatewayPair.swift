// Two real gateways over one Redis, and the balancer's view of them: who is ready takes new connections.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Supervision
import Synchronization

final class GatewayPair: Sendable {
    struct Plan: Sendable {
        var program: String
        var pages: String
        var folder: String
        var redis: String
        var shopPort: Int
        var drainLead: String
        /// Two of visitors, two of admins.
        var ports: [Int]
    }

    static let room = "restarts"
    private static let readyLimit = Duration.seconds(60)
    private static let stopLimit = Duration.seconds(60)
    private static let lookEvery = Duration.milliseconds(25)

    private struct State {
        var processes: [ChildProcess?] = [nil, nil]
        var inRotation = [false, false]
    }

    private let plan: Plan
    private let group: MultiThreadedEventLoopGroup
    private let state = Mutex(State())

    let targets: [Target]
    let addresses: [SocketAddress]

    init(_ plan: Plan, group: MultiThreadedEventLoopGroup) throws {
        self.plan = plan
        self.group = group
        targets = plan.ports.prefix(2).map { Target(host: "127.0.0.1", port: $0) }
        addresses = try targets.map { try $0.lookUp() }
    }

    /// A gateway to connect to: the one preferred when it is ready, else the other when that is, else any.
    func choice(preferring index: Int) -> Int {
        state.withLock { $0.inRotation[index] || !$0.inRotation[1 - index] ? index : 1 - index }
    }

    // MARK: Starting and stopping

    func startBoth() async throws {
        // The first one makes the keys that both use.
        for index in 0...1 {
            try start(index)
            try await waitUntilReady(index)
        }
        try await makeRoom()
    }

    private func start(_ index: Int) throws {
        let own = plan.folder + "/gateway-\(index)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let process = try ChildProcess.start(
            .init(
                executable: plan.program,
                arguments: [
                    "--port", "\(plan.ports[index])", "--admin-port", "\(plan.ports[2 + index])", "--redis", plan.redis,
                    "--booking", "http://127.0.0.1:\(plan.shopPort)", "--keys", plan.folder + "/keys",
                    "--admin-token-file", plan.folder + "/keys/admin.token", "--rooms-file", own + "/rooms.json",
                    "--arrivals", own + "/arrivals",
                    "--pages", plan.pages, "--event-loops", "1", "--drain-lead", plan.drainLead,
                ],
                logFile: own + "/log"
            )
        )
        state.withLock { $0.processes[index] = process }
    }

    /// Stops one, waits for its end and starts it again.
    /// - Returns: whether it ended well.
    func restart(_ index: Int, kill: Bool) async throws -> Bool {
        guard let process = state.withLock({ $0.processes[index] }) else { return false }
        process.signal(kill ? SIGKILL : SIGTERM)
        let exit = await process.waitForExit(atMost: Self.stopLimit)
        if exit == nil { await process.stop(signal: SIGKILL, grace: .seconds(5)) }
        try start(index)
        try await waitUntilReady(index)
        return exit == .status(0)
    }

    func stopBoth() async {
        for process in state.withLock({ $0.processes }) { await process?.stop(grace: .seconds(40)) }
    }

    private func waitUntilReady(_ index: Int) async throws {
        let deadline = ContinuousClock.now + Self.readyLimit
        while ContinuousClock.now < deadline {
            if let exit = state.withLock({ $0.processes[index]?.exit }) { throw PairFault("gateway \(index): \(exit)") }
            if await isReady(index) { return }
            try await Task.sleep(for: Self.lookEvery)
        }
        throw PairFault("gateway \(index) was not ready in \(Self.readyLimit)")
    }

    // MARK: The balancer

    /// Asks both gateways again and again whether they are ready, until cancelled.
    func balance() async {
        while !Task.isCancelled {
            for index in 0...1 {
                let isReady = await isReady(index)
                state.withLock { $0.inRotation[index] = isReady }
            }
            try? await Task.sleep(for: Self.lookEvery)
        }
    }

    func areBothInRotation() -> Bool { state.withLock { $0.inRotation == [true, true] } }

    private func isReady(_ index: Int) async -> Bool { await ask(index, .get("/readyz"))?.status == 200 }

    private func makeRoom() async throws {
        let token = try String(contentsOfFile: plan.folder + "/keys/admin.token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let policy = #"{"admission": {"per_minute": 60, "active_max": 10}}"#
        let put = Request(method: .PUT, path: "/admin/v1/rooms/\(Self.room)", body: Array(policy.utf8))
            .with("Authorization", "Bearer \(token)").with("If-None-Match", "*")
        guard let made = await ask(0, put), made.status < 300 else { throw PairFault("the room was not made") }
        let phase = Request.post("/admin/v1/rooms/\(Self.room)/phase", Array(#"{"phase": "active"}"#.utf8))
            .with("Authorization", "Bearer \(token)")
        _ = await ask(0, phase)
    }

    /// On the admin port, with a connection of its own.
    private func ask(_ index: Int, _ request: Request) async -> Reply? {
        let target = Target(host: "127.0.0.1", port: plan.ports[2 + index])
        guard let address = try? target.lookUp() else { return nil }
        let connection = VisitorConnection(
            target: target,
            address: address,
            source: nil,
            group: group,
            replyTimeout: .seconds(5)
        )
        defer { connection.close() }
        return try? await connection.send(request)
    }
}

struct PairFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
