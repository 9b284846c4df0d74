// What must hold at any moment, whatever happened before: checked at the end of every test.

import Foundation
import Postgres
import Testing

func clockMilliseconds() -> Int { Int(Date().timeIntervalSince1970 * 1000) }

extension Booking {
    private static let breaches: [(what: String, sql: String)] = [
        (
            "an open order has exactly its claims, an ended one none",
            """
            SELECT count(*) FROM orders LEFT JOIN LATERAL (
                SELECT count(*) AS n, count(*) FILTER (WHERE state = 'sold') AS sold FROM seat_claim
                WHERE order_id = orders.id) AS claims ON true
            WHERE claims.n <> CASE WHEN state IN ('cancelled', 'expired', 'failed') THEN 0 ELSE seat_count END
                OR claims.sold <> CASE WHEN state IN ('confirmed', 'paid') THEN seat_count ELSE 0 END
            """
        ),
        ("no claim without its order", "SELECT count(*) FROM seat_claim WHERE order_id IS NULL AND state <> 'blocked'"),
        (
            "an order has as many items as seats",
            """
            SELECT count(*) FROM orders
            WHERE seat_count <> (SELECT count(*) FROM order_item WHERE order_id = orders.id)
            """
        ),
        (
            "the quota used is the seats of open and paid orders",
            """
            SELECT count(*) FROM user_quota AS quota WHERE used <> (
                SELECT coalesce(sum(seat_count), 0) FROM orders WHERE orders.session_id = quota.session_id
                AND orders.account_id = quota.account_id AND state NOT IN ('cancelled', 'expired', 'failed'))
            """
        ),
        (
            "every order has a quota row",
            """
            SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT FROM user_quota AS quota
            WHERE quota.session_id = orders.session_id AND quota.account_id = orders.account_id)
            """
        ),
        (
            "a key stands for an order that exists, and an order has its key",
            """
            SELECT count(*) FROM idempotency_key AS key FULL JOIN orders ON orders.id = key.resource_id
            WHERE orders.id IS NULL OR key.resource_id IS NULL
            """
        ),
        (
            "the events of an order are numbered without gaps up to its version",
            """
            SELECT count(*) FROM orders WHERE version <> (SELECT count(*) FROM outbox WHERE aggregateid = orders.id)
                OR version <> (SELECT max(seq) FROM outbox WHERE aggregateid = orders.id)
            """
        ),
        (
            "tickets follow their order",
            """
            SELECT count(*) FROM orders WHERE
                (SELECT count(*) FROM ticket WHERE order_id = orders.id AND ticket.state = 'valid')
                    <> CASE orders.state WHEN 'paid' THEN seat_count ELSE 0 END
                OR (SELECT count(*) FROM ticket WHERE order_id = orders.id AND ticket.state = 'pending')
                    <> CASE orders.state WHEN 'confirmed' THEN seat_count ELSE 0 END
            """
        ),
        (
            "paid means captured in full, and captured means paid",
            """
            SELECT count(*) FROM orders FULL JOIN (SELECT * FROM payment WHERE state = 'captured') AS payment
                ON payment.order_id = orders.id
            WHERE (orders.state = 'paid') IS DISTINCT FROM (payment.captured = orders.total_minor)
                AND (orders.state = 'paid' OR payment.id IS NOT NULL)
            """
        ),
        (
            "Redis is told of every order",
            """
            SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT FROM seat_projection WHERE order_id = orders.id)
            """
        ),
    ]

    func expectSound() async throws {
        for breach in Self.breaches {
            let count = try await count(breach.sql)
            #expect(count == 0, "\(breach.what)")
        }
    }
}
