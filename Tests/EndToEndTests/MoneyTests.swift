import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Signing
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
                try await Bank(stack).press("complete", at: try #require(action))
                try await eventually("the webhook makes it paid", within: .seconds(60)) {
                    try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
                }
            }
            let id = try await tour.ordered(["MAIN-J-3"], by: buyer)
            let asked = try await tour.pay(id, with: "pm_card_authenticationRequired", by: buyer)
            try await Bank(stack).press("fail", at: try #require(asked.text("payment.next_action.url")))
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
            let bank = try Bank(stack)
            try await bank.send(.POST, "/_test/webhooks", #"{"copies":3,"delay_ms":400,"shuffle":true}"#)
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
                try await bank.end(dispute: try await bank.dispute(ofOrder: id), by: evidence)
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
            let bank = try Bank(stack)
            var orders: [String] = []
            for (number, call) in ["create", "capture"].enumerated() {
                let id = try await tour.ordered(["MAIN-F-\(number + 1)"], by: buyer)
                let order =
                    #"{"call":"\#(call)","kind":"\#(fault)","count":2,"delay_ms":6000,"state":"processing"}"#
                try await bank.send(.POST, "/_test/faults", order)
                let paid = try await tour.pay(id, by: buyer)
                #expect(paid.status == 200 || paid.status == 202, "\(call): \(paid.json)")
                orders.append(id)
            }
            for id in orders {
                try await eventually("\(fault): the order is paid", within: .seconds(120)) {
                    try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
                }
            }
            try await bank.send(.POST, "/_test/faults", #"{"call":"refund","kind":"\#(fault)","delay_ms":6000}"#)
            let cancelled = try await tour.post("/v1/orders/\(orders[0])/cancel", by: buyer)
            #expect(cancelled.status == 200 || cancelled.status == 202)
            try await eventually("\(fault): the refund is done", within: .seconds(120)) {
                try await buyer.get("/v1/orders/\(orders[0])").text("state") == "refunded"
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `a session is called off by staff alone, and every buyer gets everything back`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            var buyers: [(Visitor, String)] = []
            for number in 1...4 {
                let buyer = try await tour.buyer()
                let id = try await tour.ordered(["MAIN-G-\(number * 2 - 1)", "MAIN-G-\(number * 2)"], by: buyer)
                if number < 4 { #expect(try await tour.pay(id, by: buyer).status == 200) }
                buyers.append((buyer, id))
            }
            let path = "/v1/admin/sessions/\(tour.session)/cancel"
            let direct = stack.booking.with("Authorization", buyers[0].0.headers.first(name: "Authorization") ?? "")
            #expect(try await tour.post(path, by: direct).status == 403)
            #expect(try await tour.post(path, by: buyers[0].0).status == 404, "not on the visitors' port")
            let staff = try await stack.staff()
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
            let ids = text.matches(of: /id: ([0-9a-f]+)\n/).map { String($0.output.1) }
            let newest = try #require(ids.last)
            // Whoever knows the newest has nothing to hear; an old id, one nobody gave and no id get the order as it is.
            for (last, beginning) in [
                (newest, ": quiet\n"), (ids.first, "id: \(newest)\n"), ("ffffffffffffffff", "id: \(newest)\n"),
                (String(repeating: "9", count: 4000), "id: \(newest)\n"), (nil, "id: \(newest)\n"),
            ] as [(String?, String)] {
                let begun = try await Self.firstEvent(of: id, after: last, buyer)
                #expect(begun.hasPrefix(beginning), "after \(last?.prefix(20) ?? "nothing"): \(begun.prefix(200))")
            }
        }
    }

    /// The first that a stream tells.
    private static func firstEvent(of order: String, after last: String?, _ buyer: Visitor) async throws -> String {
        var request = HTTPClientRequest(url: buyer.base + "/v1/orders/\(order)/events")
        request.headers = buyer.headers
        if let last { request.headers.add(name: "Last-Event-ID", value: last) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        #expect(response.status == .ok)
        for try await chunk in response.body where chunk.readableBytes > 0 { return String(buffer: chunk) }
        return ""
    }

    @Test func `T21 a forged webhook is refused, and of a false one the provider is asked`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let id = try await tour.ordered(["MAIN-L-1"], by: buyer)
            let asked = try await tour.pay(id, with: "pm_card_authenticationRequired", by: buyer)
            let payment = try #require(asked.text("payment.id"))
            let bank = try Bank(stack)
            let intent = try bank.intent(ofOrder: id)
            let body = """
                {"id":"evt_false","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"\(intent)",
                "object":"payment_intent","amount":4500,"amount_received":4500,"amount_capturable":0,"currency":"eur",
                "status":"succeeded","metadata":{"payment":"\(payment)"},"last_payment_error":null}}}
                """
            let now = Int(Date().timeIntervalSince1970)
            let genuine = try Self.signature(of: body, at: now, stack)
            for header in [
                nil, "", "t=\(now),v1=00", try Self.signature(of: body, at: now - 400, stack),
                try Self.signature(of: body, at: now + 400, stack), try Self.signature(of: body + " ", at: now, stack),
                genuine.replacing("t=\(now)", with: "t=\(now - 1)"),
            ] {
                #expect(try await Self.tell(body, signed: header, stack) == 400, "\(header ?? "unsigned")")
            }
            for _ in 0..<2 { #expect(try await Self.tell(body, signed: genuine, stack) == 200) }
            let order = try await buyer.get("/v1/orders/\(id)")
            #expect(order.text("payment.state") == "requires_action" && order.text("state") == "authorizing")
            try await bank.press("complete", at: try #require(asked.text("payment.next_action.url")))
            try await eventually("the truth is told", within: .seconds(60)) {
                try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
            }
            try await stack.expectCheckIsClean()
        }
    }

    private static func signature(of body: String, at seconds: Int, _ stack: RunningStack) throws -> String {
        let secret = try String(contentsOfFile: stack.data + "/keys/webhook.secret", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let code = HMACSHA256.code(for: Array("\(seconds).\(body)".utf8), key: Array(secret.utf8))
        return "t=\(seconds),v1=\(Hex.encode(code))"
    }

    private static func tell(_ body: String, signed header: String?, _ stack: RunningStack) async throws -> Int {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(stack.bookingPort)/v1/webhooks/psp/stripe")
        request.method = .POST
        if let header { request.headers.add(name: "Stripe-Signature", value: header) }
        request.body = .bytes(ByteBuffer(string: body))
        return Int(try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status.code)
    }

    private static func tickets(of order: String, _ buyer: Visitor) async throws -> [String] {
        (try await buyer.get("/v1/orders/\(order)").json["tickets"] as? [[String: Any]] ?? [])
            .compactMap { $0["state"] as? String }
    }
}
