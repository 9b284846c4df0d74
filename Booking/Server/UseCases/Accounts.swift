import Foundation
import Ordering
import QueueTokens
import Signing
import UsherAPI

/// Register, log in, refresh, log out.
struct Accounts: Sendable {
    let store: any AccountStore
    let keys: KeyRing
    let passwords: PasswordThreads
    let clock: Clock
    let accessLifetime: Duration
    let refreshLifetime: Duration

    static let passwordLengths = 8...128
    static let emailLengthMax = 254
    /// Verified when the address is unknown, so that both cases take the same time.
    private static let decoy =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
        + "RdescudvJCsgt3ub+b4dWRWJTmaaJObGQ7UcnyjFY8A"

    func register(_ request: CredentialsRequest) async throws -> TokensReply {
        let email = try validated(request.email)
        guard Self.passwordLengths.contains(request.password.utf8.count) else {
            throw Refusal(.validationFailed, "a password has 8 to 128 bytes")
        }
        let hash = try await passwords.hash(request.password)
        let account = Account(id: clock.makeID(), email: email, role: .buyer, passwordHash: hash)
        guard try await answered({ () async throws(StoreFailure) in try await store.insert(account) }) else {
            throw Refusal(.emailTaken, "an account with this e-mail address exists; log in instead")
        }
        return try await tokens(for: account)
    }

    func logIn(_ request: CredentialsRequest) async throws -> TokensReply {
        // What is no address has no account; it costs the same time.
        let email = try? validated(request.email)
        let account = try await answered { () async throws(StoreFailure) in
            guard let email else { return nil as Account? }
            return try await store.account(withEmail: email)
        }
        let isRight = try await passwords.verify(request.password, against: account?.passwordHash ?? Self.decoy)
        guard let account, isRight else {
            throw Refusal(.wrongCredentials, "e-mail address or password is wrong")
        }
        return try await tokens(for: account)
    }

    func refresh(_ request: RefreshRequest) async throws -> TokensReply {
        let now = clock.now()
        let secret = SecureRandom.bytes(32)
        let rotated = try await answered { () async throws(StoreFailure) in
            try await store.rotate(
                hash: hash(of: request.refreshToken),
                to: SHA256.digest(secret),
                expiresAt: now + refreshLifetime,
                now: now
            )
        }
        guard let account = rotated else { throw Refusal(.tokenInvalid, "log in again") }
        return try reply(for: account, refreshSecret: secret)
    }

    func logOut(_ request: RefreshRequest) async throws {
        try await answered { () async throws(StoreFailure) in
            try await store.deleteRefreshToken(hash: hash(of: request.refreshToken))
        }
    }

    func me(_ id: AccountID) async throws -> AccountReply {
        guard let account = try await answered({ () async throws(StoreFailure) in try await store.account(id) }) else {
            throw Refusal(.tokenInvalid)
        }
        return AccountReply(id: "\(account.id)", email: account.email, role: account.role.rawValue)
    }

    private func tokens(for account: Account) async throws -> TokensReply {
        let secret = SecureRandom.bytes(32)
        let token = NewRefreshToken(
            hash: SHA256.digest(secret),
            account: account.id,
            expiresAt: clock.now() + refreshLifetime
        )
        try await answered { () async throws(StoreFailure) in try await store.insert(token) }
        return try reply(for: account, refreshSecret: secret)
    }

    private func reply(for account: Account, refreshSecret: [UInt8]) throws -> TokensReply {
        let seconds = clock.now().milliseconds / 1000
        let token = AccountToken(
            userID: "\(account.id)",
            role: account.role.rawValue,
            tokenID: TokenID.random(),
            issuedAt: seconds,
            expiresAt: seconds + accessLifetime.components.seconds
        )
        return TokensReply(
            account: AccountReply(id: "\(account.id)", email: account.email, role: account.role.rawValue),
            accessToken: try keys.sign(token),
            expiresIn: Int(accessLifetime.components.seconds),
            refreshToken: Base64URL.encode(refreshSecret)
        )
    }

    private func hash(of refreshToken: String) -> [UInt8] {
        SHA256.digest(Base64URL.decode(refreshToken) ?? Array(refreshToken.utf8))
    }

    /// Something@something.something, without white space; the address itself is proved by using it.
    private func validated(_ email: String) throws -> String {
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        let isPlausible =
            parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".") && !parts[1].hasPrefix(".")
            && !parts[1].hasSuffix(".") && email.utf8.count <= Self.emailLengthMax
            && email.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
        guard isPlausible else { throw Refusal(.validationFailed, "\"email\" is not an e-mail address") }
        return email.lowercased()
    }
}
