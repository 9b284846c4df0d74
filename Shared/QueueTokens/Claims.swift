// What each type of token says, and the order in which it says it.
import Signing

/// A visitor's number in a room's line. Readers: gateways only.
package struct PlaceToken: Sendable, Hashable {
    package enum Cohort: String, Sendable, CaseIterable {
        /// Joined before the seal of a lottery.
        case pre
        case live
    }

    package var room: String
    /// The dedupe tag: who holds the place, as the room's key sees them.
    package var subject: String
    /// The number given at join; never changes.
    package var place: Int64
    /// When the place was taken, milliseconds since 1970: with `place` and `subject` the entry of the room's log.
    package var arrivedAtMS: Int64
    package var cohort: Cohort
    package var generation: Int64
    /// Hash of the policy the visitor joined under.
    package var policy: String
    /// `jti`: differs at each signing.
    package var tokenID: String
    /// Seconds since 1970, as all times in tokens.
    package var issuedAt: Int64
    package var expiresAt: Int64

    package init(
        room: String,
        subject: String,
        place: Int64,
        arrivedAtMS: Int64 = 0,
        cohort: Cohort,
        generation: Int64,
        policy: String,
        tokenID: String = TokenID.random(),
        issuedAt: Int64,
        expiresAt: Int64
    ) {
        self.room = room
        self.subject = subject
        self.place = place
        self.arrivedAtMS = arrivedAtMS
        self.cohort = cohort
        self.generation = generation
        self.policy = policy
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }
}

/// What answering a poll needs of a place token.
package struct PlaceGlance: Sendable, Hashable {
    package let place: Int64
    package let generation: Int64
    package let issuedAt: Int64
    package let expiresAt: Int64
}

/// The right to enter for some minutes. Readers: gateways (tag), booking and everyone else (signature).
package struct PassToken: Sendable, Hashable {
    package var room: String
    package var passID: String
    package var subject: String
    /// The account the pass is bound to, in rooms with `identity: account`.
    package var account: String?
    package var place: Int64
    /// `cap`: no renewal goes beyond this second.
    package var endsAt: Int64
    package var generation: Int64
    package var tokenID: String
    package var issuedAt: Int64
    package var expiresAt: Int64

    package init(
        room: String,
        passID: String,
        subject: String,
        account: String? = nil,
        place: Int64,
        endsAt: Int64,
        generation: Int64,
        tokenID: String = TokenID.random(),
        issuedAt: Int64,
        expiresAt: Int64
    ) {
        self.room = room
        self.passID = passID
        self.subject = subject
        self.account = account
        self.place = place
        self.endsAt = endsAt
        self.generation = generation
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }
}

/// A signed-in account, for some minutes; the refresh token behind it is booking's affair.
package struct AccountToken: Sendable, Hashable {
    /// `usr_…`
    package var userID: String
    package var role: String
    package var tokenID: String
    package var issuedAt: Int64
    package var expiresAt: Int64

    package init(
        userID: String,
        role: String,
        tokenID: String = TokenID.random(),
        issuedAt: Int64,
        expiresAt: Int64
    ) {
        self.userID = userID
        self.role = role
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }
}
