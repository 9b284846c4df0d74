// The rarer steps of the pay saga, one payment at a time, and the leases of sagas left behind.

import Foundation
package import Ordering
import Postgres

extension OrderDatabase {
    package func recordNoAnswer(_ payment: PaymentID, retryAfter: Duration) async throws(StoreFailure) {
        try await run([SQL.noAnswer(.uuid(payment.uuid), .int(Int(retryAfter.milliseconds)))])
    }

    package func recordDeclined(
        _ payment: PaymentID,
        code: String,
        reference: String?,
        retryWindow: Duration
    ) async throws(StoreFailure) {
        let ids = PostgresParameter.uuids([payment.uuid])
        try await run([
            SQL.lockOrdersOfPayments(ids),
            SQL.declinePayments(ids, .texts([code]), .texts([reference])),
            SQL.declineOrders(ids, .int(Int(retryWindow.milliseconds))),
            SQL.paymentOrderEvents(ids, .text("order.payment_declined"), .text("pending"), .text("pinned")),
        ])
    }

    package func recordCaptureImpossible(_ payment: PaymentID, code: String) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        try await run(
            [
                SQL.lockOrdersOfPayments(.uuids([payment.uuid])), SQL.failPayment(id, .text(code)), SQL.failOrder(id),
                SQL.voidTickets(id),
            ] + OrderEndings.statements(ofPayment: payment, event: "order.failed", state: .failed)
        )
    }

    package func beginVoid(_ payment: PaymentID, reference: String) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        try await run(
            [
                SQL.lockOrdersOfPayments(.uuids([payment.uuid])), SQL.voidPayment(id, .text(reference)),
                SQL.voidOrder(id),
            ] + OrderEndings.statements(ofPayment: payment, event: "order.expired", state: .expired)
        )
    }

    package func recordVoided(_ payment: PaymentID) async throws(StoreFailure) {
        try await run([SQL.voided(.uuid(payment.uuid))])
    }

    package func postpone(_ payment: PaymentID, by delay: Duration) async throws(StoreFailure) {
        try await run([SQL.postpone(.uuid(payment.uuid), .int(Int(delay.milliseconds)))])
    }

    package func leaseSagas(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [SagaWork] {
        try await storing { () throws(PostgresFailure) in
            let leased = try await pool.execute(
                SQL.leaseSagas(.text(owner), .int(Int(lease.milliseconds)), .int(limit))
            ).map { (row) throws(PostgresFailure) in try row.uuid("id") }
            guard !leased.isEmpty else { return [] }
            return try await pool.execute(SQL.sagaWork(.uuids(leased))).map { (row) throws(PostgresFailure) in
                SagaWork(payment: try Payment(row), orderState: try row.state("order_state"))
            }
        }
    }

    package func openSagaCount() async throws(StoreFailure) -> Int {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.openSagas()).first?.int("n") ?? 0
        }
    }

    package func receive(source: String, event: String) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.receive(.text(source), .text(event))).rowCount == 1
        }
    }

    package func unprojected(limit: Int) async throws(StoreFailure) -> [SeatProjection] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.unprojected(.int(limit))).map { (row) throws(PostgresFailure) in
                let outcome: SeatProjection.Outcome =
                    switch try row.text("outcome") {
                    case "pinned": .pinned(until: try row.moment("deadline"))
                    case "sold": .sold
                    default: .free
                    }
                return SeatProjection(
                    position: Int64(try row.int("pos")),
                    session: try row.id("session_id"),
                    order: try row.id("order_id"),
                    hold: try row.id("hold_id"),
                    account: try row.id("account_id"),
                    seats: try row.seats(),
                    outcome: outcome
                )
            }
        }
    }

    package func markProjected(_ positions: [Int64]) async throws(StoreFailure) {
        try await run([SQL.markProjected(.ints(positions.map { Int($0) }))])
    }

    private func run(_ statements: [Statement]) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in _ = try await pool.transaction(statements) }
    }
}
