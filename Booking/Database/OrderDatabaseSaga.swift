// The rarer steps of the pay saga, one payment at a time, and the leases of sagas left behind.

import Foundation
package import Ordering
import Postgres

extension OrderDatabase {
    package func recordNoAnswer(_ payment: PaymentID, retryAfter: Duration) async throws(StoreFailure) {
        try await run([SQL.noAnswer(.uuid(payment.uuid), .int(Int(retryAfter.milliseconds)))])
    }

    package func recordAction(
        _ payment: PaymentID,
        _ action: PaymentAction?,
        reference: String,
        lookAfter: Duration
    ) async throws(StoreFailure) {
        try await run([
            SQL.actionPayment(
                .uuid(payment.uuid),
                .text(reference),
                .text(action?.kind.rawValue),
                .text(action?.value),
                .int(Int(lookAfter.milliseconds))
            )
        ])
    }

    package func recordDeclined(
        _ payment: PaymentID,
        code: String,
        reference: String?,
        counts: Bool,
        retryWindow: Duration
    ) async throws(StoreFailure) {
        let ids = PostgresParameter.uuids([payment.uuid])
        try await run(
            [
                SQL.lockOrdersOfPayments(ids),
                SQL.declinePayments(ids, .texts([code]), .texts([reference])),
                SQL.declineOrders(ids, .int(Int(retryWindow.milliseconds)), .int(counts ? 0 : 1)),
                SQL.paymentOrderEvents(ids, .text("order.payment_declined"), .text("pending"), .text("pinned")),
            ] + OrderEndings.statements(ofPayment: payment)
        )
    }

    package func recordCaptureImpossible(_ payment: PaymentID, code: String) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        try await run(
            [
                SQL.lockOrdersOfPayments(.uuids([payment.uuid])), SQL.failPayment(id, .text(code)), SQL.failOrder(id),
                SQL.voidTickets(id),
            ] + OrderEndings.statements(ofPayment: payment)
        )
    }

    package func beginVoid(
        _ payment: PaymentID,
        reference: String,
        then: OrderState,
        endsNow: Bool
    ) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        try await run(
            [
                SQL.lockOrdersOfPayments(.uuids([payment.uuid])),
                SQL.voidPayment(id, .text(reference), .text(then.rawValue)), SQL.voidOrder(id, .bool(endsNow)),
            ] + OrderEndings.statements(ofPayment: payment)
        )
    }

    package func recordVoided(_ payment: PaymentID, retryWindow: Duration) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        let ids = PostgresParameter.uuids([payment.uuid])
        try await run(
            [
                SQL.lockOrdersOfPayments(ids), SQL.voided(id),
                SQL.voidedOrder(id, .int(Int(retryWindow.milliseconds))),
                SQL.paymentOrderEvents(ids, .text("order.payment_declined"), .text("pending"), .text("pinned")),
            ] + OrderEndings.statements(ofPayment: payment)
        )
    }

    package func adopt(
        _ payment: PaymentID,
        reference: String,
        reclaim: Bool
    ) async throws(StoreFailure) -> Bool {
        let id = PostgresParameter.uuid(payment.uuid)
        let ids = PostgresParameter.uuids([payment.uuid])
        return try await storing { () throws(PostgresFailure) in
            try await pool.transaction([
                SQL.lockOrdersOfPayments(ids), SQL.adoptClaims(id, .bool(reclaim)), SQL.adoptLockQuota(id),
                SQL.adoptQuota(id, .bool(reclaim)), SQL.adoptOrder(id), SQL.adoptPayment(id, .text(reference)),
                SQL.adoptReturn(id), SQL.adoptRelease(id),
                SQL.paymentOrderEvents(ids, .text("order.authorized"), .text("authorized"), .text("pinned")),
            ])[5].rowCount == 1
        }
    }

    package func recordStray(
        _ payment: PaymentID,
        reference: String,
        captured: Money,
        retryWindow: Duration
    ) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(payment.uuid)
        let ids = PostgresParameter.uuids([payment.uuid])
        try await run(
            [
                SQL.lockOrdersOfPayments(ids),
                SQL.strayPayment(id, .text(reference), .int(Int(captured.amountMinor)), .text("money_came_late")),
                SQL.strayOrder(id, .int(Int(retryWindow.milliseconds))), SQL.voidTickets(id),
                SQL.strayRefund(id, .text(captured.currency)), SQL.refundEventsOfPayment(ids),
                SQL.paymentOrderEvents(ids, .text("order.payment_declined"), .text("pending"), .text("pinned")),
            ] + OrderEndings.statements(ofPayment: payment)
        )
    }

    package func markStuck(_ payment: PaymentID, reason: String, delay: Duration) async throws(StoreFailure) {
        try await run([SQL.stuckPayment(.uuid(payment.uuid), .text(reason), .int(Int(delay.milliseconds)))])
    }

    package func postpone(_ payment: PaymentID, by delay: Duration) async throws(StoreFailure) {
        try await run([SQL.postpone(.uuid(payment.uuid), .int(Int(delay.milliseconds)))])
    }

    package func leaseSagas(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [SagaWork] {
        try await storing { () throws(PostgresFailure) in
            let leased = try await pool.execute(
                SQL.leaseSagas(.text(owner), .int(Int(lease.milliseconds)), .int(limit))
            )
            return try await work(leased)
        }
    }

    package func leaseSaga(
        _ payment: PaymentID,
        reference: String?,
        owner: String,
        lease: Duration
    ) async throws(StoreFailure) -> SagaWork? {
        try await storing { () throws(PostgresFailure) in
            let leased = try await pool.execute(
                SQL.leaseSaga(
                    .uuid(payment.uuid),
                    .text(owner),
                    .int(Int(lease.milliseconds)),
                    .text(reference)
                )
            )
            return try await work(leased).first
        }
    }

    private func work(_ leased: QueryResult) async throws(PostgresFailure) -> [SagaWork] {
        let ids = try leased.map { (row) throws(PostgresFailure) in try row.uuid("id") }
        guard !ids.isEmpty else { return [] }
        return try await pool.execute(SQL.sagaWork(.uuids(ids))).map { (row) throws(PostgresFailure) in
            SagaWork(
                payment: try Payment(row),
                orderState: try row.state("order_state"),
                isCancelRequested: try row.bool("cancel_requested"),
                deadline: try row.moment("deadline")
            )
        }
    }

    package func retrySaga(_ payment: PaymentID) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.retryPayment(.uuid(payment.uuid))).rowCount == 1
        }
    }

    package func sagaCounts(stuckAfter: Duration) async throws(StoreFailure) -> SagaCounts {
        try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.openSagas(.int(Int(stuckAfter.milliseconds))), SQL.openRefunds(),
            ])
            var counts = SagaCounts(open: 0, stuck: 0)
            for row in results.compactMap(\.first) {
                counts.open += try row.int("n")
                counts.stuck += try row.int("stuck")
            }
            return counts
        }
    }

    package func unprojected(limit: Int) async throws(StoreFailure) -> [SeatProjection] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.unprojected(.int(limit))).map { (row) throws(PostgresFailure) in
                let outcome: SeatProjection.Outcome =
                    switch try row.text("outcome") {
                    case "pinned": .pinned(until: try row.moment("deadline"))
                    case "sold": .sold
                    case "blocked": .blocked
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
