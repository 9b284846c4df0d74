/// What a provider says about one payment.
package struct ProviderState: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case requiresPaymentMethod, requiresConfirmation, requiresAction, processing, requiresCapture, captured,
            cancelled
    }

    /// The provider's id.
    package var reference: String
    package var status: Status
    package var amount: Money
    package var captured: Int64
    /// Our payment, as told to the provider when it was made.
    package var payment: PaymentID?
    package var declineCode: String?
    /// What the buyer has to do, with `requiresAction`.
    package var action: PaymentAction?

    package init(
        reference: String,
        status: Status,
        amount: Money,
        captured: Int64,
        payment: PaymentID?,
        declineCode: String?
    ) {
        self.reference = reference
        self.status = status
        self.amount = amount
        self.captured = captured
        self.payment = payment
        self.declineCode = declineCode
    }
}

package enum ProviderAnswer: Sendable, Equatable {
    case state(ProviderState)
    /// The card was declined; `reference` when the provider kept the attempt.
    case declined(code: String, reference: String?)
    /// Surely nothing reached the provider.
    case notSent(String)
    /// It may or may not have been done: ask again with the same key.
    case unknown(String)
    /// The provider wants fewer calls for so long.
    case tooMany(retryAfter: Duration)
    /// The call is wrong and will stay wrong: somebody must look.
    case refused(code: String, message: String)
}

/// What a provider says about one refund.
package struct ProviderRefund: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case pending, succeeded, failed
    }

    /// The provider's id.
    package var reference: String
    /// The provider's id of the payment.
    package var paymentReference: String
    package var status: Status
    package var amount: Money
    /// Our refund, as told to the provider; `nil` for one that was made there.
    package var refund: RefundID?
    package var failureCode: String?

    package init(
        reference: String,
        paymentReference: String,
        status: Status,
        amount: Money,
        refund: RefundID?,
        failureCode: String?
    ) {
        self.reference = reference
        self.paymentReference = paymentReference
        self.status = status
        self.amount = amount
        self.refund = refund
        self.failureCode = failureCode
    }
}

package enum RefundAnswer: Sendable, Equatable {
    case state(ProviderRefund)
    case notSent(String)
    case unknown(String)
    case tooMany(retryAfter: Duration)
    case refused(code: String, message: String)
}

/// A buyer's bank wants money back, has got it, or has given up.
package struct ProviderDispute: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable { case open, won, lost }

    package var reference: String
    package var paymentReference: String
    package var status: Status
    package var amount: Money

    package init(reference: String, paymentReference: String, status: Status, amount: Money) {
        self.reference = reference
        self.paymentReference = paymentReference
        self.status = status
        self.amount = amount
    }
}

package protocol PaymentProvider: Sendable {
    /// Reserves the amount (create and confirm with manual capture), or takes it with methods that know no reservation.
    func authorize(_ payment: Payment) async -> ProviderAnswer
    func capture(_ payment: Payment) async -> ProviderAnswer
    /// Gives a reservation back.
    func void(_ payment: Payment) async -> ProviderAnswer
    func state(of payment: Payment) async -> ProviderAnswer
    /// Gives captured money back.
    func refund(_ refund: Refund) async -> RefundAnswer
    func state(of refund: Refund) async -> RefundAnswer
}
