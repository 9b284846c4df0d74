// What the visitors' pipeline asks of the waiting rooms. One value per event loop, used on that loop only.
package import EdgeHTTP
package import NIOCore
package import UsherAPI

package enum RoomAnswer {
    case now(EdgeReply)
    case later(EventLoopFuture<EdgeReply>)
    /// Begun with what takes the reply, which is called once, on the loop, then or later: a future is dearer.
    case soon((@escaping (EdgeReply) -> Void) -> Void)
}

/// A pass that was checked: its holder may enter.
package struct GrantedPass: Sendable {
    package struct Renewed: Sendable {
        package var token: String
        /// The whole value of the `Set-Cookie` field.
        package var cookie: String

        package init(token: String, cookie: String) {
            self.token = token
            self.cookie = cookie
        }
    }

    package var room: String
    package var id: String
    /// Goes to booking as `Usher-Pass`.
    package var token: String

    package init(room: String, id: String, token: String) {
        self.room = room
        self.id = id
        self.token = token
    }
}

package enum PassVerdict {
    case granted(GrantedPass)
    /// The pass is good and due for renewal: the future ends once the new expiry is in the store, or with nil when
    /// the store is away; the old pass holds on then.
    case renewing(GrantedPass, EventLoopFuture<GrantedPass.Renewed?>)
    /// `pass_required`, `pass_expired`, `token_invalid` …
    case refused(ProblemCode)
}

/// What a room says to somebody without a place.
package struct RoomNotice: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        case notYetOpen, open, paused, soldOut, closed
    }

    /// What is asked of those who join.
    package enum Challenge: String, Sendable, Equatable {
        case off, pow, captcha, attestation
    }

    package var condition: Condition
    package var challenge: Challenge
    /// The organiser's own words, as plain text.
    package var message: String?
    package var phase: String
    /// Places belong to accounts, whatever the device.
    package var isForAccounts: Bool

    package init(
        _ condition: Condition,
        challenge: Challenge = .off,
        message: String? = nil,
        phase: String = "",
        isForAccounts: Bool = false
    ) {
        self.phase = phase
        self.isForAccounts = isForAccounts
        self.condition = condition
        self.challenge = challenge
        self.message = message
    }
}

package enum RememberedBearer: Sendable, Equatable {
    /// Never seen, or forgotten: a check costs a signature.
    case new
    /// Was good, and its time is over.
    case lapsed
    case account(String)
}

package protocol VisitorRooms {
    /// The account of a bearer token whose signature and expiry are good; nil for any other.
    func account(ofBearer token: Substring) -> String?
    /// What is known of a bearer token without checking it.
    func remembered(bearer token: Substring) -> RememberedBearer
    /// What the lists say of an address, and of how the request calls its sender.
    func standing(of address: ClientAddress, in head: EdgeRequestHead) -> Standing
    func standing(ofAccount account: String) -> Standing
    /// The room that protects a path (no query, no trailing slash); nil for an open path.
    func protectedRoom(forPath path: Substring) -> String?
    func notice(of room: String) -> RoomNotice
    func passVerdict(for head: EdgeRequestHead, from address: ClientAddress, room: String) -> PassVerdict
    /// Room endpoints: every path under `/v1/rooms/`, and the key set.
    func answer(_ request: EdgeRequest) -> RoomAnswer
    /// Carries out `complete`, `revoke` or `extend=SECONDS`, as booking asked for in a reply.
    func carryOut(command: String, for pass: GrantedPass)
}
