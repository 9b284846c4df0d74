// Gateways without sockets on a real Redis: requests go straight to the rooms of an event loop.
import EdgeHTTP
import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import QueueTokens
import Queueing
import RateLimiting
import Redis
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

/// Booking's admission report, as a test wants it to be.
final class ScriptedReports: AdmissionReports {
    private let state = Mutex<AdmissionReport?>(nil)
    private let failure = Mutex<any Error>(Away())

    init(seats: Int) { set(seats: seats) }

    func set(seats: Int, held: Int = 0, pending: Int = 0) {
        state.withLock {
            $0 = AdmissionReport(
                state: "on_sale",
                free: seats,
                held: held,
                pending: pending,
                holdP99MS: 1,
                sagaBacklog: 0,
                paymentErrorRate: 0,
                asOf: "2026-01-01T00:00:00.000Z"
            )
        }
    }

    func fail(_ error: any Error = Away()) {
        failure.withLock { $0 = error }
        state.withLock { $0 = nil }
    }

    struct Away: Error {}

    func report(session: String) async throws -> AdmissionReport {
        guard let report = state.withLock({ $0 }) else { throw failure.withLock { $0 } }
        return report
    }
}

struct GatewayNode: Sendable {
    static let session = "ses_01jc3k4m5n6p7q8r9stvwxyz01"

    let group: MultiThreadedEventLoopGroup
    let redis: RedisClient
    let rooms: Rooms
    let keys: GatewayKeys
    let store: RoomStore
    let metrics: MetricsRegistry
    let challenger: Challenger
    let limits: Limits
    let logs: RoomLogs
    let leases: RoomLeases

    func send(
        _ method: EdgeMethod,
        _ path: String,
        _ headers: EdgeHeaders = [:],
        body: String = "",
        from address: UInt32 = 0x7F00_0001,
        isSecure: Bool = false
    ) async throws -> EdgeReply {
        let loop = group.next()
        let head = EdgeRequestHead(method: method, target: path, headers: headers, isSecure: isSecure)
        let request = EdgeRequest(
            head: head,
            body: ByteBuffer(string: body),
            clientAddress: ClientAddress(ipv4: address),
            id: .none
        )
        return try await loop.flatSubmit { [rooms] in
            switch rooms.on(loop).answer(request) {
            case .now(let reply): loop.makeSucceededFuture(reply)
            case .later(let future): future
            case .soon(let begin): Self.future(of: begin, on: loop)
            }
        }.get()
    }

    private static func future(
        of begin: (@escaping (EdgeReply) -> Void) -> Void,
        on loop: any EventLoop
    ) -> EventLoopFuture<EdgeReply> {
        let promise = loop.makePromise(of: EdgeReply.self)
        begin { promise.succeed($0) }
        return promise.futureResult
    }

    func join(_ room: String = "sale", device: Int) async throws -> (reply: EdgeReply, body: JoinReply) {
        let reply = try await send(.post, Path.room(room, "join"), ["Usher-Device": Self.device(device)])
        return (reply, try reply.decoded(JoinReply.self))
    }

    static func device(_ number: Int) -> String {
        let digits = String(number)
        return "device" + String(repeating: "0", count: 20 - digits.count) + digits
    }

    func place(_ token: String, room: String = "sale", pass: String? = nil) async throws -> PlaceReply {
        var headers: EdgeHeaders = ["Usher-Place": token]
        if let pass { headers.add("Usher-Pass", pass) }
        return try await send(.get, Path.room(room, "place"), headers).decoded(PlaceReply.self)
    }

    func claim(_ token: String, room: String = "sale") async throws -> EdgeReply {
        try await send(.post, Path.room(room, "claim"), ["Usher-Place": token])
    }

    /// Claims until the answer is not 202.
    func claimInTheEnd(_ token: String, within limit: Duration = .seconds(60)) async throws -> EdgeReply {
        var last = try await claim(token)
        try await eventually(within: limit) {
            if last.status == 202 { last = try await claim(token) }
            return last.status != 202
        }
        return last
    }

    func passToken(_ token: String) async throws -> String {
        try await claimInTheEnd(token).decoded(ClaimReply.self).pass.token
    }

    /// What the pass check says, with a renewal waited for.
    func verdict(
        _ headers: EdgeHeaders,
        path: String = "/v1/sessions/\(session)/seats",
        from address: UInt32 = 0x7F00_0001
    ) async throws -> Verdict {
        let loop = group.next()
        return try await loop.flatSubmit { [rooms] () -> EventLoopFuture<Verdict> in
            let here = rooms.on(loop)
            let head = EdgeRequestHead(method: .get, target: path, headers: headers)
            guard let room = here.protectedRoom(forPath: head.path) else { return loop.makeSucceededFuture(.open) }
            switch here.passVerdict(for: head, from: ClientAddress(ipv4: address), room: room) {
            case .refused(let code): return loop.makeSucceededFuture(.refused(code))
            case .granted(let pass): return loop.makeSucceededFuture(.granted(id: pass.id))
            case .renewing(let pass, let renewal):
                return renewal.map { $0.map { .renewed(id: pass.id, token: $0.token) } ?? .granted(id: pass.id) }
            }
        }.get()
    }

    enum Verdict: Equatable {
        case open
        case refused(ProblemCode)
        case granted(id: String)
        case renewed(id: String, token: String)
    }

    func command(_ command: String, pass: GrantedPass) async throws {
        let loop = group.next()
        try await loop.submit { [rooms] in rooms.on(loop).carryOut(command: command, for: pass) }.get()
    }

    // MARK: Rooms

