// Orders accepted together: key, order and items are written, nothing is claimed yet.

import Ordering
import Postgres

struct OrderAcceptances: Sendable {
    let pool: PostgresPool
    let waitingMax: Int

    func carry(_ orders: [NewOrder]) async throws(PostgresFailure) -> [OrderCreationResult] {
        var keys: Set<OrderCreations.Key> = []
        let chosen = orders.indices.filter { keys.insert(OrderCreations.Key(orders[$0])).inserted }
        let batch = chosen.map { orders[$0] }
        let results = try await pool.transaction(statements(batch))
        guard let outcomes = results.last, outcomes.rowCount == batch.count else {
            throw .unreadable("outcomes do not match orders")
        }
        var answers = [OrderCreationResult](repeating: .steppedBack, count: orders.count)
        for (index, row) in zip(chosen, outcomes.rows) {
            answers[index] = .decided(try Self.outcome(orders[index], row))
        }
        return answers
    }

    private func statements(_ orders: [NewOrder]) -> [Statement] {
        let ids = PostgresParameter.uuids(orders.map(\.id.uuid))
        let sessions = PostgresParameter.uuids(orders.map(\.session.uuid))
        let accounts = PostgresParameter.uuids(orders.map(\.account.uuid))
        let scopes = PostgresParameter.texts(orders.map(\.idempotency.scope))
        let hashes = PostgresParameter.byteses(orders.map(\.idempotency.keyHash))
        return [
            OrderCreations.keys(orders),
            SQL.backlogAccept(
                ids,
                sessions,
                accounts,
                .uuids(orders.map(\.hold.uuid)),
                .ints(orders.map { Int($0.fence) }),
                .ints(orders.map(\.items.count)),
                .ints(orders.map { Int($0.total.amountMinor) }),
                .texts(orders.map(\.total.currency)),
                .millisecondses(orders.map(\.createdAt.parameter)),
                .millisecondses(orders.map(\.deadline.parameter)),
                scopes,
                hashes,
                .int(waitingMax)
            ),
            SQL.createForget(scopes, hashes, ids),
            OrderCreations.items(orders),
            SQL.orderEvents(ids, .text("order.accepted"), .text("processing"), .text("pinned")),
            SQL.createOutcomes(ids, sessions, accounts, scopes, hashes),
        ]
    }

    private static func outcome(_ order: NewOrder, _ row: Row) throws(PostgresFailure) -> OrderCreation {
        if try row.bool("is_created") { return .created }
        if let replay = try OrderCreations.replay(of: order, row) { return replay }
        return try row.bool("is_selling") ? .backlogFull : .notOnSale
    }
}
