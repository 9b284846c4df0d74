import Hummingbird
import Ordering
import QueueTokens
import Synchronization
import UsherAPI

/// Whether a request for a gated session carries a pass of its room, by signature; generation and revocation are the
/// gateway's to check.
final class PassCheck: Sendable {
    private let keys = Mutex(KeySet([]))
    private let clock: Clock

    init(clock: Clock) {
        self.clock = clock
    }

    /// Replaces the gateway's public keys.
    func use(_ keys: KeySet) {
        self.keys.withLock { $0 = keys }
    }

    var hasKeys: Bool { !keys.withLock { $0.keys.isEmpty } }

    /// The pass id, or `nil` for a session that has no waiting room.
    func pass(of request: Request, for session: Session, by account: AccountID) throws -> String? {
        guard let room = session.room else { return nil }
        guard let text = request.headers[.usherPass] else {
            throw Refusal(.passRequired, "this session is entered through waiting room \(room)")
        }
        let verified: PassToken
        do throws(TokenFlaw) {
            let keys = keys.withLock { $0 }
            verified = try keys.verifySignature(ofPass: text, room: room, at: clock.now().milliseconds / 1000)
        } catch {
            throw error == .expired ? Refusal(.passExpired) : Refusal(.tokenInvalid, "the pass is not valid here")
        }
        if let bound = verified.account, bound != "\(account)" {
            throw Refusal(.passBound, "this pass belongs to another account")
        }
        return verified.passID
    }
}
