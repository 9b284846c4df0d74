import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Ordering
import UsherAPI

/// The few calls of the gateway's admin API that the demo makes.
struct GatewayAdmin: Sendable {
    let plan: StackPlan

    private static let replyMax = 1 << 20
    private static let timeout = TimeAmount.seconds(10)

    /// Makes the room, or leaves it as it is when it exists.
    func createRoom(_ room: String, policy: String) async throws {
        var request = HTTPClientRequest(url: plan.admin + "/admin/v1/rooms/\(room)")
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

    /// Whether booking sells the session through the room.
    func isOpen(_ session: SessionID, room: String) async -> Bool {
        let report = await get(plan.bookingOperations + Path.admission("\(session)"))
        guard report?.status == 200, let reply = await get(plan.booking + Path.session("\(session)")),
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
        let text = try String(contentsOfFile: plan.adminTokenFile, encoding: .utf8)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Policies of the demo's rooms.
enum DemoRoom {
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
