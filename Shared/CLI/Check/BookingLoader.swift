// Reads from PostgreSQL what the promises speak of, all of it as of one moment.

import Checking
import Foundation
import Ordering
import Postgres

struct BookingLoader {
    let pool: PostgresPool

    /// One snapshot: the statements see the same moment, whatever is sold meanwhile.
    func load() async throws(PostgresFailure) -> BookingFacts {
        let results = try await pool.transaction([
            Statement("check_begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Statement("check_sessions", PackageResources.check_sessions_sql.text),
            Statement("check_orders", PackageResources.check_orders_sql.text),
            Statement("check_items", PackageResources.check_items_sql.text),
            Statement("check_claims", PackageResources.check_claims_sql.text),
            Statement("check_tickets", PackageResources.check_tickets_sql.text),
            Statement("check_payments", PackageResources.check_payments_sql.text),
            Statement("check_quotas", PackageResources.check_quotas_sql.text),
            Statement("check_projections", PackageResources.check_projections_sql.text),
            Statement("check_refunds", PackageResources.check_refunds_sql.text),
            Statement("check_end", "COMMIT"),
        ])
        guard results.count == 11 else { throw .unreadable("\(results.count) results") }
        var facts = BookingFacts()
        for row in results[1].rows { facts.sessions.append(try Self.session(row)) }
        for row in results[2].rows {
            let order = try Self.order(row)
            facts.orders[order.id] = order
        }
        for row in results[3].rows {
            let order: OrderID = try row.id("order_id")
            facts.orders[order]?.items[try row.seatNumber()] = Int64(try row.int("price_minor"))
        }
        for row in results[4].rows { facts.claims.append(try Self.claim(row)) }
        for row in results[5].rows { facts.tickets.append(try Self.ticket(row)) }
        for row in results[6].rows { facts.payments.append(try Self.payment(row)) }
        for row in results[7].rows { facts.quotas.append(try Self.quota(row)) }
        for row in results[9].rows { facts.refunds.append(try Self.refund(row)) }
        facts.waitingProjections = try results[8].first?.int("waiting") ?? 0
        return facts
    }

    private static func session(_ row: Row) throws(PostgresFailure) -> BookingFacts.Session {
        let state: SessionState = try row.word("state")
        return BookingFacts.Session(
            id: try row.id("id"),
            epoch: Int64(try row.int("epoch")),
            seatCount: try row.int("seats"),
            isLoaded: state.isVisible
        )
    }

    private static func order(_ row: Row) throws(PostgresFailure) -> BookingFacts.Order {
        var order = BookingFacts.Order(
            id: try row.id("id"),
            session: try row.id("session_id"),
            account: try row.id("account_id"),
            hold: try row.id("hold_id"),
            state: try row.word("state"),
            total: Money(Int64(try row.int("total_minor")), try row.text("currency")),
            items: [:]
        )
        order.isDisputed = try row.bool("disputed")
        order.version = try row.int("version")
        order.eventCount = try row.int("events")
        order.lastEvent = try row.int("last_event")
        return order
    }

    private static func claim(_ row: Row) throws(PostgresFailure) -> BookingFacts.Claim {
        BookingFacts.Claim(
            seat: Seat(try row.id("session_id"), try row.seatNumber()),
            state: try row.word("state"),
            order: try row.optionalUUID("order_id").map { Identifier($0) }
        )
    }

    private static func ticket(_ row: Row) throws(PostgresFailure) -> BookingFacts.Ticket {
        // A ticket that has been used or is in a refund is still the right to its seat.
        let state: Ticket.State =
            switch try row.text("state") {
            case "pending": .pending
            case "void", "expired": .void
            default: .valid
            }
        return BookingFacts.Ticket(
            id: try row.id("id"),
            order: try row.id("order_id"),
            seat: Seat(try row.id("session_id"), try row.seatNumber()),
            number: try row.text("number"),
            state: state
        )
    }

    private static func payment(_ row: Row) throws(PostgresFailure) -> BookingFacts.Payment {
        var payment = BookingFacts.Payment(
            id: try row.id("id"),
            order: try row.id("order_id"),
            state: try row.word("state"),
            amount: Money(Int64(try row.int("amount_minor")), try row.text("currency")),
            captured: Int64(try row.int("captured")),
            reference: try row.optionalText("provider_ref")
        )
        payment.refunded = Int64(try row.int("refunded"))
        payment.refunding = Int64(try row.int("refunding"))
        payment.settled = Int64(try row.int("settled"))
        return payment
    }

    private static func refund(_ row: Row) throws(PostgresFailure) -> BookingFacts.Refund {
        BookingFacts.Refund(
            id: try row.id("id"),
            payment: try row.optionalUUID("payment_id").map { Identifier($0) },
            kind: try row.word("kind"),
            state: try row.word("state"),
            amount: Int64(try row.int("amount_minor")),
            tickets: try row.uuids("tickets").map { Identifier($0) }
        )
    }

    private static func quota(_ row: Row) throws(PostgresFailure) -> BookingFacts.Quota {
        BookingFacts.Quota(
            session: try row.id("session_id"),
            account: try row.id("account_id"),
            used: try row.int("used"),
            limit: try row.int("lim")
        )
    }
}

extension Identifier {
    fileprivate init(_ uuid: UUID) {
        let words = withUnsafeBytes(of: uuid.uuid) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }
}

extension Row {
    fileprivate func id<Kind>(_ name: String) throws(PostgresFailure) -> Identifier<Kind> {
        Identifier(try uuid(name))
    }

    fileprivate func seatNumber() throws(PostgresFailure) -> SeatNumber {
        guard let seat = SeatNumber(exactly: try int("seat_no")) else { throw .unreadable("column seat_no: no seat") }
        return seat
    }

    fileprivate func word<State: RawRepresentable>(
        _ name: String
    ) throws(PostgresFailure) -> State where State.RawValue == String {
        let word = try text(name)
        guard let state = State(rawValue: word) else { throw .unreadable("column \(name): unknown word \(word)") }
        return state
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
