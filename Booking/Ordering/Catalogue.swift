// What is sold: shows, their sessions (performances), and the seats of a session.

package struct Show: Sendable, Equatable {
    package var id: ShowID
    package var title: String
    package var description: String
    package var venue: String

    package init(id: ShowID, title: String, description: String, venue: String) {
        self.id = id
        self.title = title
        self.description = description
        self.venue = venue
    }
}

package enum SessionState: String, Sendable, CaseIterable {
    case draft, published
    case onSale = "on_sale"
    case paused, closed, ended, cancelled

    /// Whether holds and orders are taken.
    package var isSelling: Bool { self == .onSale }
    package var isVisible: Bool { self != .draft }
}

/// One performance of a show.
package struct Session: Sendable, Equatable {
    package var id: SessionID
    package var show: ShowID
    package var title: String
    package var startsAt: Moment
    package var state: SessionState
    /// The waiting room whose pass a buyer needs; `nil` when the session is not gated.
    package var room: String?
    package var limitPerBuyer: Int
    package var currency: String
    /// How long an order may wait for its payment.
    package var payWindow: Duration
    /// Whether seats picked by hand may not leave a single seat alone.
    package var orphanRule: Bool
    /// Must equal the epoch in Redis, else the seats there are rebuilt before anything is held.
    package var epoch: Int64

    package init(
        id: SessionID,
        show: ShowID,
        title: String,
        startsAt: Moment,
        state: SessionState,
        room: String?,
        limitPerBuyer: Int,
        currency: String,
        payWindow: Duration,
        orphanRule: Bool = true,
        epoch: Int64
    ) {
        self.id = id
        self.show = show
        self.title = title
        self.startsAt = startsAt
        self.state = state
        self.room = room
        self.limitPerBuyer = limitPerBuyer
        self.currency = currency
        self.payWindow = payWindow
        self.orphanRule = orphanRule
        self.epoch = epoch
    }
}
