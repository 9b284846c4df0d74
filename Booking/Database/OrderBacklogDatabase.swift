package import Ordering
package import Postgres

/// The backlog of accepted orders in PostgreSQL: the orders in the state `processing`.
package final class OrderBacklogDatabase: OrderBacklog {
    /// How often one order may step back for another one of the same key.
    private static let stepsBackMax = 8

    private let pool: PostgresPool
    private let acceptances: CommandBatch<NewOrder, OrderCreationResult>

    /// - Parameters:
    ///   - pool: connections under `BookingDatabase.tuned` settings.
    ///   - waitingMax: accepted orders that may wait, for all processes together; several that accept at the same
    ///     moment may each exceed it by a batch.
    package init(pool: PostgresPool, waitingMax: Int) {
        self.pool = pool
        let accepting = OrderAcceptances(pool: pool, waitingMax: waitingMax)
        acceptances = CommandBatch { (orders) throws(PostgresFailure) in try await accepting.carry(orders) }
    }

    package func accept(_ order: NewOrder) async throws(StoreFailure) -> OrderCreation {
        for _ in 0..<Self.stepsBackMax {
            let result = try await storing { () throws(PostgresFailure) in try await acceptances.submit(order) }
            if case .decided(let creation) = result { return creation }
        }
        throw .overloaded
    }

    package func waiting(limit: Int) async throws(StoreFailure) -> [WaitingOrder] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.backlogFront(.int(limit))).map { (row) throws(PostgresFailure) in
                WaitingOrder(
                    id: try row.id("id"),
                    session: try row.id("session_id"),
                    account: try row.id("account_id"),
                    seats: try row.seats()
                )
            }
        }
    }

    package func decide(_ orders: [WaitingOrder]) async throws(StoreFailure) -> BacklogStep {
        guard !orders.isEmpty else { return BacklogStep(created: 0, failed: 0) }
        return try await storing { () throws(PostgresFailure) in try await decide(orders.map(\.id)) }
    }

    package func size() async throws(StoreFailure) -> BacklogSize {
        try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.execute(SQL.backlogSize()).first else { throw .unreadable("no size") }
            return BacklogSize(count: try row.int("n"), oldest: .milliseconds(max(0, try row.int("oldest_ms"))))
        }
    }

    /// One transaction. One that the server refuses for its content is halved until the order at fault stands alone:
    /// that order fails, so that nobody waits behind it for ever.
    private func decide(_ orders: [OrderID]) async throws(PostgresFailure) -> BacklogStep {
        let ids = PostgresParameter.uuids(orders.map(\.uuid))
        do {
            return try await step(
                ids,
                [
                    SQL.backlogClaims(ids), SQL.backlogQuota(ids), SQL.backlogCreate(ids), SQL.backlogRefuse(ids),
                    SQL.releaseClaims(ids),
                ]
            )
        } catch {
            guard case .refused(let state, _, _) = error, ["22", "23"].contains(state.classCode) else { throw error }
            guard orders.count > 1 else { return try await step(ids, [SQL.backlogGiveUp(.uuid(orders[0].uuid))]) }
            let front = try await decide(Array(orders.prefix(orders.count / 2)))
            let rest = try await decide(Array(orders.dropFirst(orders.count / 2)))
            return BacklogStep(created: front.created + rest.created, failed: front.failed + rest.failed)
        }
    }

    /// Locks the orders, moves them, and tells of it.
    private func step(_ ids: PostgresParameter, _ moves: [Statement]) async throws(PostgresFailure) -> BacklogStep {
        let results = try await pool.transaction(
            [SQL.lockOrders(ids)] + moves + [
                SQL.orderEvents(ids, .text("order.created"), .text("pending"), .text("pinned")),
                SQL.orderEvents(ids, .text("order.failed"), .text("failed"), .text(nil)),
                SQL.backlogFree(ids),
                SQL.backlogOutcome(ids),
            ]
        )
        guard let row = results.last?.first else { throw .unreadable("no outcome") }
        return BacklogStep(created: try row.int("created"), failed: try row.int("failed"))
    }
}

extension OrderDatabase {
    /// An order that still waits in the backlog is cancelled without asking anybody; `false` when it waits no more.
    func cancelWaiting(_ order: OrderID, by account: AccountID) async throws(StoreFailure) -> Bool {
        let ids = PostgresParameter.uuids([order.uuid])
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.lockOrders(ids),
                SQL.backlogCancel(.uuid(order.uuid), .uuid(account.uuid)),
                SQL.orderEvents(ids, .text("order.cancelled"), .text("cancelled"), .text(nil)),
                SQL.backlogFree(ids),
            ])
            return results[1].changedCount == 1
        }
    }
}
