import Foundation
import Glibc
import Supervision
import Testing

/// Three gateways that are one room: the one of `usher up` and two more beside it, as an operator adds them. Each has
/// ports and files of its own; Redis, the keys and the admin token are the same.
struct Trio: Sendable {
    struct Gateway: Sendable {
        let index: Int
        let url: String
        let admin: String
        let launch: ChildProcess.Launch?
    }

    let stack: RunningStack
    let gateways: [Gateway]
    /// The room that is looked at.
    var room = "trio"
    private let added: AddedGateways

    /// Visitors are told apart by what stands in front of the gateways: here they are all on one machine.
    private static let environment = ["USHER_GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8"]
    static let readyLimit = Duration.seconds(60)

    /// `environments` of the second and the third gateway.
    static func with(
        environments: [[String: String]] = [[:], [:]],
        _ body: @escaping (Trio) async throws -> Void
    ) async throws {
        try await RunningStack.with(environment: environment) { stack in
            let ports = freePorts(4)
            var gateways = [Gateway(index: 0, url: stack.gateway, admin: stack.admin, launch: nil)]
            for (index, extra) in environments.enumerated() {
                let (port, admin) = (ports[index * 2], ports[index * 2 + 1])
                gateways.append(
                    Gateway(
                        index: index + 1,
                        url: "http://127.0.0.1:\(port)",
                        admin: "http://127.0.0.1:\(admin)",
                        launch: try launch(stack, index: index + 1, port: port, admin: admin, extra)
                    )
                )
            }
            let trio = Trio(stack: stack, gateways: gateways, added: AddedGateways())
            do {
                for gateway in gateways.dropFirst() { try await trio.start(gateway.index) }
                try await body(trio)
            } catch {
                await trio.added.stop()
                throw error
            }
            await trio.added.stop()
        }
    }

    private static func launch(
        _ stack: RunningStack,
        index: Int,
        port: Int,
        admin: Int,
        _ extra: [String: String]
    ) throws -> ChildProcess.Launch {
        let folder = stack.folder + "/gateway-\(index)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return ChildProcess.Launch(
            executable: RunningStack.program("usher-gateway"),
            arguments: [
                "--drain-lead", "0s", "--port", "\(port)", "--admin-port", "\(admin)",
                "--redis", try stack.fact("redis"), "--booking", try stack.fact("booking"),
                "--booking-operations", try stack.fact("booking_operations"), "--keys", try stack.fact("keys"),
                "--admin-token-file", try stack.fact("admin_token_file"), "--rooms-file", folder + "/rooms.json",
                "--arrivals", folder + "/arrivals", "--pages", RunningStack.root + "/Gateway/Pages",
            ],
            environment: environment.merging(extra) { $1 },
            workingDirectory: folder,
            logFile: stack.data + "/logs/usher-gateway-\(index).log"
        )
    }

    // MARK: Processes

    /// Starts an added gateway, also again, and waits until it is ready.
    func start(_ index: Int) async throws {
        guard let launch = gateways[index].launch else { throw StackFault("usher up starts its gateway by itself") }
        await added.set(try ChildProcess.start(launch), index)
        try await waitUntilReady(index)
    }

    func waitUntilReady(_ index: Int) async throws {
        try await eventually("gateway \(index) is ready", within: Self.readyLimit) {
            (try? await Visitor(base: gateways[index].admin).get("/readyz").status) == 200
        }
    }

    func processID(of index: Int) async throws -> pid_t {
        if index == 0 { return try stack.processID(of: "usher-gateway") }
        guard let child = await added.child(index) else { throw StackFault("gateway \(index) does not run") }
        return child.processID
    }

    func signal(_ number: Int32, gateway index: Int) async throws {
        _ = Glibc.kill(try await processID(of: index), number)
    }

    /// Kills a gateway at once and waits until it serves again.
    func restart(_ index: Int) async throws {
        guard index > 0 else {
            try await stack.killAndWaitForNext("usher-gateway")
            return try await waitUntilReady(0)
        }
        await added.child(index)?.stop(signal: SIGKILL)
        try await start(index)
    }

    func kill(_ index: Int) async throws {
        if index == 0 { return try await signal(SIGKILL, gateway: 0) }
        await added.child(index)?.stop(signal: SIGKILL)
    }

    /// The gateway that leads a room, by what each says on its metrics page; nil when not exactly one says so.
    func leader(of room: String, among indices: [Int] = [0, 1, 2]) async -> Int? {
        var leaders: [Int] = []
        for index in indices {
            let page = try? await Visitor(base: gateways[index].admin).get("/metrics").body
            let text = page.map { String(decoding: $0, as: UTF8.self) } ?? ""
            if text.contains("usher_gateway_room_leads{room=\"\(room)\"} 1") { leaders.append(index) }
        }
        return leaders.count == 1 ? leaders[0] : nil
    }

    // MARK: Redis

    /// What `redis-cli` prints.
    @discardableResult
    func redis(_ command: String...) async throws -> String {
        let socket = try stack.fact("redis").replacing("unix://", with: "").prefix { $0 != "?" }
        let file = stack.folder + "/redis-\(UUID().uuidString.prefix(8)).txt"
        let child = try ChildProcess.start(
            .init(executable: "redis-cli", arguments: ["-s", String(socket)] + command, logFile: file)
        )
        guard await child.waitForExit(atMost: .seconds(20)) == .status(0) else {
            throw StackFault("redis-cli \(command) failed")
        }
        return try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// The processes of the gateways beside `usher up`.
private actor AddedGateways {
    private var children: [Int: ChildProcess] = [:]

    func set(_ child: ChildProcess, _ index: Int) { children[index] = child }

    func child(_ index: Int) -> ChildProcess? { children[index] }

    func stop() async {
        for child in children.values { child.signal(SIGCONT) }
        for child in children.values { await child.stop(grace: .seconds(20)) }
    }
}
