import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// Orders that are answered before they are decided, through the running programs.
@Suite(.serialized) struct QueuedOrderTests {
    private static let backlogMax = 6

    /// One buyer with an order of one seat.
    private struct Order {
        let buyer: Visitor
        let key = UUID().uuidString
        let seat: String
        let path: String

        init(_ tour: Tour, seat: String) async throws {
            buyer = try await tour.buyer().with("Prefer", "respond-async, wait=5")
            self.seat = seat
            path = "/v1/sessions/\(tour.session)/orders"
        }

        func send(seat other: String? = nil) async throws -> Visitor.Reply {
            try await buyer.with("Idempotency-Key", key).post(path, ["seats": [other ?? seat]])
        }
    }

    @Test func `what was answered with 202 outlives a killed booking, and no more is accepted than may wait`()
        async throws
    {
        let settings = ["USHER_BOOKING_ORDER_BACKLOG_MAX": "\(Self.backlogMax)"]
        try await RunningStack.with(environment: settings) { stack in
            let tour = try await Tour(stack)
            var orders: [Order] = []
            for number in 1...Self.backlogMax + 1 { orders.append(try await Order(tour, seat: "MAIN-E-\(number)")) }
            // Nobody decides anything until the lease is free again, whoever starts in between.
            try await stack.sql(
                """
                INSERT INTO lease (name, owner, held_until) VALUES ('order-backlog', 'test', now() + interval '1 hour')
                ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, held_until = EXCLUDED.held_until
                """
            )
            try await stack.killAndWaitForNext("usher-booking")
            var accepted: [(order: Order, id: String, body: Data)] = []
            for order in orders.dropLast() {
                let reply = try await Self.insist { try await order.send() }
                #expect(reply.status == 202 && reply.text("state") == "processing", "\(reply.json)")
                let id = try #require(reply.text("id"))
                #expect(reply.headers["Location"] == ["/v1/orders/\(id)"])
                #expect(reply.headers["Preference-Applied"] == ["respond-async"])
                accepted.append((order, id, reply.body))
            }
            let last = try #require(orders.last)
            let full = try await last.send()
            #expect(full.status == 503 && full.code == "overloaded", "\(full.json)")
            #expect((full.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0) > 0)
            let operations = Visitor(base: "http://127.0.0.1:\(stack.operationsPort)")
            let report = try await operations.get("/internal/v1/sessions/\(tour.session)/admission")
            #expect(report.number("saga_backlog") == Self.backlogMax, "the room hears of it: \(report.json)")
            let first = try #require(accepted.first)
            let unpaid = try await tour.pay(first.id, by: first.order.buyer)
            #expect(unpaid.status == 409 && unpaid.code == "order_state_conflict", "\(unpaid.json)")

            try await stack.killAndWaitForNext("usher-booking")
            for (order, id, body) in accepted {
                let again = try await Self.insist { try await order.send() }
                #expect(again.status == 202 && again.body == body && again.headers["Idempotent-Replayed"] == ["true"])
                #expect(again.headers["Location"] == ["/v1/orders/\(id)"])
                #expect(try await order.buyer.get("/v1/orders/\(id)").text("state") == "processing")
            }
            #expect(try await first.order.send(seat: "MAIN-E-12").code == "idempotency_key_reused")
            let cancelled = try await tour.post("/v1/orders/\(accepted[1].id)/cancel", by: accepted[1].order.buyer)
            #expect(cancelled.status == 200 && cancelled.text("state") == "cancelled", "\(cancelled.json)")

            let states = try await Self.states(of: first.id, by: first.order.buyer) {
                try await stack.sql("DELETE FROM lease WHERE name = 'order-backlog'")
            }
            #expect(states == ["processing", "pending"])
            for (number, (order, id, _)) in accepted.enumerated() where number != 1 {
                try await eventually("\(order.seat) is decided", within: .seconds(60)) {
                    try await order.buyer.get("/v1/orders/\(id)").text("state") == "pending"
                }
                let paid = try await tour.pay(id, by: order.buyer)
                #expect(paid.status == 200 && paid.text("state") == "paid", "\(paid.json)")
            }
            #expect(try await last.send().status == 202)
            let page = try await operations.get("/metrics")
            #expect(String(decoding: page.body, as: UTF8.self).contains("usher_booking_backlog_age_seconds"))
            try await eventually("the cancelled order's seat is free again", within: .seconds(60)) {
                try await tour.hold([accepted[1].order.seat], by: last.buyer).status == 201
            }
            try await stack.expectCheckIsClean()
        }
    }

    /// Asks again while booking is away.
    private static func insist(_ call: () async throws -> Visitor.Reply) async throws -> Visitor.Reply {
        var answer: Visitor.Reply?
        try await eventually("there is an answer", within: .seconds(60)) {
            answer = try? await call()
            return answer.map { $0.status < 500 } ?? false
        }
        return try #require(answer)
    }

    /// The states that a stream tells until the order can be paid; `decide` is called once it has told the first.
    private static func states(of id: String, by buyer: Visitor, _ decide: () async throws -> Void)
        async throws -> [String]
    {
        var request = HTTPClientRequest(url: buyer.base + "/v1/orders/\(id)/events")
        request.headers = buyer.headers
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
        var text = ""
        var seen: [String] = []
        for try await chunk in response.body {
            text += String(buffer: chunk)
            let states = text.matches(of: /"state":"(\w+)","tickets"/).map { String($0.output.1) }
            if seen.isEmpty, !states.isEmpty { try await decide() }
            seen = states
            if seen.last == "pending" { break }
        }
        return seen
    }
}
