import Hummingbird
import Ordering
import QueueTokens
import Synchronization
import UsherAPI

/// Whether a request for a gated session carries a pass of its room, by signature; generation and revocation are the
/// gateway's to check.
final class PassCheck: Sendable {
    private let trusted = Mutex(TrustedKeys<PassToken>(KeySet([])))
    private let clock: Clock

    init(clock: Clock) {
        self.clock = clock
    }

    /// Replaces the gateway's public keys.
    func use(_ keys: KeySet) {
        trusted.withLock { if $0.keys != keys { $0 = TrustedKeys(keys) } }
    }

    var hasKeys: Bool { !trusted.withLock { $0.keys.keys.isEmpty } }

    /// The pass id, or `nil` for a session that has no waiting room.
    func pass(of request: Request, for session: Session, by account: AccountID) throws -> String? {
        guard let room = session.room else { return nil }
        guard let text = request.headers[.usherPass] else {
            throw Refusal(.passRequired, "this session is entered through waiting room \(room)")
        }
        let token: PassToken
        do throws(TokenFlaw) {
            token = try verifiedToken(text, room: room)
        } catch {
            throw error == .expired ? Refusal(.passExpired) : Refusal(.tokenInvalid, "the pass is not valid here")
        }
        if let bound = token.account, bound != "\(account)" {
            throw Refusal(.passBound, "this pass belongs to another account")
        }
        return token.passID
    }

    private func verifiedToken(_ text: String, room: String) throws(TokenFlaw) -> PassToken {
        let now = clock.now().milliseconds / 1000
        let trusted = trusted.withLock { $0 }
        if let token = trusted.verified.claims(of: text), token.room == room {
            guard now < token.expiresAt else { throw .expired }
            return token
        }
        let token = try trusted.keys.verifySignature(ofPass: text, room: room, at: now)
        trusted.verified.remember(text, token)
        return token
    }
}
