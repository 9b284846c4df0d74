// Orders, payments and tickets as their owners see them.

package import Ordering
import Postgres

extension OrderDatabase {
    package func order(_ id: OrderID) async throws(StoreFailure) -> Order? {
        try await storing { () throws(PostgresFailure) in try await orderReads.submit(id) }
    }

    package func stamps(of orders: [OrderID]) async throws(StoreFailure) -> [OrderID: String] {
        try await storing { () throws(PostgresFailure) in
            let found = try await pool.execute(SQL.orderStamps(.uuids(orders.map(\.uuid))))
            var stamps: [OrderID: String] = [:]
            for row in found.rows { stamps[try row.id("id")] = try row.text("stamp") }
            return stamps
        }
    }

    package func orders(
        of account: AccountID,
        before: OrderID?,
        limit: Int
    ) async throws(StoreFailure) -> [Order] {
        try await storing { () throws(PostgresFailure) in
            let page = SQL.orderIdsOfAccount(.uuid(account.uuid), .uuid(before?.uuid), .int(limit))
            let ids = try await pool.execute(page).map { (row) throws(PostgresFailure) in try row.uuid("id") }
            return ids.isEmpty ? [] : try await OrderReads(pool: pool).orders(ids)
        }
    }

    package func tickets(
        of account: AccountID,
        before: TicketID?,
        limit: Int
    ) async throws(StoreFailure) -> [Ticket] {
        try await storing { () throws(PostgresFailure) in
            let page = SQL.ticketsOfAccount(.uuid(account.uuid), .uuid(before?.uuid), .int(limit))
            return try await pool.execute(page).map { (row) throws(PostgresFailure) in try Ticket(row) }
        }
    }

    package func payment(_ id: PaymentID) async throws(StoreFailure) -> Payment? {
        try await storing { () throws(PostgresFailure) in try await paymentReads.submit(id) }
    }

    package func order(of ticket: TicketID) async throws(StoreFailure) -> OrderID? {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.orderOfTicket(.uuid(ticket.uuid))).first?.id("order_id")
        }
    }

    package func payment(withReference reference: String) async throws(StoreFailure) -> Payment? {
        try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.execute(SQL.paymentByReference(.text(reference))).first else { return nil }
            return try Payment(row)
        }
    }
}

extension Order {
    /// Without items, payment and tickets.
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            session: try row.id("session_id"),
            account: try row.id("account_id"),
            hold: try row.id("hold_id"),
            state: try row.state(),
            total: try row.money("total_minor"),
            createdAt: try row.moment("created_at"),
            deadline: try row.moment("deadline"),
            items: [],
            payment: nil,
            tickets: []
        )
        version = Int64(try row.int("version"))
        isDisputed = try row.bool("disputed")
        isCancelRequested = try row.bool("cancel_requested")
        failureCode = try row.optionalText("failure_code")
        refundTerms = RefundTerms(
            mode: try row.state("refund_mode"),
            feeFixed: Int64(try row.int("refund_fee_fixed")),
            feeBasisPoints: try row.int("refund_fee_basis_points"),
            until: try row.optionalMoment("refund_until"),
            resells: try row.bool("resells")
        )
    }
}

extension OrderItem {
    init(_ row: Row, in currency: String) throws(PostgresFailure) {
        self.init(
            seat: try row.seat(),
            name: try row.text("name"),
            area: try row.text("area"),
            price: Money(Int64(try row.int("price_minor")), currency)
        )
    }
}

extension Ticket {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            order: try row.id("order_id"),
            session: try row.id("session_id"),
            seat: try row.seat(),
            name: try row.text("name"),
            number: try row.text("number"),
            generation: try row.int("generation"),
            state: try row.state()
        )
    }
}
