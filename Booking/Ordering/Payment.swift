/// What a buyer has to do before their bank answers.
package struct PaymentAction: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Go to a page of the bank.
        case redirect
        /// Show a code to scan.
        case code = "qr_code"
        /// The provider's own script in the page takes it from the client secret.
        case script
    }

    package var kind: Kind
    /// The page, the payload of the code, or the client secret.
    package var value: String

    package init(kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }
}

/// One attempt to pay an order. An order has at most one live attempt.
package struct Payment: Sendable, Equatable {
    package var id: PaymentID
    package var order: OrderID
    package var session: SessionID
    /// 1, 2, 3 … of its order.
    package var attempt: Int
    package var state: PaymentState
    package var amount: Money
    /// How many seats it pays for.
    package var seatCount = 0
    /// The provider's payment method, for example `pm_card_visa`.
    package var method: String
    /// The provider's id once known.
    package var reference: String?
    package var declineCode: String?
    package var startedAt: Moment
    package var action: PaymentAction?
    package var captured: Int64 = 0
    package var refunded: Int64 = 0
    /// How often staff had its saga tried anew: each time its calls get new keys.
    package var tries = 0
    /// Why somebody must look at it.
    package var stuckReason: String?

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
    package var captureKey: String { "\(id):capture" + suffix }
    package var voidKey: String { "\(id):void" + suffix }
    private var suffix: String { tries == 0 ? "" : ":\(tries)" }

    /// Methods that know no reservation: the money is taken at once.
    package var capturesItself: Bool { method.hasPrefix("pm_qr") || method.hasPrefix("pm_wechat") }
}

package enum PaymentState: String, Sendable, CaseIterable {
    case authorizing
    /// The buyer has to do something first.
    case requiresAction = "requires_action"
    case unknown, authorized, capturing, captured, failed, voiding, voided
    /// The provider holds money of an attempt that had ended: it goes back.
    case stray

    package enum Event: String, Sendable, CaseIterable {
        case noAnswer, actionRequired, actionFinished, authorized, declined, captureStarted, captured
        case captureImpossible, voidStarted, voided, moneyAppeared, adopted
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> PaymentState? {
        switch (self, event) {
        case (.authorizing, .noAnswer), (.unknown, .noAnswer): .unknown
        case (.authorizing, .actionRequired), (.unknown, .actionRequired), (.requiresAction, .actionRequired):
            .requiresAction
        case (.requiresAction, .actionFinished): .authorizing
        case (.authorizing, .authorized), (.unknown, .authorized), (.requiresAction, .authorized): .authorized
        case (.authorizing, .declined), (.unknown, .declined), (.requiresAction, .declined): .failed
        // The authorization ran out or was cancelled at the provider.
        case (.authorized, .declined): .failed
        // A void that the provider had done already, by another name.
        case (.voiding, .declined): .voided
        case (.authorized, .captureStarted): .capturing
        // Methods that are taken at once.
        case (.authorizing, .captured), (.unknown, .captured), (.requiresAction, .captured), (.capturing, .captured):
            .captured
        case (.capturing, .captureImpossible): .failed
        case (.authorizing, .voidStarted), (.unknown, .voidStarted), (.requiresAction, .voidStarted),
            (.authorized, .voidStarted):
            .voiding
        case (.voiding, .voided), (.stray, .voided): .voided
        case (.failed, .moneyAppeared), (.voided, .moneyAppeared), (.voiding, .moneyAppeared),
            (.capturing, .moneyAppeared), (.authorizing, .moneyAppeared), (.unknown, .moneyAppeared),
            (.requiresAction, .moneyAppeared), (.stray, .moneyAppeared):
            .stray
        // The order still or again has its seats, and no other attempt is live.
        case (.failed, .adopted), (.voided, .adopted), (.stray, .adopted): .authorized
        default: nil
        }
    }

    /// Whether money is or may become reserved or taken by this attempt, for its order.
    package var isLive: Bool {
        switch self {
        case .failed, .voided, .stray: false
        case .authorizing, .requiresAction, .unknown, .authorized, .capturing, .captured, .voiding: true
        }
    }

    /// Whether the saga still has work to do.
    package var isOpen: Bool { isLive && self != .captured }
}
