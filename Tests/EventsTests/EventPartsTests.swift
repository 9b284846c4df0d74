import Events
import Foundation
import Testing

@Suite struct EventPartsTests {
    private static func order(_ name: String, _ data: String) -> PublishedEvent {
        PublishedEvent(
            id: "evt_00000000000000000000000001",
            subject: "ord_1",
            sequence: 3,
            type: "dev.usher.\(name).v1",
            time: "2026-11-21T20:45:12.031Z",
            data: #"{"order_id": "ord_1", "session_id": "ses_1", "account_id": "usr_1", "total_minor": 5000, "#
                + #""currency": "EUR", \#(data)}"#
        )
    }

    private static func names(_ event: PublishedEvent) -> [String] {
        event.parts.map { String($0.type.dropFirst("dev.usher.".count).dropLast(".v1".count)) }
    }

    private static let ticket = #""tickets": [{"ticket_id": "tkt_1", "seat": 7, "state": "S"}]"#

    @Test func `a paid order's event tells of its payment and of each ticket`() throws {
        let event = Self.order(
            "order.paid",
            #""payment_id": "pay_1", "payment_state": "captured", "tickets": ["#
                + #"{"ticket_id": "tkt_1", "seat": 7, "state": "valid"}, {"ticket_id": "tkt_2", "seat": 8, "state": "valid"}]"#
        )
        #expect(Self.names(event) == ["payment.captured", "ticket.issued", "ticket.issued"])
        #expect(event.parts.map(\.subject) == ["pay_1", "tkt_1", "tkt_2"])
        #expect(event.parts.allSatisfy { $0.sequence == 3 })
        let bodies = try event.parts.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.body.utf8)) as? [String: Any])
        }
        #expect(bodies.allSatisfy { $0["specversion"] as? String == "1.0" })
        #expect(bodies.allSatisfy { $0["time"] as? String == "2026-11-21T20:45:12.031Z" })
        let payment = try #require(bodies[0]["data"] as? [String: Any])
        #expect(payment["amount_minor"] as? Int == 5000)
        #expect(payment["order_id"] as? String == "ord_1")
        let ticket = try #require(bodies[2]["data"] as? [String: Any])
        #expect(ticket["seat"] as? Int == 8)
        #expect(ticket["ticket_id"] as? String == "tkt_2")
        #expect(ticket["payment_id"] == nil)
    }

    @Test func `the parts of an event have the same ids each time, and no two the same`() {
        let event = Self.order(
            "order.paid",
            #""payment_id": "pay_1", "payment_state": "captured", \#(Self.ticket.replacing("S", with: "valid"))"#
        )
        let ids = event.parts.map(\.id)
        #expect(ids == event.parts.map(\.id))
        #expect(Set(ids + [event.id]).count == 3)
        var other = event
        other.id = "evt_00000000000000000000000002"
        #expect(Set(ids).isDisjoint(with: other.parts.map(\.id)))
    }

    @Test(arguments: [
        ("order.confirmed", "capturing", ["payment.authorized"]),
        ("order.confirmed", "captured", []),
        ("order.authorized", "authorized", ["payment.authorized"]),
        ("order.payment_declined", "failed", ["payment.failed"]),
        ("order.payment_declined", "voided", ["payment.voided"]),
        ("order.cancelled", "voiding", ["payment.void_requested"]),
        ("order.failed", "stray", ["payment.anomaly"]),
        ("order.refunded", "captured", ["payment.refunded"]),
        ("order.disputed", "captured", ["payment.disputed"]),
        ("order.charged_back", "captured", ["payment.dispute_closed"]),
        ("refund.succeeded", "captured", []),
    ])
    func `a payment's event follows from the order's`(order: String, state: String, expected: [String]) {
        let event = Self.order(order, #""payment_id": "pay_1", "payment_state": "\#(state)""#)
        #expect(Self.names(event) == expected)
    }

    @Test(arguments: [
        ("order.refunded", "void", ["ticket.voided"]),
        ("order.disputed", "suspended", ["ticket.suspended"]),
        ("order.dispute_won", "valid", ["ticket.restored"]),
        ("order.dispute_won", "checked_in", ["ticket.restored"]),
        ("order.charged_back", "void", ["ticket.voided"]),
        ("order.refunded", "valid", []),
    ])
    func `a ticket's event follows from the order's`(order: String, state: String, expected: [String]) {
        #expect(Self.names(Self.order(order, Self.ticket.replacing("S", with: state))) == expected)
    }

    @Test func `what cannot be read has no parts`() {
        #expect(Self.order("order.paid", #""tickets": 7"#).parts.isEmpty)
        #expect(Self.order("order.paid", #""tickets": null, "payment_id": null"#).parts.isEmpty)
    }
}
