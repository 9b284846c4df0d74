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
            WHERE claims.n <> CASE
                    WHEN state IN ('processing', 'cancelled', 'expired', 'failed', 'refunded', 'charged_back') THEN 0
                    WHEN state = 'partially_refunded' THEN (SELECT count(*) FROM ticket
                        WHERE ticket.order_id = orders.id AND ticket.state <> 'void')
                    ELSE seat_count END
                OR claims.sold <> CASE WHEN state IN ('confirmed', 'paid') THEN seat_count
                    WHEN state = 'partially_refunded' THEN claims.n ELSE 0 END
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
            "the quota used is what the account's orders have claimed",
            """
            SELECT count(*) FROM user_quota AS quota WHERE used <> (
                SELECT count(*) FROM seat_claim AS claim JOIN orders ON orders.id = claim.order_id
                WHERE orders.session_id = quota.session_id AND orders.account_id = quota.account_id)
            """
        ),
        (
            "every order that was ever made has a quota row",
            """
            SELECT count(*) FROM orders
            WHERE EXISTS (SELECT FROM outbox WHERE aggregateid = orders.id AND type = 'order.created') AND NOT EXISTS (SELECT FROM user_quota AS quota
            WHERE quota.session_id = orders.session_id AND quota.account_id = orders.account_id)
            """
        ),
        (
            "a key stands for an order that exists, and an order has its key for a day",
            """
            SELECT count(*) FROM (SELECT * FROM idempotency_key WHERE resource_id IS NOT NULL) AS key
                FULL JOIN orders ON orders.id = key.resource_id
            WHERE orders.id IS NULL
                OR key.resource_id IS NULL AND orders.created_at > now() - interval '24 hours'
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
                (SELECT count(*) FROM ticket WHERE order_id = orders.id AND ticket.state NOT IN ('pending', 'void'))
                    <> CASE orders.state WHEN 'paid' THEN seat_count WHEN 'partially_refunded' THEN
                        (SELECT count(*) FROM seat_claim WHERE order_id = orders.id) ELSE 0 END
                OR (SELECT count(*) FROM ticket WHERE order_id = orders.id AND ticket.state = 'pending')
                    <> CASE orders.state WHEN 'confirmed' THEN seat_count ELSE 0 END
            """
        ),
        (
            "paid means captured in full, and captured means paid",
            """
            SELECT count(*) FROM orders FULL JOIN (SELECT * FROM payment WHERE state = 'captured') AS payment
                ON payment.order_id = orders.id
            WHERE orders.total_minor > 0 AND (
                orders.state IN ('paid', 'partially_refunded', 'refunded', 'charged_back')
                    AND coalesce(payment.captured, 0) < orders.total_minor
                OR orders.state NOT IN ('paid', 'partially_refunded', 'refunded', 'charged_back')
                    AND payment.id IS NOT NULL)
            """
        ),
        (
            "what a payment gave back is the sum of its refunds",
            """
            SELECT count(*) FROM payment LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS refunded,
                    coalesce(sum(amount_minor) FILTER (WHERE state IN ('requested', 'submitting', 'pending')), 0)
                        AS refunding,
                    coalesce(sum(amount_minor) FILTER (WHERE state = 'settled_manually'), 0) AS settled
                FROM refund WHERE refund.payment_id = payment.id) AS sums ON true
            WHERE (payment.refunded, payment.refunding, payment.settled)
                IS DISTINCT FROM (sums.refunded, sums.refunding, sums.settled)
            """
        ),
        (
            "the events of a refund are numbered up to its version",
            """
            SELECT count(*) FROM refund
            WHERE version <> (SELECT count(*) FROM outbox WHERE aggregateid = refund.id)
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
