import Foundation
import NIOHTTP1
import Testing

/// What a store that was emptied may not do: open a room, or give the same number twice to tokens that count.
@Suite(.serialized) struct LossTests {
    private func admin(_ stack: RunningStack) throws -> Visitor {
        let token = try String(contentsOfFile: stack.data + "/keys/admin.token", encoding: .utf8)
        return Visitor(base: stack.admin)
            .with("Authorization", "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))")
    }

    @Test func `an emptied Redis and a new gateway open no room, and everybody keeps the place they hold`() async throws
    {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let old = try await tour.join()
            let number = try await old.get("/v1/rooms/tour/place").json["place"] as? [String: Any]
            let seats = "/v1/sessions/\(tour.session)/seats"
            #expect(try await tour.stranger.get(seats).status == 403)
            // What the gateway remembers follows within a second.
            try await eventually("the room is remembered", within: .seconds(60)) {
                let text = try? String(contentsOfFile: stack.data + "/rooms.json", encoding: .utf8)
                return text?.contains("\"tour\"") == true && text?.contains("\"number\":0") == false
            }

            let socket = try stack.fact("redis").replacing("unix://", with: "")
            let flushed = try await stack.shell("redis-cli", ["-s", socket, "FLUSHALL"])
            #expect(flushed == 0)
            try await stack.killAndWaitForNext("usher-gateway")
            try await eventually("the new gateway answers", within: .seconds(60)) {
                (try? await tour.stranger.get("/v1/shows").status) == 200
            }
            #expect(try await tour.stranger.get(seats).status == 403)
            let device = tour.stranger.with("Usher-Device", "00112233445566778899aabbccddeeff")
            try await eventually("the room takes visitors again", within: .seconds(60)) {
                try await device.post("/v1/rooms/tour/join").status < 300
            }
            let place = try await old.get("/v1/rooms/tour/place")
            #expect(place.status == 200, "\(place.json)")
            let again = place.json["place"] as? [String: Any]
            #expect(again?["number"] as? Int == number?["number"] as? Int)
        }
    }

    @Test func `a second room cannot take a session away from the first`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let policy: [String: Any] = ["protects": [["session": tour.session]]]
            let refused = try await admin(stack).with("If-None-Match", "*")
                .send(.PUT, "/admin/v1/rooms/aaa", json: policy)
            #expect(refused.status == 422)
            #expect(refused.code == "policy_invalid")
            #expect(refused.text("detail")?.contains("tour") == true)
        }
    }

    @Test func `somebody whose pass has ended is told so and may line up again`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let visitor = try await tour.enter()
            let room = "/v1/rooms/\(Tour.room)"
            #expect(try await visitor.post(room + "/leave").status < 300)
            let late = try await visitor.without("Usher-Pass").post(room + "/claim")
            #expect(late.status == 410)
            #expect(late.code == "place_forfeited")
            let cookies = late.headers["Set-Cookie"]
            #expect(cookies.contains { $0.hasPrefix("usher-place-tour=;") && $0.contains("Max-Age=0") }, "\(cookies)")
            let again = try await visitor.without("Usher-Place").post(room + "/join")
            #expect(again.status == 201, "\(again.json)")
        }
    }
}
