import QueueTokens
import Synchronization

/// Public keys, and the tokens they were found to have signed. Other keys begin with none: what keys that are gone
/// vouched for is checked again, even when it was under way as they changed.
struct TrustedKeys<Claims: Sendable>: Sendable {
    let keys: KeySet
    let verified = VerifiedTokens<Claims>()

    init(_ keys: KeySet) { self.keys = keys }
}

/// Tokens whose signature was found good a moment ago, with what they say: a buyer shows the same one at every step,
/// and a signature takes longer to check than most of them take otherwise. Times are for the caller to compare.
final class VerifiedTokens<Claims: Sendable>: Sendable {
    private struct State {
        /// Two halves: when the young one is full, the old one is forgotten and they change places.
        var young: [String: Claims] = [:]
        var old: [String: Claims] = [:]
    }

    private let halfMax: Int
    private let state = Mutex(State())

    init(halfMax: Int = 16_384) { self.halfMax = halfMax }

    func claims(of token: String) -> Claims? {
        state.withLock { $0.young[token] ?? $0.old[token] }
    }

    func remember(_ token: String, _ claims: Claims) {
        state.withLock { state in
            if state.young.count >= halfMax {
                state.old = state.young
                state.young = [:]
            }
            state.young[token] = claims
        }
    }
}
