import Hummingbird
import Ordering
import QueueTokens
import UsherAPI

/// Who asks: the account token in `Authorization: Bearer`.
struct AccountCheck: Sendable {
    private let trusted: TrustedKeys<AccountToken>
    private let clock: Clock

    init(keys: KeyRing, clock: Clock) {
        trusted = TrustedKeys(keys.keys)
        self.clock = clock
    }

    struct Caller: Sendable {
        var account: AccountID
        var role: String

        var isStaff: Bool { role == Account.Role.staff.rawValue || role == Account.Role.admin.rawValue }
    }

    /// Somebody of the staff.
    func staff(of request: Request) throws -> Caller {
        let caller = try caller(of: request)
        guard caller.isStaff else { throw Refusal(.forbidden, "only the staff may do this") }
        return caller
    }

    func caller(of request: Request) throws -> Caller {
        guard let value = request.headers[.authorization] else {
            throw Refusal(.unauthenticated, "log in first: Authorization: Bearer <access token>")
        }
        // By bytes: characters of a token of some hundred take longer than looking it up.
        let words = value.utf8.split(separator: UInt8(ascii: " "))
        guard words.count == 2, String(Substring(words[0])).lowercased() == "bearer" else {
            throw Refusal(.tokenInvalid)
        }
        do throws(TokenFlaw) {
            let token = try verifiedToken(String(Substring(words[1])))
            guard let account = AccountID(token.userID) else { throw TokenFlaw.malformed }
            return Caller(account: account, role: token.role)
        } catch {
            throw error == .expired ? Refusal(.tokenExpired) : Refusal(.tokenInvalid)
        }
    }

    private func verifiedToken(_ text: String) throws(TokenFlaw) -> AccountToken {
        let now = clock.now().milliseconds / 1000
        if let token = trusted.verified.claims(of: text) {
            guard now < token.expiresAt else { throw .expired }
            return token
        }
        let token = try trusted.keys.verifySignature(ofAccount: text, at: now)
        trusted.verified.remember(text, token)
        return token
    }
}
