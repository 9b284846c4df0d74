/// What the limits say about one request: two words, no texts. Texts are made for the few that are refused.
package struct LimitVerdict: Sendable, Equatable {
    package enum Outcome: UInt8, Sendable {
        case allowed
        case limited
        /// The address is shut out for a while.
        case banned
    }

    package var outcome = Outcome.allowed
    /// The index of the rule that refused (of several, the one to wait longest for).
    package var rule: UInt8 = 0
    /// Whether this refusal was one too many: the address is banned from now on.
    package var beginsBan = false
    /// Seconds for `Retry-After`, spread so that refused visitors do not come back as one; 0 when allowed.
    package var retryAfterSeconds: UInt32 = 0
    /// Indices of shadow rules that would have refused, as bits.
    package var shadows: UInt32 = 0

    package init() {}

    package var isAllowed: Bool { outcome == .allowed }
}
