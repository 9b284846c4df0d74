/// One attempt to pay an order. An order has at most one live attempt.
package struct Payment: Sendable, Equatable {
    package var id: PaymentID
    package var order: OrderID
    package var session: SessionID
    /// 1, 2, 3 … of its order.
    package var attempt: Int
    package var state: PaymentState
    package var amount: Money
    /// The provider's payment method, for example `pm_card_visa`.
    package var method: String
    /// The provider's id once known.
    package var reference: String?
    package var declineCode: String?
    package var startedAt: Moment

    package init(
        id: PaymentID,
        order: OrderID,
        session: SessionID,
        attempt: Int,
        state: PaymentState,
        amount: Money,
        method: String,
        reference: String?,
        declineCode: String?,
        startedAt: Moment
    ) {
        self.id = id
        self.order = order
        self.session = session
        self.attempt = attempt
        self.state = state
        self.amount = amount
        self.method = method
        self.reference = reference
        self.declineCode = declineCode
        self.startedAt = startedAt
    }

    /// Keys toward the provider: the same call always carries the same key.
    package var authorizeKey: String { "\(id):auth:\(attempt)" }
    package var captureKey: String { "\(id):capture" }
    package var voidKey: String { "\(id):void" }
}

package enum PaymentState: String, Sendable, CaseIterable {
    case authorizing, unknown, authorized, capturing, captured, failed, voiding, voided

    package enum Event: String, Sendable, CaseIterable {
        case noAnswer, authorized, declined, captureStarted, captured, captureImpossible, voidStarted, voided
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> PaymentState? {
        switch (self, event) {
        case (.authorizing, .noAnswer), (.unknown, .noAnswer): .unknown
        case (.authorizing, .authorized), (.unknown, .authorized): .authorized
        case (.authorizing, .declined), (.unknown, .declined): .failed
        case (.authorized, .captureStarted): .capturing
        case (.authorized, .voidStarted): .voiding
        // The authorization ran out or was cancelled at the provider.
        case (.authorized, .declined): .failed
        case (.capturing, .captured): .captured
        case (.capturing, .captureImpossible): .failed
        case (.voiding, .voided): .voided
        default: nil
        }
    }

    /// Whether money is or may become reserved or taken by this attempt.
    package var isLive: Bool {
        switch self {
        case .failed, .voided: false
        case .authorizing, .unknown, .authorized, .capturing, .captured, .voiding: true
        }
    }

    /// Whether the saga still has work to do.
    package var isOpen: Bool { isLive && self != .captured }
}
