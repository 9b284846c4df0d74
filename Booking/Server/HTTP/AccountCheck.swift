import Hummingbird
import Ordering
import QueueTokens
import UsherAPI

/// Who asks: the account token in `Authorization: Bearer`.
struct AccountCheck: Sendable {
    let keys: KeyRing
    let clock: Clock

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
        let words = value.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else { throw Refusal(.tokenInvalid) }
        do throws(TokenFlaw) {
            let token = try keys.keys.verifySignature(ofAccount: words[1], at: clock.now().milliseconds / 1000)
            guard let account = AccountID(token.userID) else { throw TokenFlaw.malformed }
            return Caller(account: account, role: token.role)
        } catch {
            throw error == .expired ? Refusal(.tokenExpired) : Refusal(.tokenInvalid)
        }
    }
}
