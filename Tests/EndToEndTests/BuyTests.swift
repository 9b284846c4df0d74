import Foundation
import Testing

/// The load generator of the benches, `usher-loadtest buy`, against a whole Usher: what it says it bought is bought.
@Suite struct BuyTests {
    private static let seats = 300
    private static let room = "rush"
    /// All buyers have one address here.
    private static let wide = [
        "USHER_GATEWAY_LIMIT_ADDRESS": "100000/1s,100000", "USHER_GATEWAY_LIMIT_API_ADDRESS": "100000/1s,100000",
        "USHER_GATEWAY_BAN_AFTER": "off",
    ]

    private struct Figures: Decodable {
        var orders: Int
        var seats: Int
        var refused: [String: Int]
        var lost_connections: Int
        var unfinished: Int
        var steps: [Step]

        struct Step: Decodable {
            var step: String
            var count: Int
        }

        func count(_ step: String) -> Int { steps.first { $0.step == step }?.count ?? 0 }
    }

    private func buy(_ stack: RunningStack, _ arguments: [String]) async throws -> Figures {
        let tokens = stack.folder + "/tokens.jsonl"
        let run = try await stack.run("usher-loadtest", ["buy", "--tokens", tokens, "--connections", "16"] + arguments)
        #expect(run.status == 0, "\(run.output)")
        return try JSONDecoder().decode(Figures.self, from: Data(run.output.utf8))
    }

    @Test func `a session is sold out through the gateway, and bought, held and looked at in booking`() async throws {
        try await RunningStack.with(environment: Self.wide) { stack in
            let words = ["--seats", "\(Self.seats)", "--sessions", "2", "--room", Self.room, "--data", stack.data]
            let venue = try await stack.run("usher", ["demo", "venue"] + words)
            let sessions = venue.output.split(separator: "\n").filter { $0.hasPrefix("ses_") }.map(String.init)
            try #require(venue.status == 0 && sessions.count == 2, "\(venue.output)")
            let accounts = try await stack.run(
                "usher",
                [
                    "demo", "accounts", "--count", "\(Self.seats)", "--tokens", stack.folder + "/tokens.jsonl",
                    "--pass-of", Self.room, "--data", stack.data,
                ]
            )
            try #require(accounts.status == 0, "\(accounts.output)")
            let booking = "http://127.0.0.1:\(stack.bookingPort)"

            let soldOut = try await buy(
                stack,
                ["--url", stack.gateway, "--session", sessions[0], "--flow", "order", "--seconds", "120"]
            )
            #expect(soldOut.seats == Self.seats)
            #expect(soldOut.refused.isEmpty && soldOut.lost_connections == 0 && soldOut.unfinished == 0)
            #expect(soldOut.count("pay") == soldOut.orders)
            #expect(try await free(booking, sessions[0]) == 0)

            let some = try await buy(
                stack,
                ["--url", booking, "--session", sessions[1], "--orders", "20", "--want", "2", "--seconds", "120"]
            )
            #expect(some.orders == 20 && some.seats == 40 && some.refused.isEmpty)
            #expect(try await free(booking, sessions[1]) == Self.seats - 40)

            let others = [
                "--url", booking, "--session", sessions[1], "--skip", "100", "--seconds", "120", "--seed", "2",
            ]
            let held = try await buy(stack, others + ["--flow", "hold", "--orders", "20"])
            #expect(held.orders == 0 && held.count("hold") >= 20 && held.refused.isEmpty)
            let looks = try await buy(stack, others + ["--flow", "map", "--orders", "20"])
            #expect(looks.orders == 0 && looks.count("map") >= 20 && looks.refused.isEmpty)
            try await eventually("all holds are released", within: .seconds(60)) {
                try await free(booking, sessions[1]) == Self.seats - 40
            }
            try await stack.expectCheckIsClean()
        }
    }

    private func free(_ booking: String, _ session: String) async throws -> Int {
        try await Visitor(base: booking).get("/v1/sessions/\(session)/seats").number("free") ?? -1
    }
}
