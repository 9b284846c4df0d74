// The waiting list for seats that come back.

/// Body of `POST /v1/sessions/{id}/waitlist`.
package struct WaitlistRequest: Codable, Sendable {
    package var partySize: Int
    /// Names of price areas; without them any will do.
    package var areas: [String]?
    /// Together in one row or not at all.
    package var together: Bool?
    /// With at least one accessible seat.
    package var accessible: Bool?

    package init(partySize: Int, areas: [String]? = nil, together: Bool? = nil, accessible: Bool? = nil) {
        self.partySize = partySize
        self.areas = areas
        self.together = together
        self.accessible = accessible
    }

    private enum CodingKeys: String, CodingKey {
        case partySize = "party_size"
        case areas, together, accessible
    }
}

package struct WaitlistReply: Codable, Sendable {
    package struct Offer: Codable, Sendable {
        package var holdID: String
        package var seats: [String]
        package var expiresAt: String

        package init(holdID: String, seats: [String], expiresAt: String) {
            self.holdID = holdID
            self.seats = seats
            self.expiresAt = expiresAt
        }

        private enum CodingKeys: String, CodingKey {
            case holdID = "hold_id"
            case seats
            case expiresAt = "expires_at"
        }
    }

    package var id: String
    package var sessionID: String
    package var partySize: Int
    package var areas: [String]
    package var together: Bool
    package var accessible: Bool
    /// waiting, offered, purchased, declined, offer_expired, cancelled.
    package var state: String
    package var createdAt: String
    /// While the state is `offered` and the seats are kept.
    package var offer: Offer?

    package init(
        id: String,
        sessionID: String,
        partySize: Int,
        areas: [String],
        together: Bool,
        accessible: Bool,
        state: String,
        createdAt: String,
        offer: Offer?
    ) {
        self.id = id
        self.sessionID = sessionID
        self.partySize = partySize
        self.areas = areas
        self.together = together
        self.accessible = accessible
        self.state = state
        self.createdAt = createdAt
        self.offer = offer
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case sessionID = "session_id"
        case partySize = "party_size"
        case areas, together, accessible, state
        case createdAt = "created_at"
        case offer
    }
}
