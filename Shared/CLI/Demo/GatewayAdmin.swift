import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Ordering
import UsherAPI

/// The few calls of the gateway's admin API that the demo makes.
struct GatewayAdmin: Sendable {
    private let admin: String
    private let tokenFile: String
    private let booking: String
    private let bookingOperations: String

    private static let replyMax = 1 << 20
    private static let timeout = TimeAmount.seconds(10)
    private static let openLimit = Duration.seconds(30)

    init(plan: StackPlan) {
        (admin, tokenFile) = (plan.admin, plan.adminTokenFile)
        (booking, bookingOperations) = (plan.booking, plan.bookingOperations)
    }

    init(_ facts: RunningUsher.Facts) {
        (admin, tokenFile) = (facts.admin, facts.adminTokenFile)
        (booking, bookingOperations) = (facts.booking, facts.bookingOperations)
    }

    /// Makes the room, or leaves it as it is when it exists.
    func createRoom(_ room: String, policy: String) async throws {
        var request = HTTPClientRequest(url: admin + "/admin/v1/rooms/\(room)")
        request.method = .PUT
        request.headers.add(name: "Authorization", value: "Bearer \(try token())")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "If-None-Match", value: "*")
        request.body = .bytes(ByteBuffer(string: policy))
        let reply = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
        let body = try await reply.body.collect(upTo: Self.replyMax)
        guard reply.status.code < 300 || reply.status.code == 412 else {
            throw UpFault("room \(room) was not made: \(reply.status.code) \(String(buffer: body))")
        }
    }

    /// Passes of the room carry this number.
    func generation(of room: String) async throws -> Int64 {
        var request = HTTPClientRequest(url: admin + "/admin/v1/rooms/\(room)")
        request.headers.add(name: "Authorization", value: "Bearer \(try token())")
        let reply = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
        let body = try await reply.body.collect(upTo: Self.replyMax)
        struct Room: Decodable { var generation: Int64 }
        guard reply.status.code == 200,
            let found = try? JSONDecoder().decode(Room.self, from: Data(body.readableBytesView))
        else {
            throw UpFault("there is no room \(room): \(reply.status.code) \(String(buffer: body))")
        }
        return found.generation
    }

    /// Waits until booking sells the session.
    func waitUntilOpen(_ session: SessionID, room: String?) async throws {
        let deadline = ContinuousClock.now + Self.openLimit
        while await !isOpen(session, room: room) {
            guard ContinuousClock.now < deadline else {
                throw UpFault("session \(session) was not on sale within \(Self.openLimit)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Whether booking sells the session through the room, or without one.
    func isOpen(_ session: SessionID, room: String?) async -> Bool {
        let report = await get(bookingOperations + Path.admission("\(session)"))
        guard report?.status == 200, let reply = await get(booking + Path.session("\(session)")),
            let decoded = try? JSONDecoder().decode(SessionReply.self, from: reply.body)
        else { return false }
        return decoded.room == room
    }

    private func get(_ url: String) async -> (status: UInt, body: Data)? {
        guard let reply = try? await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: Self.timeout),
            let body = try? await reply.body.collect(upTo: Self.replyMax)
        else { return nil }
        return (reply.status.code, Data(body.readableBytesView))
    }

    private func token() throws -> String {
        let text = try String(contentsOfFile: tokenFile, encoding: .utf8)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Policies of the demo's rooms.
enum DemoRoom {
    /// A room for load runs, whose buyers bring their passes along.
    static func policy(protecting sessions: [SessionID]) -> String {
        let protected = sessions.map { "{\"session\": \"\($0)\"}" }.joined(separator: ", ")
        return """
            {"order": {"method": "first_come"},
             "admission": {"per_minute": 6000, "active_max": 100000, "ramp_seconds": 0, "adaptive": true},
             "identity": "device",
             "protects": [\(protected)]}
            """
    }

    static func policy(perMinute: Int, activeMax: Int, session: SessionID) -> String {
        """
        {"order": {"method": "first_come"},
         "admission": {"per_minute": \(perMinute), "active_max": \(activeMax), "ramp_seconds": 0, "adaptive": true},
         "claim": {"window_seconds": 120, "grace_seconds": 300},
         "pass": {"idle_seconds": 120, "lifetime_seconds": 900},
         "identity": "device",
         "protects": [{"session": "\(session)"}]}
        """
    }
}
