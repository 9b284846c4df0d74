package import Ordering
package import Postgres

/// Shows, sessions and their seats in PostgreSQL.
package struct CatalogueDatabase: CatalogueStore {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func shows() async throws(StoreFailure) -> [Show] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.shows()).map { (row) throws(PostgresFailure) in
                Show(
                    id: try row.id("id"),
                    title: try row.text("title"),
                    description: try row.text("description"),
                    venue: try row.text("venue")
                )
            }
        }
    }

    package func sessions() async throws(StoreFailure) -> [Session] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.sessions()).map(Self.session)
        }
    }

    package func layout(of session: SessionID) async throws(StoreFailure) -> SessionLayout {
        try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction(Self.layoutStatements(session))
            return try Self.layout(sections: results[0], rows: results[1])
        }
    }

    package func insert(_ show: Show, sessions: [NewSession]) async throws(StoreFailure) {
        var statements = [
            SQL.insertShow(.uuid(show.id.uuid), .text(show.title), .text(show.description), .text(show.venue))
        ]
        for new in sessions { statements += Self.insertStatements(new) }
        try await storing { () throws(PostgresFailure) in _ = try await pool.transaction(statements) }
    }

    package func setRoom(_ room: String?, of session: SessionID) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.setRoom(.uuid(session.uuid), .text(room)))
        }
    }

    package func setPayWindow(_ window: Duration, of session: SessionID) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.setPayWindow(.uuid(session.uuid), .int(Int(window.milliseconds))))
        }
    }

    package func setRefundTerms(_ terms: RefundTerms, of session: SessionID) async throws(StoreFailure) {
        let statement = SQL.setRefundTerms(
            .uuid(session.uuid),
            .text(terms.mode.rawValue),
            .int(Int(terms.feeFixed)),
            .int(terms.feeBasisPoints),
            .milliseconds(terms.until?.parameter),
            .bool(terms.resells)
        )
        try await storing { () throws(PostgresFailure) in _ = try await pool.execute(statement) }
    }

    package func setState(_ state: SessionState, of session: SessionID) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.setState(.uuid(session.uuid), .text(state.rawValue)))
        }
    }

    package func beginRebuild(of session: SessionID) async throws(StoreFailure) -> SessionInventory {
        let id = PostgresParameter.uuid(session.uuid)
        let statements =
            [SQL.lockRebuild(id), SQL.raiseEpoch(id)] + Self.layoutStatements(session) + Self.claimStatements(session)
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction(statements)
            guard let epoch = try results[1].first?.int("epoch") else { throw .unreadable("no session \(session)") }
            return SessionInventory(
                session: session,
                epoch: Int64(epoch),
                layout: try Self.layout(sections: results[2], rows: results[3]),
                claims: try Self.claims(waiting: results[4], made: results[5])
            )
        }
    }

    package func claims(of session: SessionID) async throws(StoreFailure) -> [SessionInventory.Claim] {
        try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction(Self.claimStatements(session))
            return try Self.claims(waiting: results[0], made: results[1])
        }
    }

    package func lease(_ name: String, owner: String, lasting: Duration) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.lease(.text(name), .text(owner), .int(Int(lasting.milliseconds)))
            return try await pool.execute(statement).rowCount == 1
        }
    }

    // MARK: Rows

    private static func session(_ row: Row) throws(PostgresFailure) -> Session {
        Session(
            id: try row.id("id"),
            show: try row.id("show_id"),
            title: try row.text("title"),
            startsAt: try row.moment("starts_at"),
            state: try row.state(),
            room: try row.optionalText("room"),
            limitPerBuyer: try row.int("limit_per_buyer"),
            currency: try row.text("currency"),
            payWindow: .milliseconds(try row.int("pay_window_ms")),
            orphanRule: try row.bool("orphan_rule"),
            epoch: Int64(try row.int("epoch"))
        )
    }

    private static func claim(_ row: Row) throws(PostgresFailure) -> SessionInventory.Claim {
        SessionInventory.Claim(
            seat: try row.seat(),
            state: try row.state(),
            order: try row.optionalID("order_id"),
            hold: try row.optionalID("hold_id"),
            account: try row.optionalID("account_id"),
            deadline: try row.optionalMoment("deadline")
        )
    }

    /// The backlog first: a seat whose order is decided in between is in both, not in neither.
    private static func claimStatements(_ session: SessionID) -> [Statement] {
        [SQL.backlogSeats(.uuid(session.uuid)), SQL.claims(.uuid(session.uuid))]
    }

    /// Claims, and what accepted orders keep until they are decided, by seat.
    private static func claims(
        waiting: QueryResult,
        made: QueryResult
    ) throws(PostgresFailure) -> [SessionInventory.Claim] {
        let claims = try made.map(Self.claim)
        guard waiting.rowCount > 0 else { return claims }
        var taken = Set(claims.map(\.seat))
        let kept = try waiting.map(Self.claim).filter { taken.insert($0.seat).inserted }
        return (claims + kept).sorted { $0.seat < $1.seat }
    }

    private static func layoutStatements(_ session: SessionID) -> [Statement] {
        [SQL.layoutSections(.uuid(session.uuid)), SQL.layoutRows(.uuid(session.uuid))]
    }

    private static func layout(
        sections: QueryResult,
        rows: QueryResult
    ) throws(PostgresFailure) -> SessionLayout {
        var layout = try sections.map { (row) throws(PostgresFailure) in
            SessionLayout.Section(
                name: try row.text("name"),
                area: try row.text("area"),
                price: try row.money("price_minor"),
                kind: try row.state("kind"),
                rows: []
            )
        }
        for row in rows.rows {
            let section = try row.int("section")
            guard layout.indices.contains(section) else { throw .unreadable("a row of no section") }
            layout[section].rows.append(
                SessionLayout.Row(
                    label: try row.text("label"),
                    first: try row.int("first"),
                    count: try row.int("seat_count"),
                    accessible: Set(try row.ints("accessible"))
                )
            )
        }
        return SessionLayout(sections: layout)
    }

    private static func insertStatements(_ new: NewSession) -> [Statement] {
        let session = new.session
        let id = PostgresParameter.uuid(session.id.uuid)
        var (sections, rows, firstSeats): ([Int], [SessionLayout.Row], [Int]) = ([], [], [])
        var nextSeat = 0
        for (number, section) in new.layout.sections.enumerated() {
            for row in section.rows {
                sections.append(number)
                rows.append(row)
                firstSeats.append(nextSeat)
                nextSeat += row.count
            }
        }
        return [
            SQL.insertSession(
                id,
                .uuid(session.show.uuid),
                .text(session.title),
                .milliseconds(session.startsAt.parameter),
                .text(session.state.rawValue),
                .text(session.room),
                .int(session.limitPerBuyer),
                .text(session.currency),
                .int(Int(session.payWindow.milliseconds)),
                .int(Int(session.epoch)),
                .bool(session.orphanRule)
            ),
            SQL.insertSections(
                id,
                .texts(new.layout.sections.map(\.name)),
                .texts(new.layout.sections.map(\.area)),
                .ints(new.layout.sections.map { Int($0.price.amountMinor) }),
                .texts(new.layout.sections.map(\.kind.rawValue))
            ),
            SQL.insertRows(
                id,
                .ints(sections),
                .texts(rows.map(\.label)),
                .ints(rows.map(\.first)),
                .ints(rows.map(\.count)),
                .ints(firstSeats),
                .texts(rows.map { "{" + $0.accessible.sorted().map { "\($0)" }.joined(separator: ",") + "}" })
            ),
            SQL.insertSeats(id),
        ]
    }
}
