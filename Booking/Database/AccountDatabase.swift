package import Ordering
package import Postgres

/// Accounts and refresh tokens in PostgreSQL.
package struct AccountDatabase: AccountStore {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func insert(_ account: Account) async throws(StoreFailure) -> Bool {
        try await insertMany([account]) == 1
    }

    package func insertMany(_ accounts: [Account]) async throws(StoreFailure) -> Int {
        let statement = SQL.insertAccounts(
            .uuids(accounts.map(\.id.uuid)),
            .texts(accounts.map(\.email)),
            .texts(accounts.map(\.role.rawValue)),
            .texts(accounts.map(\.passwordHash))
        )
        return try await storing { () throws(PostgresFailure) in try await pool.execute(statement).changedCount }
    }

    package func account(withEmail email: String) async throws(StoreFailure) -> Account? {
        try await storing { () throws(PostgresFailure) in
            try Self.account(in: try await pool.execute(SQL.accountByEmail(.text(email))))
        }
    }

    package func account(_ id: AccountID) async throws(StoreFailure) -> Account? {
        try await storing { () throws(PostgresFailure) in
            try Self.account(in: try await pool.execute(SQL.accountByID(.uuid(id.uuid))))
        }
    }

    package func insert(_ token: NewRefreshToken) async throws(StoreFailure) {
        let statement = SQL.insertRefreshToken(
            .bytes(token.hash),
            .uuid(token.account.uuid),
            .milliseconds(token.expiresAt.parameter)
        )
        try await storing { () throws(PostgresFailure) in _ = try await pool.execute(statement) }
    }

    package func rotate(
        hash: [UInt8],
        to next: [UInt8],
        expiresAt: Moment,
        now: Moment
    ) async throws(StoreFailure) -> Account? {
        let statements = [
            SQL.lockRefreshToken(.bytes(hash)),
            SQL.endReusedTokens(.bytes(hash)),
            SQL.useRefreshToken(
                .bytes(hash),
                .bytes(next),
                .milliseconds(expiresAt.parameter),
                .milliseconds(now.parameter)
            ),
            SQL.accountOfToken(.bytes(next)),
        ]
        return try await storing { () throws(PostgresFailure) in
            try Self.account(in: try await pool.transaction(statements)[3])
        }
    }

    package func deleteRefreshToken(hash: [UInt8]) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.deleteRefreshToken(.bytes(hash)))
        }
    }

    private static func account(in result: QueryResult) throws(PostgresFailure) -> Account? {
        guard let row = result.first else { return nil }
        return Account(
            id: try row.id("id"),
            email: try row.text("email"),
            role: try row.state("role"),
            passwordHash: try row.text("password_hash")
        )
    }
}
