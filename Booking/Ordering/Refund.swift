/// What a refund costs its buyer, and until when; kept with each order as it was when the order was made.
package struct RefundTerms: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Carried out at once.
        case automatic
        /// Somebody has to agree.
        case staff
        /// Buyers get nothing back.
        case none
    }

    package var mode: Mode
    /// Kept of each ticket, in the smallest unit.
    package var feeFixed: Int64
    /// Kept of each ticket's price: 250 is 2.5 %.
    package var feeBasisPoints: Int
    /// Buyers may ask until then; `nil` is until the session begins.
    package var until: Moment?
    /// Whether a seat given back is sold again.
    package var resells: Bool

    package init(
        mode: Mode = .automatic,
        feeFixed: Int64 = 0,
        feeBasisPoints: Int = 0,
        until: Moment? = nil,
        resells: Bool = true
    ) {
        self.mode = mode
        self.feeFixed = feeFixed
        self.feeBasisPoints = feeBasisPoints
        self.until = until
        self.resells = resells
    }

    /// What is kept of one ticket: never more than it cost; halves are rounded up.
    package func fee(on price: Int64) -> Int64 {
        let (product, overflows) = price.multipliedReportingOverflow(by: Int64(feeBasisPoints))
        let share = overflows ? price : (product + 5_000) / 10_000
        return min(price, feeFixed + share)
    }
}

package enum RefundState: String, Sendable, CaseIterable {
    /// Waits for somebody to agree.
    case requested
    case rejected
    /// To be sent, or sent and not answered yet.
    case submitting
    /// The provider has taken it; the bank has the last word.
    case pending
    case succeeded
    case failed
    case settledManually = "settled_manually"

    package enum Event: String, Sendable, CaseIterable {
        case rejected, submitted, accepted, succeeded, failed, settledManually
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> RefundState? {
        switch (self, event) {
        case (.requested, .rejected): .rejected
        case (.requested, .submitted), (.failed, .submitted): .submitting
        case (.submitting, .accepted), (.pending, .accepted): .pending
        case (.submitting, .succeeded), (.pending, .succeeded): .succeeded
        case (.submitting, .failed), (.pending, .failed): .failed
        // A bank may send money back that it had taken.
        case (.succeeded, .failed): .failed
        case (.failed, .settledManually): .settledManually
        default: nil
        }
    }

    /// Its amount is on its way, so nobody else may have it.
    package var isUnderWay: Bool {
        switch self {
        case .requested, .submitting, .pending: true
        case .rejected, .succeeded, .failed, .settledManually: false
        }
    }
}

/// Money given back, or to be given back.
package struct Refund: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Tickets given back by their buyer.
        case buyer
        case staff
        case sessionCancelled = "session_cancelled"
        /// Money that came after its order had ended, or a second time.
        case lateMoney = "late_payment"
        /// More was taken than was due.
        case difference
        /// Made at the provider, not here.
        case external
    }

    /// A ticket of a refund, and what of its price goes back.
    package struct Share: Sendable, Equatable {
        package var ticket: TicketID
        package var amount: Int64
        package var fee: Int64

        package init(ticket: TicketID, amount: Int64, fee: Int64) {
            self.ticket = ticket
            self.amount = amount
            self.fee = fee
        }
    }

    package var id: RefundID
    package var order: OrderID
    package var payment: PaymentID?
    package var kind: Kind
    package var state: RefundState
    package var amount: Money
    /// What was kept.
    package var fee: Int64
    package var reason: String
    package var shares: [Share]
    /// 1, 2, 3 …: a retry is a new request to the provider.
    package var attempt: Int
    /// The provider's ids.
    package var reference: String?
    package var paymentReference: String?
    package var failureCode: String?
    package var note: String?
    package var createdAt: Moment

    package init(
        id: RefundID,
        order: OrderID,
        payment: PaymentID?,
        kind: Kind,
        state: RefundState,
        amount: Money,
        fee: Int64,
        reason: String,
        shares: [Share],
        attempt: Int = 1,
        createdAt: Moment
    ) {
        self.id = id
        self.order = order
        self.payment = payment
        self.kind = kind
        self.state = state
        self.amount = amount
        self.fee = fee
        self.reason = reason
        self.shares = shares
        self.attempt = attempt
        self.createdAt = createdAt
    }

    /// Toward the provider: one key for each attempt.
    package var key: String { "\(id):\(attempt)" }
}
