// Shows, sessions, seats and accounts as booking tells them.

package struct MoneyReply: Codable, Sendable, Equatable {
    package var amountMinor: Int
    package var currency: String

    package init(amountMinor: Int, currency: String) {
        self.amountMinor = amountMinor
        self.currency = currency
    }

    private enum CodingKeys: String, CodingKey {
        case amountMinor = "amount_minor"
        case currency
    }
}

/// Lists: `{data, next_cursor}`.
package struct ListReply<Item: Codable & Sendable>: Codable, Sendable {
    package var data: [Item]
    package var nextCursor: String?

    package init(data: [Item], nextCursor: String? = nil) {
        self.data = data
        self.nextCursor = nextCursor
    }

    private enum CodingKeys: String, CodingKey {
        case data
        case nextCursor = "next_cursor"
    }
}

package struct ShowReply: Codable, Sendable {
    package var id: String
    package var title: String
    package var description: String
    package var venue: String
    /// Present when one show is read, absent in lists.
    package var sessions: [SessionReply]?

    package init(id: String, title: String, description: String, venue: String, sessions: [SessionReply]?) {
        self.id = id
        self.title = title
        self.description = description
        self.venue = venue
        self.sessions = sessions
    }
}

package struct SessionReply: Codable, Sendable {
    package struct Area: Codable, Sendable {
        package var name: String
        package var price: MoneyReply
        package var sections: [Section]

        package init(name: String, price: MoneyReply, sections: [Section]) {
            self.name = name
            self.price = price
            self.sections = sections
        }
    }

    package struct Section: Codable, Sendable {
        package var name: String
        /// `seats`, or `area` for places without numbers.
        package var kind: String
        package var seatCount: Int
        /// How many of the seats are accessible.
        package var accessible: Int

        package init(name: String, kind: String, seatCount: Int, accessible: Int) {
            self.name = name
            self.kind = kind
            self.seatCount = seatCount
            self.accessible = accessible
        }

        private enum CodingKeys: String, CodingKey {
            case name, kind
            case seatCount = "seat_count"
            case accessible
        }
    }

    package var id: String
    package var showID: String
    package var title: String
    package var startsAt: String
    /// draft, published, on_sale, paused, closed, ended, cancelled.
    package var state: String
    /// The waiting room that protects the session, when there is one.
    package var room: String?
    package var limitPerBuyer: Int
    package var areas: [Area]
    package var seatCount: Int

    package init(
        id: String,
        showID: String,
        title: String,
        startsAt: String,
        state: String,
        room: String?,
        limitPerBuyer: Int,
        areas: [Area],
        seatCount: Int
    ) {
        self.id = id
        self.showID = showID
        self.title = title
        self.startsAt = startsAt
        self.state = state
        self.room = room
        self.limitPerBuyer = limitPerBuyer
        self.areas = areas
        self.seatCount = seatCount
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case showID = "show_id"
        case title
        case startsAt = "starts_at"
        case state, room
        case limitPerBuyer = "limit_per_buyer"
        case areas
        case seatCount = "seat_count"
    }
}

/// Answer of `GET /v1/sessions/{id}/seats`.
package struct SeatMapReply: Codable, Sendable {
    package struct Row: Codable, Sendable {
        package var label: String
        /// One letter per seat in order: `F`ree, `H`eld, `S`old, `B`locked, `_` no seat here.
        package var seats: String
        /// The number of the row's first seat; the next ones count up by one.
        package var first: Int
        /// Numbers of the accessible seats; absent when there are none.
        package var accessible: [Int]?

        package init(label: String, first: Int, seats: String, accessible: [Int]? = nil) {
            self.label = label
            self.first = first
            self.seats = seats
            self.accessible = accessible
        }
    }

    package struct Section: Codable, Sendable {
        package var name: String
        package var area: String
        package var price: MoneyReply
        /// `seats`, or `area` for places without numbers, which are one row.
        package var kind: String
        package var free: Int
        package var rows: [Row]

        package init(name: String, area: String, price: MoneyReply, kind: String, free: Int, rows: [Row]) {
            self.name = name
            self.area = area
            self.price = price
            self.kind = kind
            self.free = free
            self.rows = rows
        }
    }

    package var sessionID: String
    package var sections: [Section]
    package var free: Int
    /// `<epoch>-<sequence>` of the map.
    package var version: String
    package var asOf: String

    package init(sessionID: String, sections: [Section], free: Int, version: String, asOf: String) {
        self.sessionID = sessionID
        self.sections = sections
        self.free = free
        self.version = version
        self.asOf = asOf
    }

    private enum CodingKeys: String, CodingKey {
        case sessionID = "session_id"
        case sections, free, version
        case asOf = "as_of"
    }
}

/// Body of register and login.
package struct CredentialsRequest: Codable, Sendable {
    package var email: String
    package var password: String

    package init(email: String, password: String) {
        self.email = email
        self.password = password
    }
}

package struct RefreshRequest: Codable, Sendable {
    package var refreshToken: String

    package init(refreshToken: String) {
        self.refreshToken = refreshToken
    }

    private enum CodingKeys: String, CodingKey {
        case refreshToken = "refresh_token"
    }
}

/// Answer of register (201), login and refresh (200).
package struct TokensReply: Codable, Sendable {
    package var account: AccountReply
    package var accessToken: String
    package var tokenType: String
    /// Seconds the access token lives.
    package var expiresIn: Int
    package var refreshToken: String

    package init(account: AccountReply, accessToken: String, expiresIn: Int, refreshToken: String) {
        self.account = account
        self.accessToken = accessToken
        tokenType = "Bearer"
        self.expiresIn = expiresIn
        self.refreshToken = refreshToken
    }

    private enum CodingKeys: String, CodingKey {
        case account
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case refreshToken = "refresh_token"
    }
}

package struct AccountReply: Codable, Sendable {
    package var id: String
    package var email: String
    package var role: String

    package init(id: String, email: String, role: String) {
        self.id = id
        self.email = email
        self.role = role
    }
}
