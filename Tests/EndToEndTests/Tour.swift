import Foundation
import NIOHTTP1
import Testing

/// The way of one buyer through the demo's tour room, step by step, as the README walks it.
struct Tour: Sendable {
    let stack: RunningStack
    let session: String
    static let room = "tour"

    init(_ stack: RunningStack) async throws {
        self.stack = stack
        let list = try await Visitor(base: stack.gateway).get("/v1/sessions")
        let sessions = list.json["data"] as? [[String: Any]] ?? []
        let found = sessions.first { $0["room"] as? String == Self.room }
        session = try #require(found?["id"] as? String)
    }

    var stranger: Visitor { Visitor(base: stack.gateway) }

    /// Joins the room with a device of its own; the visitor with its place.
    func join() async throws -> Visitor {
        let device = (0..<16).map { _ in String(format: "%02x", UInt8.random(in: .min ... .max)) }.joined()
        let visitor = stranger.with("Usher-Device", device)
        let reply = try await visitor.post("/v1/rooms/\(Self.room)/join")
        #expect(reply.status == 201, "\(reply.json)")
        return visitor.with("Usher-Place", try #require(reply.text("token")))
    }

    /// Polls until called, then claims; the visitor with its pass.
    func enter() async throws -> Visitor {
        let visitor = try await join()
        var pass: String?
        try await eventually("a place of the tour is let in", within: .seconds(60)) {
            let reply = try await visitor.post("/v1/rooms/\(Self.room)/claim")
            pass = reply.text("pass.token")
            return reply.status == 200
        }
        return visitor.with("Usher-Pass", try #require(pass))
    }

    /// A new account; the visitor with its token.
    func register(_ visitor: Visitor) async throws -> Visitor {
        let email = "e2e-\(UUID().uuidString.lowercased())@example.org"
        let reply = try await visitor.post("/v1/auth/register", ["email": email, "password": "correct horse"])
        #expect(reply.status == 201, "\(reply.json)")
        return visitor.with("Authorization", "Bearer \(try #require(reply.text("access_token")))")
    }

    func buyer() async throws -> Visitor {
        try await register(try await enter())
    }

    func hold(_ seats: [String], by buyer: Visitor) async throws -> Visitor.Reply {
        try await buyer.post("/v1/sessions/\(session)/holds", ["seats": seats])
    }

    func order(hold: String, by buyer: Visitor, key: String = UUID().uuidString) async throws -> Visitor.Reply {
        try await buyer.with("Idempotency-Key", key).post("/v1/sessions/\(session)/orders", ["hold_id": hold])
    }

    func pay(
        _ order: String,
        with method: String? = "pm_card_visa",
        by buyer: Visitor,
        key: String = UUID().uuidString
    ) async throws -> Visitor.Reply {
        let body = method.map { ["payment_method": $0] } ?? [:]
        return try await buyer.with("Idempotency-Key", key).post("/v1/orders/\(order)/payments", body)
    }

    /// POST with a key of its own.
    func post(_ path: String, _ json: Any? = nil, by buyer: Visitor, key: String = UUID().uuidString)
        async throws -> Visitor.Reply
    {
        try await buyer.with("Idempotency-Key", key).post(path, json)
    }

    /// Hold and order in one go; the order's id.
    func ordered(_ seats: [String], by buyer: Visitor) async throws -> String {
        let path = "/v1/sessions/\(session)/orders"
        let reply = try await post(path, ["seats": seats], by: buyer)
        #expect(reply.status == 201, "\(reply.json)")
        return try #require(reply.text("id"))
    }
}
