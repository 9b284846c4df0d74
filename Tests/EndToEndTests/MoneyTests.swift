import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// What can happen to money, through the running programs: actions at the bank, refunds, disputes, a provider that
/// misbehaves, a session that is called off.
@Suite(.serialized) struct MoneyTests {
    @Test func `a buyer proves who they are at the bank, or pays by a code, and has tickets`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            for (method, kind, seat) in [
                ("pm_card_threeDSecure2Required", "redirect", "MAIN-J-1"), ("pm_qr", "qr_code", "MAIN-J-2"),
            ] {
                let id = try await tour.ordered([seat], by: buyer)
                let key = UUID().uuidString
                let asked = try await tour.pay(id, with: method, by: buyer, key: key)
                #expect(asked.status == 202 && asked.text("payment.state") == "requires_action", "\(asked.json)")
                #expect(asked.text("payment.next_action.type") == kind)
                let again = try await tour.pay(id, with: method, by: buyer, key: key)
                #expect(again.status == 202 && again.headers["Idempotent-Replayed"] == ["true"])
                let action = asked.text("payment.next_action.url") ?? asked.text("payment.next_action.code")
                try await Self.press("complete", at: try #require(action))
                try await eventually("the webhook makes it paid", within: .seconds(60)) {
                    try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
                }
            }
            let id = try await tour.ordered(["MAIN-J-3"], by: buyer)
            let asked = try await tour.pay(id, with: "pm_card_authenticationRequired", by: buyer)
            try await Self.press("fail", at: try #require(asked.text("payment.next_action.url")))
            try await eventually("the order can be paid again", within: .seconds(60)) {
                try await buyer.get("/v1/orders/\(id)").text("state") == "pending"
            }
            let unknown = try await tour.pay(id, with: "pm_made_up", by: buyer)
            #expect(unknown.status == 422 && unknown.code == "payment_method_invalid")
            let away = try await tour.pay(id, with: "pm_card_authenticationRequired", by: buyer)
            #expect(away.status == 202)
            let cancelled = try await tour.post("/v1/orders/\(id)/cancel", by: buyer)
            #expect(cancelled.status == 200 || cancelled.status == 202, "\(cancelled.json)")
            try await eventually("the provider has agreed", within: .seconds(60)) {
                try await buyer.get("/v1/orders/\(id)").text("state") == "cancelled"
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `tickets are given back one by one, and a paid order is cancelled whole`() async throws {
        try await RunningStack.with(environment: ["USHER_PAYMENTS_REFUND_DELAY": "5s"]) { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let id = try await tour.ordered(["MAIN-K-1", "MAIN-K-2"], by: buyer)
            let paid = try await tour.pay(id, by: buyer)
            #expect(paid.status == 200, "\(paid.json)")
            let tickets = (paid.json["tickets"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            let key = UUID().uuidString
            let first = try await tour.post("/v1/tickets/\(tickets[0])/refund", by: buyer, key: key)
            #expect(first.status == 201 && first.text("state") == "succeeded", "\(first.json)")
            let again = try await tour.post("/v1/tickets/\(tickets[0])/refund", by: buyer, key: key)
            #expect(again.body == first.body && again.headers["Idempotent-Replayed"] == ["true"])
            let other = try await tour.post("/v1/tickets/\(tickets[1])/refund", ["reason": "x"], by: buyer, key: key)
            #expect(other.status == 201, "another path is another call: \(other.json)")
            #expect(try await buyer.get("/v1/orders/\(id)").text("state") == "refunded")
            try await eventually("the seats are free again", within: .seconds(60)) {
                try await tour.hold(["MAIN-K-1", "MAIN-K-2"], by: buyer).status == 201
            }
            let second = try await tour.ordered(["MAIN-K-3"], by: buyer)
            #expect(try await tour.pay(second, with: "pm_card_pendingRefund", by: buyer).status == 200)
            let cancelled = try await tour.post("/v1/orders/\(second)/cancel", by: buyer)
            #expect(cancelled.status == 202 && cancelled.text("state") == "refunding", "\(cancelled.json)")
            try await eventually("the bank's last word makes it refunded", within: .seconds(60)) {
                try await buyer.get("/v1/orders/\(second)").text("state") == "refunded"
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `T17 T20 disputes and disturbed events end as they should`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let provider = try Provider(stack)
            try await provider.send(.POST, "/_test/webhooks", #"{"copies":3,"delay_ms":400,"shuffle":true}"#)
            for (seat, evidence, end, tickets) in [
                ("MAIN-E-1", "winning_evidence", "paid", "valid"),
                ("MAIN-E-2", "losing_evidence", "charged_back", "void"),
            ] {
                let id = try await tour.ordered([seat], by: buyer)
                #expect(try await tour.pay(id, with: "pm_card_createDispute", by: buyer).status == 200)
                try await eventually("the ticket is suspended", within: .seconds(60)) {
                    try await Self.tickets(of: id, buyer) == ["suspended"]
                }
                let refused = try await tour.post("/v1/orders/\(id)/refunds", [String: String](), by: buyer)
                #expect(refused.status == 409 && refused.code == "order_disputed")
                let dispute = try await provider.dispute(ofOrder: id, stack)
                try await provider.send(
                    .POST,
                    "/v1/disputes/\(dispute)",
                    "evidence%5Buncategorized_text%5D=\(evidence)"
                )
                try await eventually("the dispute is over", within: .seconds(60)) {
                    let order = try await buyer.get("/v1/orders/\(id)")
                    let states = try await Self.tickets(of: id, buyer)
                    return order.text("state") == end && states == [tickets]
                }
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test(arguments: ["timeout_after", "error_after", "error_before", "too_many", "wrong_state"])
    func `T29 whatever the provider does, the money is right in the end`(fault: String) async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let provider = try Provider(stack)
            var orders: [String] = []
            for (number, call) in ["create", "capture"].enumerated() {
                let id = try await tour.ordered(["MAIN-F-\(number + 1)"], by: buyer)
                let order =
                    #"{"call":"\#(call)","kind":"\#(fault)","count":2,"delay_ms":6000,"state":"processing"}"#
                try await provider.send(.POST, "/_test/faults", order)
                let paid = try await tour.pay(id, by: buyer)
                #expect(paid.status == 200 || paid.status == 202, "\(call): \(paid.json)")
                orders.append(id)
            }
            for id in orders {
                try await eventually("\(fault): the order is paid", within: .seconds(120)) {
                    try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
                }
            }
            try await provider.send(.POST, "/_test/faults", #"{"call":"refund","kind":"\#(fault)","delay_ms":6000}"#)
            let cancelled = try await tour.post("/v1/orders/\(orders[0])/cancel", by: buyer)
            #expect(cancelled.status == 200 || cancelled.status == 202)
            try await eventually("\(fault): the refund is done", within: .seconds(120)) {
                try await buyer.get("/v1/orders/\(orders[0])").text("state") == "refunded"
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `T26 a session is called off by staff alone, and every buyer gets everything back`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            var buyers: [(Visitor, String)] = []
            for number in 1...4 {
                let buyer = try await tour.buyer()
                let id = try await tour.ordered(["MAIN-G-\(number * 2 - 1)", "MAIN-G-\(number * 2)"], by: buyer)
                if number < 4 { #expect(try await tour.pay(id, by: buyer).status == 200) }
                buyers.append((buyer, id))
            }
            let booking = Visitor(base: "http://127.0.0.1:\(stack.bookingPort)")
            let path = "/v1/admin/sessions/\(tour.session)/cancel"
            let direct = booking.with("Authorization", buyers[0].0.headers.first(name: "Authorization") ?? "")
            #expect(try await tour.post(path, by: direct).status == 403)
            #expect(try await tour.post(path, by: buyers[0].0).status == 404, "not on the visitors' port")
            let staff = try await Self.staff(stack, tour, booking)
            let terms = "/v1/admin/sessions/\(tour.session)/refund-terms"
            #expect(try await staff.send(.PUT, terms, json: ["mode": "none"]).status == 204)
            #expect(try await staff.send(.PUT, terms, json: ["mode": "odd"]).status == 400)
            let begun = try await tour.post(path, ["reason": "the roof is down"], by: staff)
            #expect(begun.status == 202 && begun.number("orders_total") == 4, "\(begun.json)")
            try await eventually("the job is done", within: .seconds(60)) {
                try await staff.get(path).text("state") == "done"
            }
            for (index, (buyer, id)) in buyers.enumerated() {
                #expect(try await buyer.get("/v1/orders/\(id)").text("state") == (index < 3 ? "refunded" : "cancelled"))
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `T19 a stream tells each change of an order, whatever it is asked to go on from`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let id = try await tour.ordered(["MAIN-H-1"], by: buyer)
            var request = HTTPClientRequest(url: stack.gateway + "/v1/orders/\(id)/events")
            request.headers = buyer.headers
            request.headers.add(name: "Last-Event-ID", value: "garbage")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
            #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
            var seen: [String] = []
            var text = ""
            for try await chunk in response.body {
                text += String(buffer: chunk)
                let states = text.matches(of: /"state":"(pending|authorizing|paid)","tickets"/).map {
                    String($0.output.1)
                }
                seen = states
                if states.count == 1, !states.contains("paid") {
                    #expect(try await tour.pay(id, by: buyer).status == 200)
                }
                if states.last == "paid" { break }
            }
            #expect(seen.first == "pending" && seen.last == "paid", "\(text.prefix(2000))")
        }
    }

    // MARK: the provider

    private static func tickets(of order: String, _ buyer: Visitor) async throws -> [String] {
        (try await buyer.get("/v1/orders/\(order)").json["tickets"] as? [[String: Any]] ?? [])
            .compactMap { $0["state"] as? String }
    }

    /// Presses a button of the bank's page.
    private static func press(_ outcome: String, at page: String) async throws {
        var request = HTTPClientRequest(url: page)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: "outcome=\(outcome)"))
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(configuration: configuration)
        let status = try? await client.execute(request, timeout: .seconds(10)).status.code
        try await client.shutdown()
        #expect(status == 303)
    }

    /// An account that works there.
    private static func staff(_ stack: RunningStack, _ tour: Tour, _ booking: Visitor) async throws -> Visitor {
        let email = "staff-\(UUID().uuidString.lowercased())@example.org"
        let credentials = ["email": email, "password": "correct horse"]
        #expect(try await booking.post("/v1/auth/register", credentials).status == 201)
        let postgres = try stack.fact("postgres")
        let sql = "UPDATE account SET role = 'staff' WHERE email = '\(email)'"
        #expect(try await stack.shell("/usr/bin/env", ["psql", "-qc", sql, postgres]) == 0)
        let login = try await booking.post("/v1/auth/login", credentials)
        return booking.with("Authorization", "Bearer \(try #require(login.text("access_token")))")
    }

    private struct Provider {
        let base: String
        let key: String

        init(_ stack: RunningStack) throws {
            base = "http://127.0.0.1:\(stack.paymentsPort)"
            key = try String(contentsOfFile: stack.data + "/keys/provider.key", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        @discardableResult
        func send(_ method: HTTPMethod, _ path: String, _ body: String = "") async throws -> [String: Any] {
            var request = HTTPClientRequest(url: base + path)
            request.method = method
            request.headers.add(name: "Authorization", value: "Bearer \(key)")
            if method != .GET { request.body = .bytes(ByteBuffer(string: body)) }
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let data = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
            #expect(response.status.code == 200, "\(String(decoding: data, as: UTF8.self))")
            return ((try? JSONSerialization.jsonObject(with: data)) as? [String: Any]) ?? [:]
        }

        /// The dispute of an order's payment, by the provider's own list.
        func dispute(ofOrder id: String, _ stack: RunningStack) async throws -> String {
            let ledger = try String(contentsOfFile: try stack.fact("ledger"), encoding: .utf8)
            let line = ledger.split(separator: "\n").last { $0.contains("\"created\"") && $0.contains(id) }
            let intent = try #require(line?.firstMatch(of: /"intent":"(pi_[0-9a-f]+)"/)?.output.1)
            let list = try await send(.GET, "/v1/disputes?payment_intent=\(intent)")
            let found = (list["data"] as? [[String: Any]])?.first?["id"] as? String
            return try #require(found)
        }
    }
}
