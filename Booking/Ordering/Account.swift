/// Somebody who can log in.
package struct Account: Sendable, Equatable {
    package enum Role: String, Sendable { case buyer, staff, admin }

    package var id: AccountID
    /// Lower case.
    package var email: String
    package var role: Role
    /// Argon2id in its standard text form.
    package var passwordHash: String

    package init(id: AccountID, email: String, role: Role, passwordHash: String) {
        self.id = id
        self.email = email
        self.role = role
        self.passwordHash = passwordHash
    }
}

/// A refresh token is kept as the SHA-256 of its secret, works once, and is replaced by the next one.
package struct NewRefreshToken: Sendable {
    package var hash: [UInt8]
    package var account: AccountID
    package var expiresAt: Moment

    package init(hash: [UInt8], account: AccountID, expiresAt: Moment) {
        self.hash = hash
        self.account = account
        self.expiresAt = expiresAt
    }
}

package protocol AccountStore: Sendable {
    /// `false` when the e-mail address is taken.
    func insert(_ account: Account) async throws(StoreFailure) -> Bool
    /// Many at once, in one statement; accounts whose address is taken are skipped. How many were inserted.
    func insertMany(_ accounts: [Account]) async throws(StoreFailure) -> Int
    func account(withEmail email: String) async throws(StoreFailure) -> Account?
    func account(_ id: AccountID) async throws(StoreFailure) -> Account?

    func insert(_ token: NewRefreshToken) async throws(StoreFailure)
    /// Uses the token up and stores its successor in one transaction; the account, or `nil` when it is unknown, used
    /// or past its end. A used token that comes again ends every refresh token of its account.
    func rotate(hash: [UInt8], to next: [UInt8], expiresAt: Moment, now: Moment) async throws(StoreFailure) -> Account?
    func deleteRefreshToken(hash: [UInt8]) async throws(StoreFailure)
}
