// Holds as booking takes and tells them, and the orders made of them.

/// Which seats: just one of `seats`, `best` and `areas`.
package struct SeatsRequest: Codable, Sendable, Equatable {
    package struct Best: Codable, Sendable, Equatable {
        package var quantity: Int
        /// Names of sections to choose from.
        package var sections: [String]?
        /// A price area to choose from, instead of sections.
        package var area: String?
        /// `all` (what is meant without it) or `partial`: take what there is.
        package var mode: String?
        /// Together in one row or not at all.
        package var together: Bool?
        /// With at least one accessible seat.
        package var accessible: Bool?

        package init(
            quantity: Int,
            sections: [String]? = nil,
            area: String? = nil,
            mode: String? = nil,
            together: Bool? = nil,
            accessible: Bool? = nil
        ) {
            self.quantity = quantity
            self.sections = sections
            self.area = area
            self.mode = mode
            self.together = together
            self.accessible = accessible
        }
    }

    /// So many places of a section without numbers.
    package struct Area: Codable, Sendable, Equatable {
        package var section: String
        package var quantity: Int

        package init(section: String, quantity: Int) {
            self.section = section
            self.quantity = quantity
        }
    }

    /// `<section>-<row>-<number>`, at least one, each once.
    package var seats: [String]?
    /// Must be true when `seats` names an accessible seat.
    package var accessible: Bool?
    package var best: Best?
    package var areas: [Area]?

    package init(seats: [String]? = nil, accessible: Bool? = nil, best: Best? = nil, areas: [Area]? = nil) {
        self.seats = seats
        self.accessible = accessible
        self.best = best
        self.areas = areas
    }

    package var isEmpty: Bool { seats == nil && best == nil && areas == nil }
}

/// Answer of `POST /v1/sessions/{id}/holds` (201).
package struct HoldReply: Codable, Sendable {
    package var id: String
    package var sessionID: String
    package var seats: [String]
    /// The seats in the groups that sit together.
    package var groups: [[String]]
    /// Whether all of them sit together.
    package var adjacent: Bool
    /// How many were asked for, in the answer to the request; fewer may be held of a partial wish.
    package var requested: Int?
    package var state: String
    package var expiresAt: String
    package var secondsLeft: Int

    package init(
        id: String,
        sessionID: String,
        groups: [[String]],
        requested: Int?,
        state: String,
        expiresAt: String,
        secondsLeft: Int
    ) {
        self.id = id
        self.sessionID = sessionID
        seats = groups.flatMap { $0 }
        self.groups = groups
        adjacent = groups.count == 1
        self.requested = requested
        self.state = state
        self.expiresAt = expiresAt
        self.secondsLeft = secondsLeft
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case sessionID = "session_id"
        case seats, groups, adjacent, requested, state
        case expiresAt = "expires_at"
        case secondsLeft = "seconds_left"
    }
}

/// Body of `POST /v1/sessions/{id}/orders`: a hold, or seats inline (hold and order in one call).
package struct OrderRequest: Codable, Sendable {
    package var holdID: String?
    /// The members of a `SeatsRequest` stand in the body itself.
    package var inline: SeatsRequest

    package init(holdID: String? = nil, inline: SeatsRequest = SeatsRequest()) {
        self.holdID = holdID
        self.inline = inline
    }

    package init(from decoder: any Decoder) throws {
        holdID = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .holdID)
        inline = try SeatsRequest(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        try inline.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(holdID, forKey: .holdID)
    }

    private enum CodingKeys: String, CodingKey {
        case holdID = "hold_id"
    }
}
