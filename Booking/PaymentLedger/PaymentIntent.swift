// A payment as the provider keeps it: what was asked for, how far it came, how much was taken.

/// How far a payment came. The names are Stripe's.
package enum IntentState: String, Codable, Sendable, CaseIterable {
    case requiresPaymentMethod = "requires_payment_method"
    case requiresConfirmation = "requires_confirmation"
    case requiresCapture = "requires_capture"
    case succeeded
    case canceled
}

/// What can happen to a payment after it was made.
package enum IntentStep: String, Codable, Sendable, CaseIterable {
    case authorize
    case decline
    case capture
    case cancel
}

extension IntentState {
    /// The whole transition table; `nil` where a step is refused.
    package func after(_ step: IntentStep) -> IntentState? {
        switch (self, step) {
        case (.requiresPaymentMethod, .authorize), (.requiresConfirmation, .authorize): .requiresCapture
        case (.requiresPaymentMethod, .decline), (.requiresConfirmation, .decline): .requiresPaymentMethod
        case (.requiresPaymentMethod, .cancel), (.requiresConfirmation, .cancel), (.requiresCapture, .cancel):
            .canceled
        case (.requiresCapture, .capture): .succeeded
        case (.requiresPaymentMethod, .capture), (.requiresConfirmation, .capture): nil
        case (.requiresCapture, .authorize), (.requiresCapture, .decline): nil
        case (.succeeded, .authorize), (.succeeded, .decline), (.succeeded, .capture), (.succeeded, .cancel): nil
        case (.canceled, .authorize), (.canceled, .decline), (.canceled, .capture), (.canceled, .cancel): nil
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

/// Why a card was declined.
package enum DeclineCode: String, Codable, Sendable, CaseIterable {
    case generic = "generic_decline"
    case insufficientFunds = "insufficient_funds"
}

/// What the bank behind a test payment method says.
package enum CardAnswer: Equatable, Sendable {
    case authorizes
    case declines(DeclineCode)

    /// Stripe's names of test payment methods; `nil` for a method that does not exist.
    package init?(paymentMethod: String) {
        switch paymentMethod {
        case "pm_card_visa", "pm_card_mastercard": self = .authorizes
        case "pm_card_visa_chargeDeclined", "pm_card_chargeDeclined": self = .declines(.generic)
        case "pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds":
            self = .declines(.insufficientFunds)
        default: return nil
        }
    }
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

    /// Money is set aside on the buyer's card and neither taken nor given back.
    package var isOpenAuthorization: Bool { state == .requiresCapture }
}
