import Foundation
import NIOHTTP1
import Synchronization
import Testing

/// A stack whose booking service ends at the point that is written in a file, and buyers who ask until they are answered.
final class CrashWalk: Sendable {
    /// How often a flow is walked before its point counts as one that nobody passes.
    static let roundsMax = 3
    static let patience = Duration.seconds(60)
    /// After a flow has ended: what it passes in the background.
    static let aftermath = Duration.seconds(15)

    let stack: RunningStack
    let bank: Bank
    let staff: Visitor
    private let file: String
    /// Sessions without a room that nobody has called off. Those of the last cost nothing.
    private let sessions: Mutex<[String]>

    init(_ stack: RunningStack, file: String) async throws {
        self.stack = stack
        self.file = file
        bank = try Bank(stack)
        staff = try await stack.staff()
        let list = try await stack.booking.get("/v1/sessions").json["data"] as? [[String: Any]] ?? []
        sessions = Mutex(list.filter { $0["room"] as? String == nil }.compactMap { $0["id"] as? String }.sorted())
        try await stack.sql(
            """
            UPDATE session_section SET price_minor = 0
            WHERE session_id = (SELECT id FROM session ORDER BY id DESC LIMIT 1)
            """
        )
        // Prices are read once.
        try await stack.killAndWaitForNext("usher-booking")
    }

    var openSession: String { sessions.withLock { $0.first ?? "" } }
    var freeSession: String { sessions.withLock { $0.last ?? "" } }

    /// A session that no other flow uses any more.
    func sessionToCallOff() throws -> String {
        try sessions.withLock { sessions in
            guard sessions.count > 2 else { throw StackFault("no session is left to call off") }
            return sessions.remove(at: 1)
        }
    }

    func arm(_ point: String) throws {
        try Data(point.utf8).write(to: URL(filePath: file), options: .atomic)
    }

    var isArmed: Bool { FileManager.default.fileExists(atPath: file) }

    /// Walks the flow that passes a point, with a crash there, and waits until it has ended as it should all the same.
    func cross(_ point: String, _ flow: (CrashFlow) async throws -> CrashFlow.End) async throws {
        for _ in 0..<Self.roundsMax {
            let end = try await flow(try await CrashFlow(walk: self, point: point))
            try await eventually("\(point): the flow ends rightly", within: Self.patience) {
                (try? await end()) == true
            }
            try? await eventually("\(point) is passed", within: Self.aftermath) { !isArmed }
            guard !isArmed else { continue }
            try await eventually("\(point): it has ended rightly after the crash", within: Self.patience) {
                (try? await end()) == true
            }
            return
        }
        throw StackFault("nobody passes \(point)")
    }

    /// The same request until it is answered: not while booking is away, nor while its first try is under way.
    @discardableResult
    func insist(_ method: HTTPMethod, _ path: String, _ json: Any? = nil, by visitor: Visitor) async throws
        -> Visitor.Reply
    {
        let keyed = visitor.with("Idempotency-Key", UUID().uuidString)
        let deadline = ContinuousClock.now + Self.patience
        var last = "no answer"
        while ContinuousClock.now < deadline {
            if let reply = try? await keyed.send(method, path, json: json) {
                if reply.status < 500, reply.code != "request_in_progress" { return reply }
                last = "\(reply.status) \(reply.json)"
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw StackFault("\(method) \(path) had no answer in \(Self.patience): \(last)")
    }
}

/// A walk over every point of the source, shared by stacks that run side by side.
final class CrashPoints: Sendable {
    private let left: Mutex<[String]>

    init(_ names: [String]) { left = Mutex(names.reversed()) }

    func next() -> String? { left.withLock { $0.popLast() } }
}
