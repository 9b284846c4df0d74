import EdgeHTTP
import Foundation
import Logging
import NIOCore
import Operations
import RateLimiting
import Synchronization
import TestSupport
import Testing

@testable import GatewayServer

struct OverloadTests {
    private static let pass = "Usher-Pass: good"

    /// Method, target, fields, and the first level at which it is refused; nil for never.
    private static let table: [(method: String, target: String, headers: [String], from: OverloadLevel?)] = [
        ("POST", "/v1/rooms/summer/join", [], .joins), ("POST", "/usher/rooms/summer/join", [], .joins),
        ("GET", "/v1/rooms/summer/place", [], .polls), ("GET", "/usher/waiting.css", [], .polls),
        ("GET", "/sessions/ses_a", ["Accept: text/html"], .polls), ("GET", "/v1/sessions/ses_a/seats", [], .polls),
        ("GET", "/v1/rooms/summer/snapshot", [], .reads), ("GET", "/.well-known/jwks.json", [], .reads),
        ("GET", "/v1/shows", [], .reads), ("HEAD", "/v1/sessions/ses_b/seats", [], .reads), ("GET", "/", [], .reads),
        ("POST", "/v1/rooms/summer/claim", [], nil), ("POST", "/v1/rooms/summer/leave", [], nil),
        ("GET", "/v1/sessions/ses_a/seats", [pass], nil), ("GET", "/v1/sessions/ses_a/seats", ["Usher-Pass: old"], nil),
        ("GET", "/sessions/ses_a", [pass], nil), ("POST", "/v1/sessions/ses_a/holds", [pass], nil),
        ("POST", "/v1/sessions/ses_a/orders", [pass], nil), ("POST", "/v1/sessions/ses_b/orders", [], nil),
        ("GET", "/v1/orders/ord_1", [], nil), ("POST", "/v1/orders/ord_1/payments", [], nil),
        ("GET", "/v1/payments/pay_1", [], nil), ("GET", "/v1/tickets", [], nil), ("POST", "/v1/auth/refresh", [], nil),
    ]