    static func policy(
        perMinute: Int = 6000,
        activeMax: Int = 1000,
        burst: Int? = nil,
        window: Int = 120,
        grace: Int = 300,
        idle: Int = 300,
        lifetime: Int = 900,
        identity: String = "device",
        schedule: String = "{}",
        challenge: String = "{}",
        order: String = "{}"
    ) throws -> RoomPolicy {
        let text = """
            {"admission":{"per_minute":\(perMinute),"active_max":\(activeMax),"burst":\(burst.map(String.init) ?? "null"),
            "ramp_seconds":0},"claim":{"window_seconds":\(window),"grace_seconds":\(grace)},
            "pass":{"idle_seconds":\(idle),"lifetime_seconds":\(lifetime)},"identity":"\(identity)","schedule":\(schedule),"challenge":\(challenge),
            "order":\(order),
            "protects":[{"session":"\(session)"}]}
            """
        return try RoomPolicy(json: Array(text.utf8))
    }

    func open(_ policy: RoomPolicy, room: String = "sale", phase: Phase = .active) async throws {
        let name = try #require(RoomName(room))
        #expect(try await store.create(name, policy, phase: phase, generation: 1))
        try await sees(room) { $0.phase == phase }
    }

    func change(_ policy: RoomPolicy, room: String = "sale", version: Int) async throws {
        let name = try #require(RoomName(room))
        #expect(try await store.update(name, policy, version: version) == .done(version: version + 1))
        try await sees(room) { $0.version > version }
    }

    /// Waits until the view of every loop shows a room as wanted.
    func sees(_ room: String = "sale", _ fact: @escaping @Sendable (RoomSnapshot) -> Bool) async throws {
        for loop in group.makeIterator() {
            try await eventually {
                try await loop.submit { [rooms] in
                    rooms.on(loop).view.rooms[room].map { fact($0.snapshot) } ?? false
                }.get()
            }
        }
    }
}

extension EdgeReply {
    func decoded<Message: Decodable>(_ type: Message.Type) throws -> Message {
        try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    func problem() throws -> ProblemCode { try decoded(Problem.self).code }
}

func ephemeralKeys() throws -> GatewayKeys {
    GatewayKeys(
        places: try KeyRing.ephemeral(.place),
        passes: try KeyRing.ephemeral(.pass),
        logs: try KeyRing.ephemeral(.log)
    )
}

/// Runs a gateway's services beside `body`; a tick of zero leads nothing.
@discardableResult
func withGateway<Outcome: Sendable>(
    on server: TemporaryRedis,
    keys: GatewayKeys? = nil,
    captcha: (any CaptchaCheck)? = nil,
    entryIssuer: String? = nil,
    tick: Duration? = .milliseconds(50),
    limits plan: LimitPlan = LimitPlan(rules: []),
    reports: any AdmissionReports = ScriptedReports(seats: 1_000_000),
    checkpointFile: String? = nil,
    beaconChain: BeaconChain = .quicknet,
    _ body: @Sendable (GatewayNode) async throws -> Outcome
) async throws -> Outcome {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var configuration = try server.configuration()
    configuration.connectionCount = 2
    configuration.callDeadline = .milliseconds(500)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let redis = RedisClient(configuration: configuration, eventLoopGroup: group, logger: logger)
    let keys = try keys ?? ephemeralKeys()
    let metrics = MetricsRegistry()
    let counters = RoomCounters(metrics)
    let challenger = Challenger(
        metrics,
        captcha: captcha,
        captchaSite: captcha.map { _ in CaptchaSite(key: "site", widget: .turnstile, script: nil, origins: []) },
        entryIssuer: entryIssuer
    )
    let logs = RoomLogs()
    let leases = RoomLeases()
    let supplies = RoomSupplies(
        redis: redis,
        keys: keys,
        counters: counters,
        challenger: challenger,
        logs: logs,
        beaconChain: beaconChain
    )
    let rooms = try await Rooms.make(on: group, supplies: supplies)
    let puller = try SnapshotPuller(
        redis: redis,
        rooms: rooms,
        interval: .milliseconds(25),
        checkpointFile: checkpointFile,
        counters: counters,
        gauges: RoomGauges(metrics),
        challenger: challenger,
        gave: supplies.memory,
        logger: logger
    )
    let limits = Limits(plan, seed: 1, counters: LimitCounters(metrics, plan))
    let keeper = AccessKeeper(
        redis: redis,
        rooms: rooms,
        limits: limits,
        interval: .milliseconds(25),
        gauges: AccessGauges(metrics),
        logger: logger
    )
    let node = GatewayNode(
        group: group,
        redis: redis,
        rooms: rooms,
        keys: keys,
        store: RoomStore(redis: redis),
        metrics: metrics,
        challenger: challenger,
        limits: limits,
        logs: logs,
        leases: leases
    )
    let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { tasks in
        tasks.addTask {
            try await redis.run()
            return nil
        }
        tasks.addTask {
            try await puller.run()
            return nil
        }
        tasks.addTask {
            try await keeper.run()
            return nil
        }
        if let tick {
            let ticker = AdmissionTicker(
                redis: redis,
                rooms: rooms,
                reports: reports,
                gauges: EstimateGauges(metrics),
                interval: tick,
                leases: leases,
                logger: logger
            )
            tasks.addTask {
                try await ticker.run()
                return nil
            }
        }
        defer { tasks.cancelAll() }
        try await eventually { rooms.view.isKnown && rooms.view.access.isKnown }
        return try await body(node)
    }
    try await group.shutdownGracefully()
    return outcome
}
