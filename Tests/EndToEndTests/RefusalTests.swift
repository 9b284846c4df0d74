import Foundation
import NIOHTTP1
import QueueTokens
import Signing
import Testing

/// What a stranger, a cheat or a clumsy client gets: the documented status and body, each time.
@Suite(.serialized) struct RefusalTests {
    @Test func `everything that is not allowed gets its documented answer`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            try await withoutPass(tour, buyer)
            try await wrongTokens(stack, tour, buyer)
            try await otherPeoplesThings(tour, buyer)
            try await badRequests(tour, buyer)
            try await adminPort(stack)
        }
    }

    private func expect(
        _ reply: Visitor.Reply,
        _ status: Int,
        _ code: String,
        _ what: String,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(reply.status == status, "\(what): \(reply.status) \(reply.json)", sourceLocation: location)
        #expect(reply.code == code, "\(what): \(reply.json)", sourceLocation: location)
        let type = reply.headers["Content-Type"].first ?? ""
        #expect(type.hasPrefix("application/problem+json"), "\(what): \(type)", sourceLocation: location)
    }

    private func withoutPass(_ tour: Tour, _ buyer: Visitor) async throws {
        let bare = buyer.without("Usher-Pass")
        let reply = try await tour.hold(["MAIN-H-1"], by: bare)
        expect(reply, 403, "pass_required", "a hold without pass")
        #expect(reply.headers["Link"].first?.contains("rel=\"waiting-room\"") == true)
        for name in ["Usher-Client-Address", "Usher-Request-Id", "Usher-Secret"] {
            let forged = bare.with(name, "forged").with("Usher-Pass", "forged")
            expect(try await tour.hold(["MAIN-H-1"], by: forged), 401, "token_invalid", "forged \(name)")
        }
        let page = try await tour.stranger.with("Accept", "text/html").get("/sessions/\(tour.session)")
        #expect(page.status == 200)
        #expect(page.headers["Cache-Control"].first?.contains("no-store") == true)
        #expect(String(decoding: page.body, as: UTF8.self).contains("<html"))
    }

    private func wrongTokens(_ stack: RunningStack, _ tour: Tour, _ buyer: Visitor) async throws {
        let place = try #require(buyer.headers["Usher-Place"].first)
        let pass = try #require(buyer.headers["Usher-Pass"].first)
        let keys = try KeyRing.load(from: stack.data + "/keys", name: .pass)
        let now = Int64(Date().timeIntervalSince1970)
        func made(room: String, issued: Int64, expires: Int64) throws -> String {
            try keys.sign(
                PassToken(
                    room: room,
                    passID: TokenID.random(),
                    subject: "somebody",
                    account: nil,
                    place: 1,
                    endsAt: expires,
                    generation: 1,
                    tokenID: TokenID.random(),
                    issuedAt: issued,
                    expiresAt: expires
                )
            )
        }
        let cases: [(what: String, pass: String)] = [
            ("a place instead of a pass", place),
            ("a pass with one letter changed", String(pass.dropLast(3)) + "AAA"),
            ("a pass of another room", try made(room: "other", issued: now, expires: now + 300)),
            ("no token at all", "x.y.z"),
        ]
        for (what, token) in cases {
            let reply = try await tour.hold(["MAIN-H-2"], by: buyer.with("Usher-Pass", token))
            expect(reply, 401, "token_invalid", what)
        }
        let old = try made(room: Tour.room, issued: now - 1000, expires: now - 500)
        let expired = try await tour.hold(["MAIN-H-2"], by: buyer.with("Usher-Pass", old))
        expect(expired, 403, "pass_expired", "an expired pass")

        let room = "/v1/rooms/\(Tour.room)"
        expect(
            try await buyer.without("Usher-Place").get(room + "/place"),
            401,
            "unauthenticated",
            "a poll without place"
        )
        expect(
            try await buyer.with("Usher-Place", pass).get(room + "/place"),
            401,
            "token_invalid",
            "a poll with a pass as place"
        )
        expect(try await buyer.get("/v1/rooms/nowhere/place"), 404, "not_found", "an unknown room")
        expect(
            try await buyer.without("Usher-Device").post(room + "/join"),
            400,
            "device_required",
            "a join without device"
        )
    }

    private func otherPeoplesThings(_ tour: Tour, _ buyer: Visitor) async throws {
        let hold = try await tour.hold(["MAIN-J-1"], by: buyer)
        let holdID = try #require(hold.text("id"))
        let other = try await tour.register(buyer.without("Authorization"))
        expect(try await tour.hold(["MAIN-J-2"], by: other), 403, "pass_bound", "a pass used by another account")

        let stranger = try await tour.buyer()
        expect(try await tour.order(hold: holdID, by: stranger), 410, "hold_lost", "somebody else's hold")
        let order = try await tour.order(hold: holdID, by: buyer)
        let path = "/v1/orders/\(try #require(order.text("id")))"
        expect(try await stranger.get(path), 404, "not_found", "somebody else's order")
        for (way, body) in [
            ("/cancel", nil), ("/payments", ["payment_method": "pm_card_visa"]), ("/refunds", [:]),
        ] as [(String, [String: String]?)] {
            expect(try await tour.post(path + way, body, by: stranger), 404, "not_found", "somebody else's \(way)")
            expect(try await stranger.post(path + way, body), 400, "idempotency_key_missing", "no key for \(way)")
        }
        expect(try await stranger.get(path + "/events"), 404, "not_found", "watching somebody else's order")
        expect(try await stranger.without("Authorization").get(path), 401, "unauthenticated", "no account")
        expect(
            try await stranger.with("Authorization", "Bearer nonsense").get(path),
            401,
            "token_invalid",
            "a forged account token"
        )
    }

    private func badRequests(_ tour: Tour, _ buyer: Visitor) async throws {
        let holds = "/v1/sessions/\(tour.session)/holds"
        expect(try await tour.hold([], by: buyer), 400, "validation_failed", "no seats")
        expect(try await tour.hold(["NO-SUCH-1"], by: buyer), 400, "validation_failed", "an unknown seat")
        expect(try await tour.hold(["MAIN-K-1", "MAIN-K-1"], by: buyer), 400, "validation_failed", "a seat twice")
        expect(try await buyer.post(holds, ["seats": "MAIN-K-1"]), 400, "validation_failed", "a wrong type")
        let orders = "/v1/sessions/\(tour.session)/orders"
        expect(try await buyer.post(orders, ["seats": ["MAIN-K-1"]]), 400, "idempotency_key_missing", "no key")
        let keyed = buyer.with("Idempotency-Key", "one-key")
        let order = try await keyed.post(orders, ["seats": ["MAIN-K-1"]])
        #expect(order.status == 201)
        let payments = "/v1/orders/\(try #require(order.text("id")))/payments"
        let odd = try await tour.post(payments, ["payment_method": "pm\u{0}"], by: buyer)
        expect(odd, 400, "validation_failed", "a NUL")
        expect(
            try await buyer.post("/v1/auth/login", ["email": "a\u{0}b@example.org", "password": "wrong password"]),
            401,
            "wrong_credentials",
            "a NUL in an address"
        )
        expect(try await keyed.post(orders, ["seats": ["MAIN-K-2"]]), 422, "idempotency_key_reused", "a reused key")
        expect(
            try await buyer.post("/v1/auth/login", ["email": "nobody@example.org", "password": "wrong password"]),
            401,
            "wrong_credentials",
            "a wrong password"
        )
        expect(try await buyer.get("/v1/nothing"), 404, "not_found", "an unknown path")
        expect(try await buyer.get("/internal/v1/sessions/\(tour.session)/admission"), 404, "not_found", "internals")
        expect(try await buyer.get("/v1/admin/orders"), 404, "not_found", "the admin API on the visitors' port")
    }

    private func adminPort(_ stack: RunningStack) async throws {
        let admin = Visitor(base: stack.admin)
        #expect(try await admin.get("/admin/v1/rooms").status == 401)
        #expect(try await admin.with("Authorization", "Bearer wrong").get("/admin/v1/rooms").status == 401)
        let token = try String(contentsOfFile: stack.data + "/keys/admin.token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try await admin.with("Authorization", "Bearer \(token)").get("/admin/v1/rooms").status == 200)
    }
}
