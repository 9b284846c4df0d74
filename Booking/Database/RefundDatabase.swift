// Refunds and disputes in PostgreSQL: one order at a time, under its lock.

import Foundation
package import Ordering
package import Postgres

package struct RefundDatabase: RefundStore {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func refund(_ id: RefundID) async throws(StoreFailure) -> RefundDetails? {
        try await storing { () throws(PostgresFailure) in try await details([id.uuid]).first }
    }

    package func refund(withReference reference: String) async throws(StoreFailure) -> RefundDetails? {
        try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.execute(SQL.refundByReference(.text(reference))).first else { return nil }
            return try await details([try row.uuid("id")]).first
        }
    }

    package func request(
        _ refund: Refund,
        isForced: Bool,
        by account: AccountID?,
        owner: String,
        lease: Duration
    ) async throws(StoreFailure) -> RefundRequest {
        let id = PostgresParameter.uuid(refund.id.uuid)
        let event = refund.state == .requested ? "refund.requested" : "refund.submitted"
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.lockOrders(.uuids([refund.order.uuid])),
                SQL.refundRequest(
                    id,
                    .uuid(refund.order.uuid),
                    .uuid(refund.payment?.uuid),
                    .text(refund.kind.rawValue),
                    .text(refund.state.rawValue),
                    .int(Int(refund.amount.amountMinor)),
                    .int(Int(refund.fee)),
                    .text(refund.reason),
                    .uuid(account?.uuid),
                    .milliseconds(refund.createdAt.parameter),
                    .text(owner),
                    .int(Int(lease.milliseconds)),
                    .uuids(refund.shares.map(\.ticket.uuid)),
                    .bool(isForced)
                ),
                SQL.refundShares(
                    id,
                    .uuids(refund.shares.map(\.ticket.uuid)),
                    .ints(refund.shares.map { Int($0.amount) }),
                    .ints(refund.shares.map { Int($0.fee) })
                ),
                SQL.refundReserve(id), SQL.refundTickets(id), SQL.refundEvents(id, .text(event)),
                SQL.refundOutcome(id),
            ])
            guard results[6].first != nil else { return .refused }
            return results[1].changedCount == 1 ? .begun : .alreadyBegun
        }
    }

    package func submit(
        _ refund: RefundID,
        from state: RefundState,
        owner: String,
        lease: Duration
    ) async throws(StoreFailure) -> Bool {
        let id = PostgresParameter.uuid(refund.uuid)
        return try await change(
            [
                SQL.lockOrderOfRefund(id),
                SQL.refundSubmit(id, .text(state.rawValue), .text(owner), .int(Int(lease.milliseconds))),
                SQL.refundTakeShares(id),
            ]
                + (state == .failed ? [SQL.refundReserve(id)] : [])
                + [SQL.refundTickets(id), SQL.refundEvents(id, .text("refund.submitted"))]
        )
    }

    package func reject(_ refund: RefundID, note: String) async throws(StoreFailure) -> Bool {
        let id = PostgresParameter.uuid(refund.uuid)
        return try await change([
            SQL.lockOrderOfRefund(id), SQL.refundReject(id, .text(note)), SQL.refundReleaseShares(id),
            SQL.refundUnreserve(id), SQL.refundEvents(id, .text("refund.rejected")),
        ])
    }

    package func settle(_ refund: RefundID, note: String) async throws(StoreFailure) -> Bool {
        let id = PostgresParameter.uuid(refund.uuid)
        return try await finish(refund) { order in
            [
                SQL.lockOrderOfRefund(id), SQL.refundSettle(id, .text(note)), SQL.refundTakeShares(id),
                SQL.refundSettled(id), SQL.refundTickets(id), SQL.refundVoidTickets(id), SQL.refundOrder(id),
            ] + Self.seats(of: order, event: "order.refunded")
                + [SQL.refundEvents(id, .text("refund.settled_manually"))]
        }
    }

    package func recordAccepted(
        _ refund: RefundID,
        reference: String?,
        lookAfter: Duration
    ) async throws(StoreFailure) {
        let delay = PostgresParameter.int(Int(lookAfter.milliseconds))
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.refundAccept(.uuid(refund.uuid), .text(reference), delay))
        }
    }

    package func recordSucceeded(_ refund: RefundID, reference: String?) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(refund.uuid)
        _ = try await finish(refund) { order in
            [
                SQL.lockOrderOfRefund(id), SQL.refundSucceed(id, .text(reference)), SQL.refundPaid(id),
                SQL.refundVoidTickets(id), SQL.refundOrder(id),
            ] + Self.seats(of: order, event: "order.refunded") + [SQL.refundEvents(id, .text("refund.succeeded"))]
        }
    }

    package func recordFailed(_ refund: RefundID, code: String, reference: String?) async throws(StoreFailure) {
        let id = PostgresParameter.uuid(refund.uuid)
        _ = try await change([
            SQL.lockOrderOfRefund(id), SQL.refundFailPayment(id), SQL.refundFail(id, .text(code), .text(reference)),
            SQL.refundReleaseShares(id), SQL.refundRestoreTickets(id), SQL.refundEvents(id, .text("refund.failed")),
        ])
    }

    package func postpone(_ refund: RefundID, by delay: Duration, stuck: String?) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(
                SQL.postponeRefund(.uuid(refund.uuid), .int(Int(delay.milliseconds)), .text(stuck))
            )
        }
    }

    package func lease(owner: String, lease: Duration, limit: Int) async throws(StoreFailure) -> [RefundDetails] {
        try await storing { () throws(PostgresFailure) in
            let leased = try await pool.execute(
                SQL.leaseRefunds(.text(owner), .int(Int(lease.milliseconds)), .int(limit))
            ).map { (row) throws(PostgresFailure) in try row.uuid("id") }
            return leased.isEmpty ? [] : try await details(leased)
        }
    }

    package func waiting(before: RefundID?, limit: Int) async throws(StoreFailure) -> [RefundDetails] {
        try await storing { () throws(PostgresFailure) in
            let page = SQL.refundsWaiting(.uuid(before?.uuid), .int(limit))
            let ids = try await pool.execute(page).map { (row) throws(PostgresFailure) in try row.uuid("id") }
            return ids.isEmpty ? [] : try await details(ids).sorted { $0.refund.id > $1.refund.id }
        }
    }

    package func wake(_ refund: RefundID) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.retryRefund(.uuid(refund.uuid))).rowCount == 1
        }
    }

    package func recordExternal(
        _ id: RefundID,
        _ refund: ProviderRefund,
        of payment: Payment
    ) async throws(StoreFailure) {
        let parameter = PostgresParameter.uuid(id.uuid)
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.transaction(
                [
                    SQL.lockOrders(.uuids([payment.order.uuid])),
                    SQL.refundExternal(
                        parameter,
                        .int(Int(refund.amount.amountMinor)),
                        .text(refund.reference),
                        .uuid(payment.id.uuid)
                    ),
                    SQL.refundPaid(parameter), SQL.refundVoidTickets(parameter), SQL.refundOrder(parameter),
                ] + Self.seats(of: payment.order, event: "order.refunded")
                    + [SQL.refundEvents(parameter, .text("refund.succeeded"))]
            )
        }
    }

    package func recordDispute(_ dispute: ProviderDispute, of payment: Payment) async throws(StoreFailure) {
        let reference = PostgresParameter.text(dispute.reference)
        let (id, amount) = (PostgresParameter.uuid(payment.id.uuid), dispute.amount.amountMinor)
        let write =
            dispute.status == .open
            ? SQL.disputeOpen(reference, id, .int(Int(amount)))
            : SQL.disputeClose(reference, id, .int(Int(amount)), .text(dispute.status.rawValue))
        let event =
            switch dispute.status {
            case .open: "order.disputed"
            case .won: "order.dispute_won"
            case .lost: "order.charged_back"
            }
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.transaction(
                [
                    SQL.lockOrders(.uuids([payment.order.uuid])), write, SQL.disputeOrder(reference),
                    SQL.disputeTickets(reference),
                ] + Self.seats(of: payment.order, event: event)
            )
        }
    }

    /// What follows when tickets of an order became void: seats, quota, event, Redis.
    private static func seats(of order: OrderID, event: String) -> [Statement] {
        let id = PostgresParameter.uuid(order.uuid)
        return [
            SQL.seatsFree(id), SQL.seatsBlock(id), SQL.seatsLockQuota(id), SQL.seatsQuota(id),
            SQL.seatsEvents(id, .text(event)),
        ]
    }

    /// - Returns: whether the second statement, the one after the lock, changed anything.
    private func change(_ statements: [Statement]) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.transaction(statements)[1].changedCount == 1
        }
    }

    private func finish(
        _ refund: RefundID,
        _ statements: (OrderID) -> [Statement]
    ) async throws(StoreFailure) -> Bool {
        guard let found = try await self.refund(refund) else { return false }
        return try await change(statements(found.refund.order))
    }

    private func details(_ ids: [UUID]) async throws(PostgresFailure) -> [RefundDetails] {
        let found = try await pool.execute(SQL.refundsByID(.uuids(ids)))
        let refunds = try await Refund.read(found, with: pool)
        var details: [RefundDetails] = []
        for (row, refund) in zip(found.rows, refunds) {
            details.append(
                RefundDetails(refund: refund, session: try row.id("session_id"), account: try row.id("account_id"))
            )
        }
        return details
    }
}

