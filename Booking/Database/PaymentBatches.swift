// The steps of the pay saga that every purchase takes, each for many payments at once.

import Foundation
import Ordering
import Postgres

/// pending → authorizing with a payment row.
struct PaymentStarts: Sendable {
    let pool: PostgresPool

    func carry(_ payments: [NewPayment]) async throws(PostgresFailure) -> [PaymentStart] {
        let ids = PostgresParameter.uuids(payments.map(\.id.uuid))
        let orders = PostgresParameter.uuids(payments.map(\.order.uuid))
        let accounts = PostgresParameter.uuids(payments.map(\.account.uuid))
        let times = PostgresParameter.millisecondses(payments.map(\.now.parameter))
        let attempts = PostgresParameter.ints(payments.map(\.attemptsMax))
        let keys = PostgresParameter.byteses(payments.map(\.keyHash))
        let fingerprints = PostgresParameter.byteses(payments.map(\.fingerprint))
        let results = try await pool.transaction([
            SQL.lockOrders(orders),
            SQL.beginOrders(
                ids,
                orders,
                accounts,
                .texts(payments.map(\.method)),
                .texts(payments.map(\.owner)),
                .ints(payments.map { Int($0.lease.milliseconds) }),
                times,
                attempts,
                keys,
                fingerprints
            ),
            SQL.beginOutcomes(ids, orders, accounts, times, attempts, keys, fingerprints),
        ])
        return try results[2].map(Self.start)
    }

    private static func start(_ row: Row) throws(PostgresFailure) -> PaymentStart {
        guard try row.bool("is_known") else { return .unknownOrder }
        if try row.optionalUUID("id") != nil {
            let payment = try Payment(row)
            if try row.bool("is_started") { return .started(payment) }
            guard try row.bool("is_keyed") else { return .alreadyRunning(payment) }
            return try row.bool("is_same") ? .replayed(payment) : .keyReused
        }
        let state: OrderState = try row.state("order_state")
        guard state == .pending else { return .notPayable(state) }
        if try row.bool("is_free") { return .free }
        if try row.bool("is_late") { return .deadlinePassed }
        return .attemptsExhausted
    }
}

/// Claims sold, tickets pending, order confirmed, payment capturing.
struct Confirmations: Sendable {
    let pool: PostgresPool

    func carry(_ confirmations: [Confirmation]) async throws(PostgresFailure) -> [ConfirmOutcome] {
        // A payment twice in a batch (a webhook beside its reply) is confirmed once; both get the same outcome.
        var firsts: [PaymentID: Int] = [:]
        var distinct: [Confirmation] = []
        for confirmation in confirmations where firsts[confirmation.payment] == nil {
            firsts[confirmation.payment] = distinct.count
            distinct.append(confirmation)
        }
        let results = try await pool.transaction(Self.statements(distinct))
        let outcomes = try results[6].map(Self.outcome)
        return confirmations.map { outcomes[firsts[$0.payment] ?? 0] }
    }

    private static func statements(_ confirmations: [Confirmation]) -> [Statement] {
        let ids = PostgresParameter.uuids(confirmations.map(\.payment.uuid))
        let tickets = confirmations.flatMap { confirmation in
            confirmation.tickets.enumerated().map {
                (payment: confirmation.payment.uuid, place: $0.offset + 1, ticket: $0.element)
            }
        }
        return [
            SQL.lockOrdersOfPayments(ids),
            SQL.confirmPayments(
                ids,
                .texts(confirmations.map(\.reference)),
                .ints(confirmations.map { Int($0.authorized.amountMinor) }),
                .ints(confirmations.map(\.tickets.count))
            ),
            SQL.confirmOrders(ids),
            SQL.confirmClaims(ids),
            SQL.confirmTickets(
                .uuids(tickets.map(\.payment)),
                .ints(tickets.map(\.place)),
                .uuids(tickets.map(\.ticket.id.uuid)),
                .texts(tickets.map(\.ticket.number))
            ),
            SQL.paymentOrderEvents(ids, .text("order.confirmed"), .text("confirmed"), .text("sold")),
            SQL.confirmOutcomes(ids),
        ]
    }

    private static func outcome(_ row: Row) throws(PostgresFailure) -> ConfirmOutcome {
        if try row.bool("is_confirmed") { return .confirmed }
        guard try row.optionalText("payment_state") != nil else { throw .unreadable("confirm of an unknown payment") }
        let payment: PaymentState = try row.state("payment_state")
        guard payment != .capturing, payment != .captured else { return .alreadyConfirmed }
        return .refused(try row.state("order_state"))
    }
}

/// Money taken: order paid, tickets valid.
struct Captures: Sendable {
    struct Command: Sendable {
        let payment: PaymentID
        let amount: Money
    }

    let pool: PostgresPool

    /// - Returns: whether each payment is captured, now or before.
    func carry(_ commands: [Command]) async throws(PostgresFailure) -> [Bool] {
        let ids = PostgresParameter.uuids(commands.map(\.payment.uuid))
        let results = try await pool.transaction([
            SQL.lockOrdersOfPayments(ids),
            SQL.capturePayments(ids, .ints(commands.map { Int($0.amount.amountMinor) })),
            SQL.captureOrders(ids),
            SQL.captureTickets(ids),
            SQL.captureDifferences(ids),
            SQL.refundEventsOfPayment(ids),
            SQL.paymentOrderEvents(ids, .text("order.paid"), .text("paid"), .text(nil)),
            SQL.captureOutcomes(ids),
        ])
        return try results[7].map { (row) throws(PostgresFailure) in try row.bool("is_captured") }
    }
}

extension Payment {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            order: try row.id("order_id"),
            session: try row.id("session_id"),
            attempt: try row.int("attempt"),
            state: try row.state(),
            amount: try row.money("amount_minor"),
            method: try row.text("method"),
            reference: try row.optionalText("provider_ref"),
            declineCode: try row.optionalText("decline_code"),
            startedAt: try row.moment("started_at")
        )
        if try row.optionalText("action_kind") != nil {
            action = PaymentAction(kind: try row.state("action_kind"), value: try row.text("action_value"))
        }
        seatCount = try row.int("seat_count")
        captured = Int64(try row.int("captured"))
        refunded = Int64(try row.int("refunded"))
        tries = try row.int("tries")
        stuckReason = try row.optionalText("stuck_reason")
    }
}
