/// Every state of an order and the only moves between them (a refusal is an answer, not an accident).
package enum OrderState: String, Sendable, CaseIterable {
    /// Accepted, its seats not yet claimed.
    case processing
    case pending, authorizing, authorized, confirmed, paid
    case partiallyRefunded = "partially_refunded"
    case refunded
    case chargedBack = "charged_back"
    case cancelled, expired, failed

    package enum Event: String, Sendable, CaseIterable {
        case claimed, refused, payStarted, paidNothing, declined, authorized, confirmed, captured, captureImpossible
        case cancelled, expired, abandoned, refundedInPart, refundedWhole, chargedBack
        /// Money came after the end, and the seats could be claimed again.
        case revived
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> OrderState? {
        switch (self, event) {
        case (.processing, .claimed): .pending
        case (.processing, .refused): .failed
        case (.processing, .cancelled): .cancelled
        case (.pending, .payStarted): .authorizing
        // Nothing is to be paid.
        case (.pending, .paidNothing): .paid
        // An earlier attempt came through after it was given up.
        case (.pending, .authorized): .authorized
        case (.pending, .cancelled): .cancelled
        case (.pending, .expired): .expired
        case (.authorizing, .declined): .pending
        case (.authorizing, .authorized): .authorized
        // Only after the provider has confirmed that nothing is or will be authorized.
        case (.authorizing, .abandoned): .expired
        case (.authorizing, .cancelled): .cancelled
        case (.authorized, .confirmed): .confirmed
        // Before the point of no return; the authorization is voided.
        case (.authorized, .cancelled): .cancelled
        case (.authorized, .abandoned): .expired
        case (.confirmed, .captured): .paid
        case (.confirmed, .captureImpossible): .failed
        case (.expired, .revived): .authorized
        case (.paid, .refundedInPart), (.partiallyRefunded, .refundedInPart): .partiallyRefunded
        case (.paid, .refundedWhole), (.partiallyRefunded, .refundedWhole): .refunded
        case (.paid, .chargedBack), (.partiallyRefunded, .chargedBack): .chargedBack
        default: nil
        }
    }

    /// Nothing more happens to the order by itself.
    package var isFinal: Bool {
        switch self {
        case .paid, .partiallyRefunded, .refunded, .chargedBack, .cancelled, .expired, .failed: true
        case .processing, .pending, .authorizing, .authorized, .confirmed: false
        }
    }

    /// Its seats are sold and its tickets were valid once.
    package var isSold: Bool {
        switch self {
        case .paid, .partiallyRefunded: true
        default: false
        }
    }
}

/// Every state of a ticket and the only moves between them.
package enum TicketState: String, Sendable, CaseIterable {
    /// The seat is sold, the money not yet captured.
    case pending
    case valid
    case checkedIn = "checked_in"
    case checkedOut = "checked_out"
    /// Not good while a dispute is open; what it was before is kept.
    case suspended
    case refundPending = "refund_pending"
    case void, expired

    package enum Event: String, Sendable, CaseIterable {
        case captured, checkedIn, checkInUndone, checkedOut, reissued, refundRequested, refundSucceeded, suspended
        case voided, ended
    }

    /// The state after `event`, or `nil` when the move is illegal. What `restored` gives depends on the ticket.
    package func after(_ event: Event) -> TicketState? {
        switch (self, event) {
        case (.pending, .captured): .valid
        case (.pending, .voided): .void
        case (.valid, .checkedIn), (.checkedOut, .checkedIn): .checkedIn
        case (.checkedIn, .checkInUndone): .valid
        case (.checkedIn, .checkedOut): .checkedOut
        case (.valid, .reissued): .valid
        // From the gate only when staff insist.
        case (.valid, .refundRequested), (.checkedIn, .refundRequested): .refundPending
        case (.refundPending, .refundSucceeded): .void
        case (.valid, .suspended), (.checkedIn, .suspended): .suspended
        case (.valid, .voided), (.checkedIn, .voided), (.checkedOut, .voided), (.suspended, .voided),
            (.refundPending, .voided):
            .void
        case (.valid, .ended): .expired
        default: nil
        }
    }

    /// Whether a suspension or a refund that came to nothing may give this state back.
    package func mayRestore(_ before: TicketState) -> Bool {
        (self == .suspended || self == .refundPending) && (before == .valid || before == .checkedIn)
    }

    /// The right to its seat.
    package var isLive: Bool { self != .void && self != .expired }
}
