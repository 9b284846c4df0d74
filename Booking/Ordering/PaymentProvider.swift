/// What a provider says about one payment.
package struct ProviderState: Sendable, Equatable {
    package enum Status: String, Sendable {
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

package protocol PaymentProvider: Sendable {
    /// Reserves the amount (create and confirm with manual capture).
    func authorize(_ payment: Payment) async -> ProviderAnswer
    func capture(_ payment: Payment) async -> ProviderAnswer
    /// Gives a reservation back.
    func void(_ payment: Payment) async -> ProviderAnswer
    func state(of payment: Payment) async -> ProviderAnswer
}
