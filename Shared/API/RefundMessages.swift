// Refunds and sessions called off, as booking tells them.

/// Body of the calls that ask for a refund; without tickets it is for all that can be given back.
package struct RefundRequestBody: Codable, Sendable {
    package var tickets: [String]?
    package var reason: String?
    /// Staff only, instead of tickets.
    package var amountMinor: Int?
    /// Staff only: also used tickets.
    package var force: Bool?

    package init(tickets: [String]? = nil, reason: String? = nil, amountMinor: Int? = nil, force: Bool? = nil) {
        self.tickets = tickets
        self.reason = reason
        self.amountMinor = amountMinor
        self.force = force
    }

    private enum CodingKeys: String, CodingKey {
        case tickets, reason
        case amountMinor = "amount_minor"
        case force
    }
}

package struct RefundReply: Codable, Sendable {
    package var id: String
    package var orderID: String
    /// requested, rejected, submitting, pending, succeeded, failed, settled_manually.
    package var state: String
    /// buyer, staff, session_cancelled, late_payment, difference, external.
    package var kind: String
    package var amount: MoneyReply
    /// What was kept.
    package var fee: MoneyReply
    package var tickets: [String]
    package var reason: String
    package var failureCode: String?
    package var createdAt: String

    package init(
        id: String,
        orderID: String,
        state: String,
        kind: String,
        amount: MoneyReply,
        fee: MoneyReply,
        tickets: [String],
        reason: String,
        failureCode: String?,
        createdAt: String
    ) {
        self.id = id
        self.orderID = orderID
        self.state = state
        self.kind = kind
        self.amount = amount
        self.fee = fee
        self.tickets = tickets
        self.reason = reason
        self.failureCode = failureCode
        self.createdAt = createdAt
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case orderID = "order_id"
        case state, kind, amount, fee, tickets, reason
        case failureCode = "failure_code"
        case createdAt = "created_at"
    }
}

/// Why staff decided as they did.
package struct NoteBody: Codable, Sendable {
    package var note: String

    package init(note: String) { self.note = note }
}

/// Body of `PUT /v1/admin/sessions/{id}/refund-terms`.
package struct RefundTermsBody: Codable, Sendable {
    /// automatic, staff or none.
    package var mode: String
    package var feeFixedMinor: Int?
    package var feeBasisPoints: Int?
    package var until: String?
    package var resells: Bool?

    package init(
        mode: String,
        feeFixedMinor: Int? = nil,
        feeBasisPoints: Int? = nil,
        until: String? = nil,
        resells: Bool? = nil
    ) {
        self.mode = mode
        self.feeFixedMinor = feeFixedMinor
        self.feeBasisPoints = feeBasisPoints
        self.until = until
        self.resells = resells
    }

    private enum CodingKeys: String, CodingKey {
        case mode
        case feeFixedMinor = "fee_fixed_minor"
        case feeBasisPoints = "fee_basis_points"
        case until, resells
    }
}

/// How far calling a session off has come.
package struct CancellationReply: Codable, Sendable {
    package var sessionID: String
    /// running or done.
    package var state: String
    package var reason: String
    package var requestedAt: String
    package var finishedAt: String?
    package var ordersTotal: Int
    /// Orders that still have seats.
    package var ordersWaiting: Int
    /// Orders among them whose refund failed.
    package var ordersFailed: Int

    package init(
        sessionID: String,
        state: String,
        reason: String,
        requestedAt: String,
        finishedAt: String?,
        ordersTotal: Int,
        ordersWaiting: Int,
        ordersFailed: Int
    ) {
        self.sessionID = sessionID
        self.state = state
        self.reason = reason
        self.requestedAt = requestedAt
        self.finishedAt = finishedAt
        self.ordersTotal = ordersTotal
        self.ordersWaiting = ordersWaiting
        self.ordersFailed = ordersFailed
    }

    private enum CodingKeys: String, CodingKey {
        case sessionID = "session_id"
        case state, reason
        case requestedAt = "requested_at"
        case finishedAt = "finished_at"
        case ordersTotal = "orders_total"
        case ordersWaiting = "orders_waiting"
        case ordersFailed = "orders_failed"
    }
}