    @Test(arguments: OverloadLevel.allCases.filter { $0 != .connections })
    func `at each level just what it gives up is refused, with a time to come back`(_ level: OverloadLevel) async throws
    {
        var setup = EdgeBench.Setup()
        let registry = MetricsRegistry()
        setup.overload = Overload(registry)
        let overload = setup.overload
        try await EdgeBench.with(setup) { edge in
            for action in ["join", "place", "snapshot", "claim", "leave", "jwks.json"] {
                edge.rooms.state.withLock { $0.replies[action] = EdgeReply(status: 200) }
            }
            overload.set(level)
            var refusals = 0
            for row in Self.table {
                let reply = try await edge.ask(row.method, row.target, row.headers)
                let isRefused = reply.body.contains(#""code":"overloaded""#) || (reply.status == 503)
                #expect(isRefused == row.from.map { level >= $0 } ?? false, "\(level) \(row)")
                guard isRefused else { continue }
                refusals += 1
                let seconds = try reply.first("retry-after").flatMap(Int.init).orThrow()
                #expect((5...30).contains(seconds))
                #expect(reply.first("connection") == "close")
            }
            #expect(refusals == Self.table.filter { row in row.from.map { level >= $0 } ?? false }.count)
            #expect(registry.page().contains("usher_overload_level \(Double(level.rawValue))"))
        }
    }

    @Test func `from the first level on connections end after their reply, but for those of buyers`() async throws {
        let setup = EdgeBench.Setup()
        let overload = setup.overload
        try await EdgeBench.with(setup) { edge in
            overload.set(.keepAlives)
            for (headers, ends) in [([], true), ([Self.pass], false)] {
                let client = try await edge.client()
                let lines = ["GET /v1/sessions/ses_a/seats HTTP/1.1", "Host: a"] + headers
                client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                #expect(try await client.reply().first("connection") == (ends ? "close" : nil))
                if ends { try await eventually { client.isClosed } }
                await client.close()
            }
            #expect(try await edge.ask("GET", "/v1/shows").first("connection") == "close")
            overload.set(.normal)
            #expect(try await edge.ask("GET", "/v1/shows").first("connection") == nil)
        }
    }

    @Test func `at the last level nobody new is taken, and those who wait are when it is over`() async throws {
        let setup = EdgeBench.Setup()
        let overload = setup.overload
        try await EdgeBench.with(setup) { edge in
            let buyer = try await edge.client()
            let request = "POST /v1/orders/ord_1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
            buyer.send(request)
            #expect(try await buyer.reply().status == 200)
            overload.set(.connections)
            let waiting = try await edge.client()
            waiting.send("GET /v1/shows HTTP/1.1\r\nHost: a\r\n\r\n")
            // The socket may be taken in the turn that was under way; then its request is refused.
            for _ in 1...3 {
                buyer.send(request)
                #expect(try await buyer.reply().status == 200)
            }
            let later = try await edge.client()
            later.send("GET /v1/shows HTTP/1.1\r\nHost: a\r\n\r\n")
            buyer.send(request)
            #expect(try await buyer.reply().status == 200)
            #expect(later.receivedBytes == 0)
            overload.set(.normal)
            #expect(try await later.reply().status == 200)
            for client in [buyer, waiting, later] { await client.close() }
        }
    }

    // MARK: The measuring

    @Test func `what is measured sets the level, and its changes alone are logged`() async throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineCollector { line in lines.withLock { $0.append(line) } } }
        let script = Mutex([0.1, 0.86, 0.93, 0.93, 0.96])
        let registry = MetricsRegistry()
        let overload = Overload(registry)
        let seen = Mutex<[OverloadLevel]>([])
        overload.watch { level in seen.withLock { $0.append(level) } }
        let watch = OverloadWatch(
            overload,
            thresholds: OverloadPolicy.Thresholds(),
            interval: .milliseconds(1),
            metrics: registry,
            logger: logger
        ) {
            let memory = script.withLock { $0.isEmpty ? 0.1 : $0.removeFirst() }
            return OverloadPolicy.Measurement(lagMS: 0, memory: memory)
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await watch.run() }
            try await eventually { overload.level == .normal && seen.withLock { $0.count } > 3 }
            tasks.cancelAll()
        }
        let expected: [OverloadLevel] = [
            .normal, .keepAlives, .polls, .connections, .reads, .polls, .joins, .keepAlives, .normal,
        ]
        #expect(seen.withLock { $0 } == expected)
        #expect(lines.withLock { $0.count } == expected.count - 1)
    }

    @Test func `a loop that works on one thing for long is late, one that is kept from working is not`() async throws {
        let loop = MultiThreadedLoops.any
        let pulse = LoopPulse()
        pulse.begin(on: loop)
        let isHeld = Mutex(true)
        loop.execute { while isHeld.withLock({ $0 }) {} }
        try await eventually { pulse.lagMS() > 100 }
        isHeld.withLock { $0 = false }
        try await eventually { pulse.lagMS() < 100 }
        let isAsleep = Mutex(false)
        loop.execute {
            isAsleep.withLock { $0 = true }
            usleep(300_000)
            isAsleep.withLock { $0 = false }
        }
        try await eventually { isAsleep.withLock { $0 } }
        var lags: [Double] = []
        while isAsleep.withLock({ $0 }) { lags.append(pulse.lagMS()) }
        #expect(lags.max() ?? 0 < 100)
    }

    @Test func `memory is measured, and its bound is that of the control group`() throws {
        #expect(ProcessMemory.residentBytes() > 1 << 20)
        let root = FileManager.default.temporaryDirectory.appending(path: "usher-groups-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: root) }
        func write(_ path: String, _ text: String) throws {
            let folder = URL(filePath: root + "/" + path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: root + "/" + path))
        }
        try write("own2", "0::/a/b\n")
        try write("own1", "3:cpu:/x\n5:memory:/x\n")
        try write("a/memory.max", "1000\n")
        try write("a/b/memory.max", "max\n")
        try write("memory/x/memory.limit_in_bytes", "2000\n")
        try write("memory/memory.limit_in_bytes", "9223372036854771712\n")
        func bytesMax(_ own: String, physical: Int) -> Int {
            ProcessMemory.bytesMax(groups: root, ownGroup: root + "/" + own, physicalBytes: physical)
        }
        #expect(bytesMax("own2", physical: 8000) == 1000)
        #expect(bytesMax("own1", physical: 8000) == 2000)
        #expect(bytesMax("own2", physical: 400) == 300)
        #expect(bytesMax("none", physical: 8000) == 6000)
    }
}

private struct LineCollector: LogHandler {
    let take: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ take: @escaping @Sendable (String) -> Void) {
        self.take = take
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { take("\(event.message)") }
}
