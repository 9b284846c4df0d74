// An order's event says what became of its payment and its tickets in the same transaction. Those are events too, made of
// it on its way to a group: the order's transaction and its stream carry one row, whoever listens.

import Foundation
import Ordering
import Signing

extension PublishedEvent {
    package static let partPrefixes = ["payment.", "ticket."].map { typePrefix + $0 }

    /// The events of the payment and of the tickets that this one speaks of. Their `sequence` is its own: it grows, with
    /// gaps.
    package var parts: [PublishedEvent] {
        guard type.hasPrefix(Self.typePrefix + "order.") else { return [] }
        guard let told = try? JSONDecoder().decode(Told.self, from: Data(body.utf8)) else { return [] }
        let name = String(type.dropFirst(Self.typePrefix.count).dropLast(Self.typeSuffix.count))
        return (told.payment(after: name) + told.tickets(after: name)).compactMap { part in
            self.part(part.name, of: part.subject, at: told.time, data: part.data)
        }
    }

    private func part(_ name: String, of subject: String, at time: String, data: PartDetails) -> PublishedEvent? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(data),
            let number = EventID(bytes: Array(SHA256.digest(Array("\(id) \(name) \(subject)".utf8)).prefix(16)))
        else { return nil }
        return PublishedEvent(
            id: "\(number)",
            subject: subject,
            sequence: sequence,
            type: Self.typePrefix + name + Self.typeSuffix,
            time: time,
            data: String(decoding: json, as: UTF8.self)
        )
    }
}

/// What is read of an order's event.
private struct Told: Decodable {
    struct Details: Decodable {
        var order_id: String
        var session_id: String
        var account_id: String
        var total_minor: Int
        var currency: String
        var payment_id: String?
        var payment_state: String?
        var tickets: [Ticket]?
    }

    struct Ticket: Decodable {
        var ticket_id: String
        var seat: Int
        var state: String
    }

    typealias Part = (name: String, subject: String, data: PartDetails)

    var time: String
    var data: Details

    func payment(after order: String) -> [Part] {
        guard let id = data.payment_id, let state = data.payment_state else { return [] }
        guard let name = Self.paymentEvent(order: order, payment: state) else { return [] }
        var details = details(state: state)
        (details.payment_id, details.amount_minor, details.currency) = (id, data.total_minor, data.currency)
        return [(name, id, details)]
    }

    func tickets(after order: String) -> [Part] {
        (data.tickets ?? []).compactMap { ticket in
            guard let name = Self.ticketEvent(order: order, ticket: ticket.state) else { return nil }
            var details = details(state: ticket.state)
            (details.ticket_id, details.seat) = (ticket.ticket_id, ticket.seat)
            return (name, ticket.ticket_id, details)
        }
    }

    private func details(state: String) -> PartDetails {
        PartDetails(
            order_id: data.order_id,
            session_id: data.session_id,
            account_id: data.account_id,
            state: state
        )
    }

    private static func paymentEvent(order: String, payment: String) -> String? {
        switch (order, payment) {
        case ("order.confirmed", "capturing"), ("order.authorized", "authorized"): "payment.authorized"
        case ("order.paid", "captured"): "payment.captured"
        case ("order.refunded", "captured"): "payment.refunded"
        case ("order.disputed", "captured"): "payment.disputed"
        case ("order.dispute_won", "captured"), ("order.charged_back", "captured"): "payment.dispute_closed"
        case (_, "failed"): "payment.failed"
        case (_, "voiding"): "payment.void_requested"
        case (_, "voided"): "payment.voided"
        case (_, "stray"): "payment.anomaly"
        default: nil
        }
    }

    private static func ticketEvent(order: String, ticket: String) -> String? {
        switch (order, ticket) {
        case ("order.paid", "valid"): "ticket.issued"
        case ("order.dispute_won", "valid"), ("order.dispute_won", "checked_in"): "ticket.restored"
        case (_, "suspended"): "ticket.suspended"
        case (_, "void"): "ticket.voided"
        default: nil
        }
    }
}

/// `data` of such an event.
private struct PartDetails: Encodable {
    var payment_id: String?
    var ticket_id: String?
    var order_id: String
    var session_id: String
    var account_id: String
    var seat: Int?
    var amount_minor: Int?
    var currency: String?
    var state: String
}
