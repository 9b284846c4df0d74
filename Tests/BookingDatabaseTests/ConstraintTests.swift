import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

/// The last guards: what a mistaken statement would run into.
@Suite struct ConstraintTests {
    struct Breach: Sendable, CustomTestStringConvertible {
        let what: String
        let sql: String
        let constraint: String

        var testDescription: String { what }
    }

    static let breaches = [
        Breach(
            what: "a seat claimed twice",
            sql: "INSERT INTO seat_claim SELECT session_id, seat_no, order_id, 'pending', 0 FROM seat_claim LIMIT 1",
            constraint: "seat_claim_pkey"
        ),
        Breach(
            what: "a claim of a seat that is not there",
            sql: "INSERT INTO seat_claim SELECT session_id, 9999, order_id, 'pending', 0 FROM seat_claim LIMIT 1",
            constraint: "seat_claim_session_id_seat_no_fkey"
        ),
        Breach(
            what: "a claim of no order",
            sql: "UPDATE seat_claim SET order_id = NULL",
            constraint: "blocked_without_order"
        ),
        Breach(
            what: "a second live payment",
            sql: """
                INSERT INTO payment (id, order_id, attempt, state, method, amount_minor, started_at, owner, lease_until)
                SELECT gen_random_uuid(), order_id, 9, 'authorizing', method, amount_minor, now(), 'x', now() FROM payment
                """,
            constraint: "payment_live"
        ),
        Breach(
            what: "more captured than authorized",
            sql: "UPDATE payment SET captured = authorized + 1",
            constraint: "captured_within_authorized"
        ),
        Breach(
            what: "more refunded than captured",
            sql: "UPDATE payment SET refunded = captured + 1",
            constraint: "refunded_within_captured"
        ),
        Breach(
            what: "a provider's payment recorded twice",
            sql: """
                INSERT INTO payment (id, order_id, attempt, state, provider_ref, method, amount_minor, started_at, owner,
                    lease_until)
                SELECT gen_random_uuid(), order_id, 9, 'failed', provider_ref, method, amount_minor, now(), 'x', now()
                FROM payment
                """,
            constraint: "payment_provider_ref"
        ),
        Breach(
            what: "a second live ticket for a seat",
            sql: """
                INSERT INTO ticket (id, session_id, seat_no, order_id, name, number, state)
                SELECT gen_random_uuid(), session_id, seat_no, order_id, name, 'other', 'valid' FROM ticket LIMIT 1
                """,
            constraint: "ticket_seat"
        ),
        Breach(
            what: "a ticket number given twice",
            sql: """
                INSERT INTO ticket (id, session_id, seat_no, order_id, name, number, state)
                SELECT gen_random_uuid(), session_id, 99, order_id, name, number, 'valid' FROM ticket LIMIT 1
                """,
            constraint: "ticket_number"
        ),
        Breach(
            what: "more seats than the limit",
            sql: "UPDATE user_quota SET used = lim + 1",
            constraint: "quota_kept"
        ),
        Breach(
            what: "quota given back twice",
            sql: "UPDATE user_quota SET used = -1",
            constraint: "quota_kept"
        ),
        Breach(
            what: "an idempotency key twice",
            sql: "INSERT INTO idempotency_key SELECT * FROM idempotency_key",
            constraint: "idempotency_key_pkey"
        ),
        Breach(
            what: "two events with one number",
            sql: """
                INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
                SELECT aggregatetype, aggregateid, seq, type, payload FROM outbox LIMIT 1
                """,
            constraint: "outbox_sequence"
        ),
    ]

    @Test(arguments: breaches) func `the database refuses`(breach: Breach) async throws {
        try await withBooking { (booking) async throws in
            _ = try await booking.buy([0, 1])
            let failure = await #expect(throws: PostgresFailure.self) {
                try await booking.pool.execute(Statement("breach", breach.sql))
            }
            #expect(failure?.constraint == breach.constraint)
        }
    }
}
