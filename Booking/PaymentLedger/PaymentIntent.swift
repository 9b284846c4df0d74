// A payment as the provider keeps it: what was asked for, how far it came, how much was taken and given back.

/// How far a payment came. The names are Stripe's.
package enum IntentState: String, Codable, Sendable, CaseIterable {
    case requiresPaymentMethod = "requires_payment_method"
    case requiresConfirmation = "requires_confirmation"
    case requiresAction = "requires_action"
    case requiresCapture = "requires_capture"
    case succeeded
    case canceled
}

/// What can happen to a payment after it was made.
package enum IntentStep: String, Codable, Sendable, CaseIterable {
    case askForAction = "ask_for_action"
    case authorize
    case decline
    case capture
    case cancel
    case refund
    case settleRefund = "settle_refund"
    case dispute
    case closeDispute = "close_dispute"
}

extension IntentState {
    /// The whole transition table; `nil` where a step is refused.
    package func after(_ step: IntentStep) -> IntentState? {
        switch (self, step) {
        case (.requiresPaymentMethod, .askForAction), (.requiresConfirmation, .askForAction),
            (.requiresAction, .askForAction):
            .requiresAction
        case (.requiresPaymentMethod, .authorize), (.requiresConfirmation, .authorize), (.requiresAction, .authorize):
            .requiresCapture
        case (.requiresPaymentMethod, .decline), (.requiresConfirmation, .decline), (.requiresAction, .decline):
            .requiresPaymentMethod
        case (.requiresPaymentMethod, .cancel), (.requiresConfirmation, .cancel), (.requiresAction, .cancel),
            (.requiresCapture, .cancel):
            .canceled
        case (.requiresCapture, .capture): .succeeded
        case (.succeeded, .refund), (.succeeded, .settleRefund), (.succeeded, .dispute), (.succeeded, .closeDispute):
            .succeeded
        default: nil
        }
    }
}

/// Whether an authorised payment waits for its capture or is taken at once.
package enum CaptureMethod: String, Codable, Sendable, CaseIterable {
    case automatic
    case manual
}

package enum CancellationReason: String, Codable, Sendable, CaseIterable {
    case duplicate
    case fraudulent
    case requestedByCustomer = "requested_by_customer"
    case abandoned
}

/// What a caller asks to be paid.
package struct PaymentTerms: Codable, Equatable, Sendable {
    /// In the currency's smallest unit.
    package var amount: Int64
    /// ISO 4217, lower case.
    package var currency: String
    package var captureMethod: CaptureMethod
    package var paymentMethod: String?
    package var description: String?
    package var metadata: [String: String]
    /// Kinds of methods it may be paid with; absent means cards.
    package var methodTypes: [String]?
    /// Where the buyer goes after an action.
    package var returnURL: String?

    package init(
        amount: Int64,
        currency: String,
        captureMethod: CaptureMethod = .manual,
        paymentMethod: String? = nil,
        description: String? = nil,
        metadata: [String: String] = [:]
    ) {
        self.amount = amount
        self.currency = currency
        self.captureMethod = captureMethod
        self.paymentMethod = paymentMethod
        self.description = description
        self.metadata = metadata
    }
}

package struct PaymentIntent: Equatable, Sendable {
    package let id: String
    package let clientSecret: String
    package var terms: PaymentTerms
    package var state: IntentState
    /// Milliseconds since 1970, as are all times here.
    package let createdAt: Int64
    /// The newest attempt at the card, whether it went well or not.
    package var charge: String?
    package var lastDecline: DeclineCode?
    package var lastDeclinedMethod: String?
    /// What may still be captured.
    package var capturable: Int64 = 0
    /// What was captured.
    package var received: Int64 = 0
    package var canceledAt: Int64?
    package var cancellationReason: CancellationReason?
    /// In the order they were made.
    package var refunds: [ChargeRefund] = []
    package var dispute: ChargeDispute?

    /// Money is set aside on the buyer's card and neither taken nor given back.
    package var isOpenAuthorization: Bool { state == .requiresCapture }

    /// What was or is being given back.
    package var refunded: Int64 {
        refunds.reduce(0) { $0 + ($1.state == .failed ? 0 : $1.amount) }
    }

    /// What was given back for good.
    package var refundedForGood: Int64 {
        refunds.reduce(0) { $0 + ($1.state == .succeeded ? $1.amount : 0) }
    }
}

/// How far a refund came. The names are Stripe's.
package enum RefundStatus: String, Codable, Sendable, CaseIterable {
    case pending
    case succeeded
    case failed

    /// A bank may send money back long after it was given.
    package func mayBecome(_ next: RefundStatus) -> Bool {
        switch (self, next) {
        case (.pending, .succeeded), (.pending, .failed), (.succeeded, .failed): true
        default: false
        }
    }
}

package struct ChargeRefund: Codable, Equatable, Sendable {
    package var id: String
    package var amount: Int64
    package var state: RefundStatus
    package var reason: String?
    package var metadata: [String: String]

    package init(id: String, amount: Int64, state: RefundStatus, reason: String?, metadata: [String: String]) {
        self.id = id
        self.amount = amount
        self.state = state
        self.reason = reason
        self.metadata = metadata
    }
}

/// A buyer's bank wants the money back. The names are Stripe's.
package struct ChargeDispute: Codable, Equatable, Sendable {
    package enum State: String, Codable, Sendable {
        case needsResponse = "needs_response"
        case won
        case lost
    }

    package var id: String
    package var amount: Int64
    package var state: State

    package init(id: String, amount: Int64, state: State) {
        self.id = id
        self.amount = amount
        self.state = state
    }
}
