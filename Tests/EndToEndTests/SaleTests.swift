import Foundation
import NIOHTTP1
import Testing

/// Whole sales under load, undisturbed and with processes killed in the middle.
@Suite(.serialized) struct SaleTests {
    /// A room for one demo session and prepared buyers; the arguments of a load run against them.
    private func prepare(
        _ stack: RunningStack,
        visitors: Int,
        perMinute: Int,
        activeMax: Int
    ) async throws -> (session: String, arguments: [String]) {
        let list = try await Visitor(base: stack.gateway).get("/v1/sessions")
        let sessions = list.json["data"] as? [[String: Any]] ?? []
        let session = try #require(sessions.last?["id"] as? String)
        let token = try String(contentsOfFile: stack.data + "/keys/admin.token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let policy: [String: Any] = [
            "order": ["method": "first_come"],
            "admission": ["per_minute": perMinute, "active_max": activeMax, "ramp_seconds": 0],
            "pass": ["idle_seconds": 60, "lifetime_seconds": 600],
            "protects": [["session": session]],
        ]
        let made = try await Visitor(base: stack.admin).with("Authorization", "Bearer \(token)")
            .with("If-None-Match", "*").send(.PUT, "/admin/v1/rooms/sale", json: policy)
        #expect(made.status == 201, "\(made.json)")
        let tokens = stack.folder + "/tokens.jsonl"
        let accounts = try await stack.run(
            "usher",
            ["demo", "accounts", "--count", "\(visitors)", "--tokens", tokens, "--data", stack.data]
        )
        #expect(accounts.status == 0, "\(accounts.output)")
        return (
            session,
            [
                "on-sale", "--url", stack.gateway, "--room", "sale", "--session", session, "--visitors", "\(visitors)",
                "--arrive-within", "3", "--tokens", tokens, "--json", stack.folder + "/sale.json",
            ]
        )
    }

    @Test func `a crowd sells a session out, each seat once, and everybody else is told`() async throws {
        try await RunningStack.with { stack in
            let sale = try await prepare(stack, visitors: 600, perMinute: 3000, activeMax: 200)
            let result = try await stack.run("usher-loadtest", sale.arguments)
            #expect(result.status == 0, "the load test saw a broken promise:\n\(result.output)")
            let map = try await Visitor(base: "http://127.0.0.1:\(stack.bookingPort)")
                .get("/v1/sessions/\(sale.session)/seats")
            #expect(map.number("free") == 0)
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `passes never exceed pace and cap`() async throws {
        try await RunningStack.with { stack in
            let sale = try await prepare(stack, visitors: 120, perMinute: 600, activeMax: 20)
            let result = try await stack.run("usher-loadtest", sale.arguments)
            #expect(result.status == 0, "the load test saw a broken promise:\n\(result.output)")
            try await stack.expectCheckIsClean()
        }
    }

    @Test(arguments: ["usher-booking", "usher-gateway", "redis", "postgresql", "usher-mock-payments"])
    func `a process killed in the middle of a sale loses nothing`(process: String) async throws {
        try await RunningStack.with { stack in
            let sale = try await prepare(stack, visitors: 200, perMinute: 3000, activeMax: 150)
            async let load = stack.run("usher-loadtest", sale.arguments)
            let seats = "/v1/sessions/\(sale.session)/seats"
            let booking = Visitor(base: "http://127.0.0.1:\(stack.bookingPort)")
            try await eventually("the sale is under way", within: .seconds(60)) {
                let free = try? await booking.get(seats).number("free")
                return (free ?? 400) < 360
            }
            try await stack.killAndWaitForNext(process)
            let result = try await load
            #expect(result.status == 0, "the load test saw a broken promise:\n\(result.output)")
            try await stack.expectCheckIsClean()
        }
    }
}
