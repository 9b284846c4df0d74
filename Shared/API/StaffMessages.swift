// What staff does to seats and asks of them.

/// Body of `PATCH /v1/admin/sessions/{id}/seats`.
package struct SeatActionRequest: Codable, Sendable {
    /// `block` or `unblock`.
    package var action: String
    package var seats: [String]
    package var reason: String?

    package init(action: String, seats: [String], reason: String? = nil) {
        self.action = action
        self.seats = seats
        self.reason = reason
    }
}

package struct SeatActionReply: Codable, Sendable, Equatable {
    package var changed: [String]
    /// Seats that orders have, or that were as asked for already.
    package var unchanged: [String]

    package init(changed: [String], unchanged: [String]) {
        self.changed = changed
        self.unchanged = unchanged
    }
}

/// One element of `GET /v1/admin/sessions/{id}/seats/{seat}/history`, the newest first.
package struct SeatEventReply: Codable, Sendable, Equatable {
    package var at: String
    /// `order.created`, `order.paid` …, `seat.blocked`, `seat.unblocked`.
    package var event: String
    package var orderID: String?
    /// The buyer, or who of the staff did it.
    package var accountID: String?
    package var reason: String?

    package init(at: String, event: String, orderID: String?, accountID: String?, reason: String?) {
        self.at = at
        self.event = event
        self.orderID = orderID
        self.accountID = accountID
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
        case at, event
        case orderID = "order_id"
        case accountID = "account_id"
        case reason
    }
}