extension Refund {
    /// The refunds of a result, with their tickets, in its order.
    static func read(_ result: QueryResult, with pool: PostgresPool) async throws(PostgresFailure) -> [Refund] {
        var refunds = try result.map { (row) throws(PostgresFailure) in try Refund(row) }
        guard !refunds.isEmpty else { return [] }
        var shares: [RefundID: [Share]] = [:]
        for row in try await pool.execute(SQL.sharesOfRefunds(.uuids(refunds.map(\.id.uuid)))).rows {
            let share = Share(
                ticket: try row.id("ticket_id"),
                amount: Int64(try row.int("amount_minor")),
                fee: Int64(try row.int("fee_minor"))
            )
            shares[try row.id("refund_id"), default: []].append(share)
        }
        for index in refunds.indices { refunds[index].shares = shares[refunds[index].id] ?? [] }
        return refunds
    }

    private init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            order: try row.id("order_id"),
            payment: try row.optionalID("payment_id"),
            kind: try row.state("kind"),
            state: try row.state(),
            amount: try row.money("amount_minor"),
            fee: Int64(try row.int("fee_minor")),
            reason: try row.text("reason"),
            shares: [],
            attempt: try row.int("attempt"),
            createdAt: try row.moment("created_at")
        )
        reference = try row.optionalText("provider_ref")
        paymentReference = try row.optionalText("payment_ref")
        failureCode = try row.optionalText("failure_code")
        note = try row.optionalText("note")
    }
}
