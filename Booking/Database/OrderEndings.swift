// Orders that end without being paid: cancelled by their buyer, or past their deadline.

import Foundation
package import Ordering
import Postgres

/// pending → cancelled for many orders at once.
struct Cancellations: Sendable {
    struct Command: Sendable {
        let order: OrderID
        let account: AccountID
    }

    let pool: PostgresPool

    func carry(_ commands: [Command]) async throws(PostgresFailure) -> [Cancellation] {
        let orders = PostgresParameter.uuids(commands.map(\.order.uuid))
        let accounts = PostgresParameter.uuids(commands.map(\.account.uuid))
        let results = try await pool.transaction(
            [SQL.lockOrders(orders), SQL.cancelOrders(orders, accounts)]
                + OrderEndings.statements(orders, event: "order.cancelled", state: .cancelled)
                + [SQL.cancelOutcomes(orders, accounts)]
        )
        guard let outcomes = results.last else { throw .unreadable("no outcomes") }
        return try outcomes.map { (row) throws(PostgresFailure) in
            if try row.bool("is_cancelled") { return .cancelled }
            guard try row.optionalText("state") != nil else { return .unknownOrder }
            let state: OrderState = try row.state()
            switch state {
            case .cancelled: return .alreadyCancelled
            case .authorizing, .authorized: return .requested
            default: return .notCancellable(state)
            }
        }
    }
}

/// What follows whenever orders end: claims deleted, quota returned, event written, Redis told.
enum OrderEndings {
    static func statements(_ orders: PostgresParameter, event: String, state: OrderState) -> [Statement] {
        [
            SQL.releaseClaims(orders), SQL.lockQuota(orders), SQL.returnQuota(orders),
            SQL.orderEvents(orders, .text(event), .text(state.rawValue), .text("free")),
        ]
    }

    /// Whatever way the order of a payment ended in this transaction, if it did.
    static func statements(ofPayment payment: PaymentID) -> [Statement] {
        let ids = PostgresParameter.uuids([payment.uuid])
        return [
            SQL.releaseClaimsOfPayments(ids), SQL.lockQuotaOfPayments(ids), SQL.returnQuotaOfPayments(ids),
        ]
            + [OrderState.cancelled, .expired, .failed].map { state in
                SQL.paymentOrderEvents(ids, .text("order.\(state)"), .text(state.rawValue), .text("free"))
            }
    }
}

extension OrderDatabase {
    package func expireDue(limit: Int) async throws(StoreFailure) -> Int {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.forgetKeys())
            let due = try await pool.execute(SQL.dueOrders(.int(limit))).map { (row) throws(PostgresFailure) in
                try row.uuid("id")
            }
            guard !due.isEmpty else { return 0 }
            let orders = PostgresParameter.uuids(due)
            let results = try await pool.transaction(
                [SQL.lockOrders(orders), SQL.expireOrders(orders)]
                    + OrderEndings.statements(orders, event: "order.expired", state: .expired)
            )
            return results[1].changedCount
        }
    }

    /// Marks an order that is being paid, and wakes its saga.
    func requestCancel(_ order: OrderID, by account: AccountID) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.transaction([
                SQL.lockOrders(.uuids([order.uuid])),
                SQL.requestCancel(.uuid(order.uuid), .uuid(account.uuid)),
                SQL.wakePaymentOfOrder(.uuid(order.uuid)),
            ])
        }
    }

    package func sellFree(
        _ order: OrderID,
        to account: AccountID,
        tickets: [NewTicket],
        now: Moment
    ) async throws(StoreFailure) -> FreeSale {
        let id = PostgresParameter.uuid(order.uuid)
        let ids = PostgresParameter.uuids([order.uuid])
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.lockOrders(ids),
                SQL.freeOrder(id, .uuid(account.uuid), .milliseconds(now.parameter), .int(tickets.count)),
                SQL.freeClaims(id),
                SQL.freeTickets(
                    id,
                    .ints((0..<tickets.count).map { $0 + 1 }),
                    .uuids(tickets.map(\.id.uuid)),
                    .texts(tickets.map(\.number))
                ),
                SQL.orderEvents(ids, .text("order.paid"), .text("paid"), .text("sold")),
                SQL.ordersByID(ids),
            ])
            guard results[1].changedCount == 0 else { return .sold }
            guard let row = results[5].first, try row.uuid("account_id") == account.uuid else { return .unknownOrder }
            return .refused(try row.state())
        }
    }
}
