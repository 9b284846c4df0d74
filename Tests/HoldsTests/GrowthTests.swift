// What a best-available hold costs the server as the house fills: printed, not judged, as machines differ.

import Holds
import Ordering
import Redis
import TestSupport
import Testing

@Suite(.serialized) struct GrowthTests {
    private static let rows = 1_000
    private static let seats = 50
    private static let holds = 400

    private static let layout: SessionLayout = {
        let sections = "ABCDEFGHIJ".map { name in
            SessionLayout.Section(
                name: String(name),
                area: String(name),
                price: Money(100, "EUR"),
                rows: (1...rows / 10).map { .init(label: "\($0)", first: 1, count: seats) }
            )
        }
        return SessionLayout(sections: sections)
    }()

    enum Filling: String, Sendable, CaseIterable {
        case fromTheFront, atRandom
    }

    @Test(arguments: Filling.allCases)
    func `best seats are found in a house of any fill (P9)`(_ filling: Filling) async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                var line = "P9 \(filling.rawValue): µs of the server's CPU per hold of 4 in 50,000 seats:"
                for percent in [1, 50, 90, 99] {
                    line += " \(percent) % sold \(try await Self.cost(filling, percent, client));"
                }
                print(line)
            }
        }
    }

    /// Microseconds of the server's CPU per call, everything included.
    private static func cost(_ filling: Filling, _ percent: Int, _ client: RedisClient) async throws -> String {
        var random = Seeded(state: 5)
        let order = Array(0..<layout.seatCount)
        let filled = filling == .fromTheFront ? order : order.shuffled(using: &random)
        let claims = filled.prefix(layout.seatCount * percent / 100).map {
            SessionInventory.Claim(
                seat: SeatNumber($0),
                state: .blocked,
                order: nil,
                hold: nil,
                account: nil,
                deadline: nil
            )
        }
        let world = HoldWorld(store: RedisHoldStore(redis: client), layout: layout, session: .fresh()) {}
        try await world.load(claims: claims)
        let before = try await cpu(client)
        var (taken, calls) = (0, 0)
        for _ in 0..<min(holds, layout.seatCount * (100 - percent) / 100 / 8) {
            taken += try await world.choose(.best(.init(quantity: 4))).seats.count
            calls += 1
        }
        #expect(taken == calls * 4 && taken > 0)
        return "\(Int((try await cpu(client) - before) / Double(calls) * 1_000_000))"
    }

    /// Seconds of CPU that the server has used.
    private static func cpu(_ client: RedisClient) async throws -> Double {
        let text = try await client.call(["INFO", "cpu"]).asText ?? ""
        return text.split(separator: "\r\n").reduce(0) { sum, line in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0] == "used_cpu_sys" || parts[0] == "used_cpu_user" else { return sum }
            return sum + (Double(parts[1]) ?? 0)
        }
    }
}
