import Foundation
import NIOHTTP1
import Testing

/// What visitors and admins do in the room of three gateways.
extension Trio {
    func with(room: String) -> Trio {
        var other = self
        other.room = room
        return other
    }

    private func admin(_ index: Int) throws -> Visitor {
        let token = try String(contentsOfFile: try stack.fact("admin_token_file"), encoding: .utf8)
        return Visitor(base: gateways[index].admin)
            .with("Authorization", "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))")
    }

    static func policy(
        order: [String: Any] = ["method": "first_come"],
        perMinute: Int = 1200,
        activeMax: Int = 30,
        opensIn seconds: Double? = nil
    ) -> [String: Any] {
        var policy: [String: Any] = [
            "order": order,
            "admission": ["per_minute": perMinute, "active_max": activeMax, "ramp_seconds": 0],
            "claim": ["window_seconds": 60, "grace_seconds": 120],
            "pass": ["idle_seconds": 120, "lifetime_seconds": 600],
        ]
        if let seconds {
            let time = Date(timeIntervalSinceNow: seconds).ISO8601Format(.init(includingFractionalSeconds: true))
            policy["schedule"] = ["sale_opens_at": time]
        }
        return policy
    }

    /// Makes the room through one gateway and waits until all know it.
    func makeRoom(_ policy: [String: Any], at index: Int = 0) async throws {
        let path = "/admin/v1/rooms/\(room)"
        let made = try await admin(index).with("If-None-Match", "*").send(.PUT, path, json: policy)
        #expect(made.status == 201, "\(made.json)")
        for gateway in gateways {
            var reply = made
            try? await eventually("gateway \(gateway.index) knows the room", within: .seconds(60)) {
                reply = try await snapshot(gateway.index)
                return reply.status == 200
            }
            #expect(reply.status == 200, "gateway \(gateway.index) of \(room): \(reply.json)")
        }
    }

    func changeRoom(_ policy: [String: Any], version: Int, at index: Int) async throws -> Visitor.Reply {
        try await admin(index).with("If-Match", "\"\(version)\"")
            .send(.PUT, "/admin/v1/rooms/\(room)", json: policy)
    }

    func ask(_ action: String, _ body: [String: Any], at index: Int = 0) async throws -> Visitor.Reply {
        try await admin(index).send(.POST, "/admin/v1/rooms/\(room)/\(action)", json: body)
    }

    func snapshot(_ index: Int) async throws -> Visitor.Reply {
        try await Visitor(base: gateways[index].url).get("/v1/rooms/\(room)/snapshot")
    }

    // MARK: Visitors

    static func device(_ number: Int) -> String {
        "trio" + String(repeating: "0", count: 16) + String(1_000_000 + number)
    }

    func visitor(_ number: Int, at index: Int) -> Visitor {
        Visitor(base: gateways[index].url)
            .with("X-Forwarded-For", "10.\(number / 60_000).\(number / 250 % 240).\(number % 250 + 1)")
    }

    func join(_ number: Int, at index: Int) async throws -> Visitor.Reply {
        try await visitor(number, at: index).with("Usher-Device", Self.device(number))
            .post("/v1/rooms/\(room)/join")
    }

    func send(_ action: String, _ number: Int, place token: String, at index: Int) async throws -> Visitor.Reply {
        let visitor = visitor(number, at: index).with("Usher-Place", token)
        let path = "/v1/rooms/\(room)/\(action)"
        return action == "place" ? try await visitor.get(path) : try await visitor.post(path)
    }

    /// Joins visitors one after the other at the gateways in turn; the token of each.
    func joinAll(_ numbers: Range<Int>) async throws -> [Int: String] {
        var tokens: [Int: String] = [:]
        for number in numbers {
            let reply = try await join(number, at: number % gateways.count)
            #expect(reply.status == 201, "\(reply.json)")
            let token = try #require(reply.text("token"))
            tokens[number] = token
        }
        return tokens
    }

    /// Claims at the gateways in turn until the place is in; the id of its pass.
    func enter(_ number: Int, _ token: String, within limit: Duration = .seconds(60)) async throws -> String {
        var pass: String?
        var turn = number
        try await eventually("visitor \(number) is let in", within: limit) {
            turn += 1
            let reply = try? await send("claim", number, place: token, at: turn % gateways.count)
            pass = reply?.text("pass.id")
            return reply?.status == 200
        }
        return try #require(pass)
    }

    // MARK: Proof

    /// `usher audit` of the room against one gateway; the bundle is kept in a file.
    func audit(at index: Int) async throws -> (status: Int32, output: String, bundle: String) {
        let bundle = stack.folder + "/trio-\(UUID().uuidString.prefix(8)).bundle"
        let audit = try await stack.run(
            "usher",
            ["audit", "--room", room, "--url", gateways[index].url, "--save", bundle]
        )
        return (audit.status, audit.output, bundle)
    }

    /// All promises are kept by the stores, and by what each gateway publishes; a bundle that was tampered with is told.
    func expectOrderIsProved(_ comment: String = "") async throws {
        try await stack.expectCheckIsClean(settle: 5)
        for gateway in gateways {
            var audit = try await audit(at: gateway.index)
            // The newest arrivals may not be signed yet.
            if audit.status != 0 { audit = try await self.audit(at: gateway.index) }
            #expect(audit.status == 0, "\(comment) usher audit at gateway \(gateway.index):\n\(audit.output)")
            guard gateway.index == 0 else { continue }
            let tampered = try Self.tamper(with: audit.bundle)
            let told = try await stack.run("usher", ["audit", "--bundle", tampered])
            #expect(told.status == 1, "a tampered bundle passes:\n\(told.output)")
        }
    }

    /// Another tag in the entry of the first number: somebody else's place.
    static func tamper(with bundle: String) throws -> String {
        var bytes = try Data(contentsOf: URL(filePath: bundle))
        let header = try #require(bytes.firstIndex(of: UInt8(ascii: "\n")))
        bytes[header + 3] ^= 0x40
        let path = bundle + ".tampered"
        try bytes.write(to: URL(filePath: path))
        return path
    }
}
