import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// `usher check` must see damage in real stores, name it, and be content again when it is undone.
@Suite(.serialized) struct CheckTests {
    @Test func `damage in any of the three stores is named, and its repair too`() async throws {
        try await RunningStack.with(environment: ["USHER_BOOKING_COMPARE_INTERVAL": "3600s"]) { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let hold = try await tour.hold(["VIP-A-1", "VIP-A-2"], by: buyer)
            let order = try await tour.order(hold: try #require(hold.text("id")), by: buyer, key: UUID().uuidString)
            #expect(try await tour.pay(try #require(order.text("id")), by: buyer).text("state") == "paid")
            try await stack.expectCheckIsClean()

            let stores = try StoreTools(stack)
            let section = "{s:\(tour.session)}:sec:0"
            try stores.redis(["SETRANGE", section, "0", "F"])
            #expect(try await broken(stack) == ["map.counts", "map.letters"])
            try stores.redis(["SETRANGE", section, "0", "S"])

            try stores.sql("UPDATE ticket SET state = 'void' WHERE seat_no = 0")
            #expect(try await broken(stack) == ["orders.complete", "seats.sold-is-paid"])
            try stores.sql("UPDATE ticket SET state = 'valid' WHERE seat_no = 0")

            let rooms = try stores.redis(["SMEMBERS", "{r:}:rooms"]).split(separator: "\n")
            let grants = "{r:\(try #require(rooms.first))}:grants"
            let entry = try stores.redis([
                "XADD", grants, "*", "kind", "grant", "pid", "forged", "place", "1", "exp", "1", "cap", "1", "reason",
                "forged",
            ])
            #expect(try await broken(stack).isSuperset(of: ["rooms.passes", "rooms.record"]))
            try stores.redis(["XDEL", grants, entry])

            let reserved = try await stores.provider(
                "/v1/payment_intents",
                "amount=5000&currency=eur&capture_method=manual&confirm=true&payment_method=pm_card_visa"
                    + "&metadata[payment]=pay_00000000000000000000000000"
            )
            #expect(try await broken(stack) == ["money.known", "money.no-open-authorization"])
            let id = try #require(reserved.id)
            #expect(try await stores.provider("/v1/payment_intents/\(id)/cancel", "").status == 200)
            try await stack.expectCheckIsClean(settle: 0)

            let away = try await stack.run("usher", ["check", "--data", stack.data, "--redis", "unix:///nowhere.sock"])
            #expect(away.status == 2, "\(away.output)")
        }
    }

    /// The promises that `usher check` finds broken.
    private func broken(_ stack: RunningStack) async throws -> Set<String> {
        let check = try await stack.run("usher", ["check", "--data", stack.data, "--json"])
        let report = try #require(try JSONSerialization.jsonObject(with: Data(check.output.utf8)) as? [String: Any])
        let promises = try #require(report["promises"] as? [[String: Any]])
        #expect(promises.count >= 21)
        let broken = promises.filter { ($0["breaches"] as? Int ?? 0) > 0 }.compactMap { $0["name"] as? String }
        #expect(check.status == (broken.isEmpty ? 0 : 1))
        #expect(report["kept"] as? Bool == broken.isEmpty)
        return Set(broken)
    }
}

/// The stores of a stack, behind its back.
private struct StoreTools {
    private struct Facts: Decodable {
        let postgres: String
        let redis: String
    }

    private let facts: Facts
    private let payments: String
    private let key: String

    init(_ stack: RunningStack) throws {
        let file = URL(filePath: stack.data + "/run.json")
        facts = try JSONDecoder().decode(Facts.self, from: Data(contentsOf: file))
        payments = "http://127.0.0.1:\(stack.paymentsPort)"
        key = try String(contentsOfFile: stack.data + "/keys/provider.key", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    func redis(_ command: [String]) throws -> String {
        let socket = facts.redis.replacing("unix://", with: "").prefix { $0 != "?" }
        return try run("redis-cli", ["-s", String(socket)] + command)
    }

    func sql(_ statement: String) throws {
        try run("psql", ["--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-c", statement, facts.postgres])
    }

    /// Posts a form to the provider; the status and the id of the answer.
    func provider(_ path: String, _ form: String) async throws -> (status: Int, id: String?) {
        var request = HTTPClientRequest(url: payments + path)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        request.body = .bytes(ByteBuffer(string: form))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        let answer = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any]
        return (Int(response.status.code), answer?["id"] as? String)
    }

    @discardableResult
    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let told = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw StackFault("\(program) failed") }
        return String(decoding: told, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
