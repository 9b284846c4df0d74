// What staff does to seats, in PostgreSQL, which decides.

package import Ordering
import Postgres

extension CatalogueDatabase {
    package func block(_ action: SeatAction) async throws(StoreFailure) -> [SeatNumber] {
        try await act(action, SQL.blockSeats)
    }

    package func unblock(_ action: SeatAction) async throws(StoreFailure) -> [SeatNumber] {
        try await act(action, SQL.unblockSeats)
    }

    package func history(
        of seat: SeatNumber,
        in session: SessionID,
        limit: Int
    ) async throws(StoreFailure) -> [SeatEvent] {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.seatHistory(.uuid(session.uuid), .int(Int(seat)), .int(limit))
            return try await pool.execute(statement).map { (row) throws(PostgresFailure) in
                SeatEvent(
                    at: try row.moment("made_at"),
                    what: try row.text("what"),
                    order: try row.optionalID("order_id"),
                    account: try row.optionalID("account_id"),
                    reason: try row.optionalText("reason")
                )
            }
        }
    }

    private func act(_ action: SeatAction, _ sql: SQLText) async throws(StoreFailure) -> [SeatNumber] {
        try await storing { () throws(PostgresFailure) in
            let statement = sql(
                .uuid(action.session.uuid),
                .ints(action.seats.map { Int($0) }),
                .uuid(action.id.uuid),
                .uuid(action.account.uuid),
                .text(action.reason)
            )
            return try await pool.execute(statement).map { (row) throws(PostgresFailure) in try row.seat() }
        }
    }
}
