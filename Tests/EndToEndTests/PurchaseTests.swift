import Foundation
import NIOHTTP1
import Testing

@Suite(.serialized) struct PurchaseTests {
    @Test func `a visitor queues, enters, holds, pays and has tickets`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()

            let hold = try await tour.hold(["VIP-A-1", "VIP-A-2"], by: buyer)
            #expect(hold.status == 201, "\(hold.json)")
            #expect(hold.text("state") == "active")

            let key = UUID().uuidString
            let order = try await tour.order(hold: try #require(hold.text("id")), by: buyer, key: key)
            #expect(order.status == 201, "\(order.json)")
            #expect(order.number("total.amount_minor") == 19_000)
            #expect((order.number("seconds_left") ?? 0) > 200)
            let id = try #require(order.text("id"))

            let again = try await tour.order(hold: try #require(hold.text("id")), by: buyer, key: key)
            #expect(again.status == 201)
            #expect(again.headers["Idempotent-Replayed"] == ["true"])
            #expect(again.body == order.body, "a repeat gets the same bytes")

            let declined = try await tour.pay(id, with: "pm_card_visa_chargeDeclined", by: buyer)
            #expect(declined.status == 402)
            #expect(declined.text("decline_code") == "generic_decline")

            let paid = try await tour.pay(id, by: buyer)
            #expect(paid.status == 200, "\(paid.json)")
            #expect(paid.text("state") == "paid")

            let tickets = try await buyer.get("/v1/tickets").json["data"] as? [[String: Any]] ?? []
            #expect(tickets.count == 2)
            #expect(
                tickets.allSatisfy { $0["state"] as? String == "valid" && ($0["code"] as? String)?.isEmpty == false }
            )

            try await eventually("the seat map shows the seats sold", within: .seconds(60)) {
                let map = try await buyer.get("/v1/sessions/\(tour.session)/seats")
                let sections = map.json["sections"] as? [[String: Any]] ?? []
                let rows = sections.first?["rows"] as? [[String: Any]] ?? []
                return (rows.first?["seats"] as? String)?.hasPrefix("SS") == true
            }
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `two buyers want one seat and one gets it`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let first = try await tour.buyer()
            let second = try await tour.buyer()
            #expect(try await tour.hold(["MAIN-E-1"], by: first).status == 201)
            let refused = try await tour.hold(["MAIN-E-1", "MAIN-E-2"], by: second)
            #expect(refused.status == 409)
            #expect(refused.code == "seat_taken")
            #expect(refused.json["unavailable_seats"] as? [String] == ["MAIN-E-1"])

            let tooMany = try await tour.hold(["MAIN-F-1", "MAIN-F-2", "MAIN-F-3", "MAIN-F-4", "MAIN-F-5"], by: second)
            #expect(tooMany.status == 422)
            #expect(tooMany.code == "purchase_limit_exceeded")
            #expect(tooMany.number("limit") == 4)

            let hold = try await tour.hold(["MAIN-F-1"], by: second)
            let order = try await tour.order(hold: try #require(hold.text("id")), by: second)
            let id = try #require(order.text("id"))
            let cancelled = try await tour.post("/v1/orders/\(id)/cancel", by: second)
            #expect(cancelled.text("state") == "cancelled", "\(cancelled.json)")
            try await eventually("the seat of a cancelled order is free again", within: .seconds(60)) {
                try await tour.hold(["MAIN-F-1"], by: first).status == 201
            }
            #expect(try await tour.pay(id, by: second).status == 409)
            try await stack.expectCheckIsClean()
        }
    }

    @Test func `with the provider away everything but paying works and paying goes through later`() async throws {
        try await RunningStack.with { stack in
            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            let provider = try stack.processID(of: "usher-mock-payments")
            kill(provider, SIGSTOP)
            defer { kill(provider, SIGCONT) }

            #expect(try await buyer.get("/v1/shows").status == 200)
            let hold = try await tour.hold(["MAIN-G-7"], by: buyer)
            #expect(hold.status == 201)
            let order = try await tour.order(hold: try #require(hold.text("id")), by: buyer)
            #expect(order.status == 201)
            let id = try #require(order.text("id"))

            let waiting = try await tour.pay(id, by: buyer)
            #expect(waiting.status == 202, "\(waiting.json)")
            #expect(waiting.text("payment.state") == "unknown")
            #expect(waiting.headers["Retry-After"].isEmpty == false)

            kill(provider, SIGCONT)
            try await eventually("the payment goes through", within: .seconds(60)) {
                try await buyer.get("/v1/orders/\(id)").text("state") == "paid"
            }
            try await stack.expectCheckIsClean()
        }
    }
}
