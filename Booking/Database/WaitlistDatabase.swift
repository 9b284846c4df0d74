package import Ordering
package import Postgres

/// The waiting lists in PostgreSQL.
package struct WaitlistDatabase: WaitlistStore {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func join(
        _ id: WaitlistID,
        _ session: SessionID,
        by account: AccountID,
        _ wish: PartyWish
    ) async throws(StoreFailure) -> (id: WaitlistID, isNew: Bool) {
        let statement = SQL.joinWaitlist(
            .uuid(id.uuid),
            .uuid(session.uuid),
            .uuid(account.uuid),
            .int(wish.size),
            .texts(wish.areas),
            .bool(wish.isTogether),
            .bool(wish.isAccessible)
        )
        return try await storing { () throws(PostgresFailure) in
            // A row of somebody who joined at the same time is seen by a second look only.
            for _ in 0..<2 {
                if let row = try await pool.execute(statement).first {
                    return (try row.id("id"), try row.bool("is_new"))
                }
            }
            throw .unreadable("neither joined nor found")
        }
    }

    package func entry(_ id: WaitlistID) async throws(StoreFailure) -> WaitlistEntry? {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.waitlistEntry(.uuid(id.uuid))).map(Self.entry).first
        }
    }

    package func waiting(limit: Int) async throws(StoreFailure) -> [WaitlistEntry] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.waitingParties(.int(limit))).map(Self.entry)
        }
    }

    package func offer(_ id: WaitlistID, hold: HoldID, until: Moment) async throws(StoreFailure) -> Bool {
        try await changes(SQL.offerSeats(.uuid(id.uuid), .uuid(hold.uuid), .milliseconds(until.parameter))) == 1
    }

    package func lengthenOffer(_ id: WaitlistID, until: Moment) async throws(StoreFailure) -> Bool {
        try await changes(SQL.lengthenOffer(.uuid(id.uuid), .milliseconds(until.parameter))) == 1
    }

    package func end(
        _ id: WaitlistID,
        by account: AccountID,
        as state: WaitlistState
    ) async throws(StoreFailure) -> Bool {
        try await changes(SQL.endWaiting(.uuid(id.uuid), .uuid(account.uuid), .text(state.rawValue))) == 1
    }

    package func settleOffers(limit: Int) async throws(StoreFailure) -> Int {
        try await changes(SQL.settleOffers(.int(limit)))
    }

    private func changes(_ statement: Statement) async throws(StoreFailure) -> Int {
        try await storing { () throws(PostgresFailure) in try await pool.execute(statement).rowCount }
    }

    private static func entry(_ row: Row) throws(PostgresFailure) -> WaitlistEntry {
        WaitlistEntry(
            id: try row.id("id"),
            session: try row.id("session_id"),
            account: try row.id("account_id"),
            wish: PartyWish(
                size: try row.int("party_size"),
                areas: try row.texts("areas"),
                isTogether: try row.bool("together"),
                isAccessible: try row.bool("accessible")
            ),
            state: try row.state(),
            hold: try row.optionalID("hold_id"),
            offeredUntil: try row.optionalMoment("offered_until"),
            createdAt: try row.moment("created_at")
        )
    }
}
