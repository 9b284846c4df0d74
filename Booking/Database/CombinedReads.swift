// What every purchase reads and hears, for many of them at once.

import Foundation
import Ordering
import Postgres

/// Orders by id, with items, newest payment, tickets and refunds, read in one transaction.
struct OrderReads: Sendable {
    let pool: PostgresPool

    func carry(_ ids: [OrderID]) async throws(PostgresFailure) -> [Order?] {
        var found: [OrderID: Order] = [:]
        for order in try await orders(Set(ids).map(\.uuid)) { found[order.id] = order }
        return ids.map { found[$0] }
    }

    /// Newest first.
    func orders(_ ids: [UUID]) async throws(PostgresFailure) -> [Order] {
        let wanted = PostgresParameter.uuids(ids)
        let results = try await pool.transaction([
            SQL.ordersByID(wanted), SQL.itemsOfOrders(wanted), SQL.paymentsOfOrders(wanted),
            SQL.ticketsOfOrders(wanted), SQL.refundsOfOrders(wanted),
        ])
        var (items, payments, tickets): ([UUID: [Row]], [UUID: Row], [UUID: [Ticket]]) = ([:], [:], [:])
        for row in results[1].rows { items[try row.uuid("order_id"), default: []].append(row) }
        for row in results[2].rows { payments[try row.uuid("order_id")] = row }
        for row in results[3].rows { tickets[try row.uuid("order_id"), default: []].append(try Ticket(row)) }
        var refunds: [OrderID: [Refund]] = [:]
        for refund in try await Refund.read(results[4], with: pool) {
            refunds[refund.order, default: []].append(refund)
        }
        var orders: [Order] = []
        for row in results[0].rows {
            let id = try row.uuid("id")
            var order = try Order(row)
            for item in items[id] ?? [] { order.items.append(try OrderItem(item, in: order.total.currency)) }
            if let payment = payments[id] { order.payment = try Payment(payment) }
            order.tickets = tickets[id] ?? []
            order.refunds = refunds[order.id] ?? []
            orders.append(order)
        }
        return orders
    }
}

struct PaymentReads: Sendable {
    let pool: PostgresPool

    func carry(_ ids: [PaymentID]) async throws(PostgresFailure) -> [Payment?] {
        var found: [PaymentID: Payment] = [:]
        for row in try await pool.execute(SQL.paymentsByID(.uuids(Set(ids).map(\.uuid)))).rows {
            let payment = try Payment(row)
            found[payment.id] = payment
        }
        return ids.map { found[$0] }
    }
}

/// What the provider told, each event taken once.
struct Receipts: Sendable {
    struct Command: Sendable {
        let id: String
        let body: [UInt8]
    }

    let pool: PostgresPool

    /// - Returns: whether each is new.
    func carry(_ commands: [Command]) async throws(PostgresFailure) -> [Bool] {
        var distinct: [String: Command] = [:]
        for command in commands where distinct[command.id] == nil { distinct[command.id] = command }
        let told = Array(distinct.values)
        let taken = try await pool.execute(
            SQL.eventReceive(.texts(told.map(\.id)), .byteses(told.map(\.body)))
        ).map { (row) throws(PostgresFailure) in try row.text("id") }
        // Of two that came at the same time the first is new.
        var new = Set(taken)
        return commands.map { new.remove($0.id) != nil }
    }
}
