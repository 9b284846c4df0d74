// Orders created together: one transaction for up to 256 of them, each succeeding or failing alone.

import Foundation
import Ordering
import Postgres

struct OrderCreationCommand: Sendable {
    let order: NewOrder
    /// Whether it steps back when an order before it in the batch wants one of its seats. Waiting once makes the
    /// common case exact (that order may fail, and then the seat is free); waiting again would line up everybody who
    /// wants the same seat.
    let stepsBackForSeats: Bool
}

enum OrderCreationResult: Sendable {
    case decided(OrderCreation)
    /// Not sent: an order before it in the batch must be decided first.
    case steppedBack
}

/// The statements, in the order of their locks: keys, claims, quota. Every transaction that takes several of these
/// takes them in this order and sorted within each, so that none waits for another in a circle.
struct OrderCreations: Sendable {
    let pool: PostgresPool

    func carry(_ commands: [OrderCreationCommand]) async throws(PostgresFailure) -> [OrderCreationResult] {
        let chosen = Self.choose(commands)
        let orders = chosen.map { commands[$0].order }
        let results = try await pool.transaction(Self.statements(orders))
        let decisions = try Self.decisions(orders, lost: results[2], outcomes: results[9])
        var answers = [OrderCreationResult](repeating: .steppedBack, count: commands.count)
        for (index, decision) in zip(chosen, decisions) { answers[index] = .decided(decision) }
        return answers
    }

    struct Key: Hashable {
        let scope: String
        let hash: [UInt8]

        init(_ order: NewOrder) {
            scope = order.idempotency.scope
            hash = order.idempotency.keyHash
        }
    }

    private struct Buyer: Hashable {
        let session: SessionID
        let account: AccountID
    }

    private struct Seat: Hashable {
        let session: SessionID
        let number: SeatNumber
    }

    /// The commands that can go together: each key once, each buyer of a session once.
    static func choose(_ commands: [OrderCreationCommand]) -> [Int] {
        var keys: Set<Key> = []
        var buyers: Set<Buyer> = []
        var seats: Set<Seat> = []
        var chosen: [Int] = []
        for (index, command) in commands.enumerated() {
            let order = command.order
            let key = Key(order)
            let buyer = Buyer(session: order.session, account: order.account)
            let wanted = order.items.map { Seat(session: order.session, number: $0.seat) }
            guard !keys.contains(key), !buyers.contains(buyer) else { continue }
            if command.stepsBackForSeats, wanted.contains(where: seats.contains) { continue }
            keys.insert(key)
            buyers.insert(buyer)
            seats.formUnion(wanted)
            chosen.append(index)
        }
        return chosen
    }

    private static func statements(_ orders: [NewOrder]) -> [Statement] {
        let ids = PostgresParameter.uuids(orders.map(\.id.uuid))
        let sessions = PostgresParameter.uuids(orders.map(\.session.uuid))
        let accounts = PostgresParameter.uuids(orders.map(\.account.uuid))
        let fences = PostgresParameter.ints(orders.map { Int($0.fence) })
        let seats = PostgresParameter.texts(orders.map(\.items.seatArray))
        let scopes = PostgresParameter.texts(orders.map(\.idempotency.scope))
        let hashes = PostgresParameter.byteses(orders.map(\.idempotency.keyHash))
        return [
            keys(orders),
            SQL.createClaims(ids, sessions, fences, seats, scopes, hashes),
            SQL.createLost(ids, sessions, seats),
            SQL.createQuota(ids, sessions, accounts, .ints(orders.map(\.limit)), seats),
            SQL.createOrders(
                ids,
                sessions,
                accounts,
                .uuids(orders.map(\.hold.uuid)),
                fences,
                .ints(orders.map(\.items.count)),
                .ints(orders.map { Int($0.total.amountMinor) }),
                .texts(orders.map(\.total.currency)),
                .millisecondses(orders.map(\.createdAt.parameter)),
                .millisecondses(orders.map(\.deadline.parameter))
            ),
            SQL.createRelease(ids, sessions, seats),
            SQL.createForget(scopes, hashes, ids),
            items(orders),
            SQL.orderEvents(ids, .text("order.created"), .text("pending"), .text("pinned")),
            SQL.createOutcomes(ids, sessions, accounts, scopes, hashes),
        ]
    }

    static func keys(_ orders: [NewOrder]) -> Statement {
        SQL.createKeys(
            .texts(orders.map(\.idempotency.scope)),
            .byteses(orders.map(\.idempotency.keyHash)),
            .byteses(orders.map(\.idempotency.fingerprint)),
            .ints(orders.map(\.idempotency.replyStatus)),
            .byteses(orders.map(\.idempotency.replyBody)),
            .uuids(orders.map(\.id.uuid))
        )
    }

    static func items(_ orders: [NewOrder]) -> Statement {
        let lines = orders.flatMap { order in
            order.items.enumerated().map { (order: order.id.uuid, place: $0.offset + 1, item: $0.element) }
        }
        return SQL.createItems(
            .uuids(lines.map(\.order)),
            .ints(lines.map { Int($0.item.seat) }),
            .ints(lines.map(\.place)),
            .texts(lines.map(\.item.name)),
            .texts(lines.map(\.item.area)),
            .ints(lines.map { Int($0.item.price.amountMinor) })
        )
    }

    private static func decisions(
        _ orders: [NewOrder],
        lost: QueryResult,
        outcomes: QueryResult
    ) throws(PostgresFailure) -> [OrderCreation] {
        var lostSeats: [OrderID: [SeatNumber]] = [:]
        for row in lost.rows { lostSeats[try row.id("order_id")] = try row.seats() }
        guard outcomes.rowCount == orders.count else { throw .unreadable("outcomes do not match orders") }
        var decisions: [OrderCreation] = []
        for (order, row) in zip(orders, outcomes.rows) {
            decisions.append(try decision(order, row, lost: lostSeats[order.id] ?? []))
        }
        return decisions
    }

    private static func decision(
        _ order: NewOrder,
        _ row: Row,
        lost: [SeatNumber]
    ) throws(PostgresFailure) -> OrderCreation {
        if try row.bool("is_created") { return .created }
        if let replay = try replay(of: order, row) { return replay }
        guard try row.bool("is_selling") else { return .notOnSale }
        guard lost.isEmpty else { return .seatsTaken(lost) }
        return .limitExceeded(limit: order.limit, remaining: max(0, order.limit - (try row.int("used"))))
    }

    /// What the key stands for: a failed order's own key was given back, so one that is there belongs to an earlier order.
    static func replay(of order: NewOrder, _ row: Row) throws(PostgresFailure) -> OrderCreation? {
        guard let fingerprint = try row.optionalBytes("fingerprint") else { return nil }
        guard fingerprint == order.idempotency.fingerprint else { return .keyReused }
        return .replayed(status: try row.int("status"), body: try row.bytes("body"))
    }
}
