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
            return state == .cancelled ? .alreadyCancelled : .notCancellable(state)
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

    static func statements(ofPayment payment: PaymentID, event: String, state: OrderState) -> [Statement] {
        let ids = PostgresParameter.uuids([payment.uuid])
        return [
            SQL.releaseClaimsOfPayments(ids), SQL.lockQuotaOfPayments(ids), SQL.returnQuotaOfPayments(ids),
            SQL.paymentOrderEvents(ids, .text(event), .text(state.rawValue), .text("free")),
        ]
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
}
