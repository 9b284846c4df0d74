/// The pay saga as a pure decision: what to do next, given what the database knows.
///
/// authorize → confirm (the point of no return) → capture. Before confirm everything can be undone by a void; after it
/// the saga only goes forward. Every step may be repeated: calls to the provider carry the same key, changes in the
/// database compare before they set. Recovery after a crash is therefore the same function on the stored facts.
package struct PaymentSaga: Sendable {
    package enum Step: Sendable, Equatable {
        /// Ask the provider to reserve the money (the same key again gives the same answer again).
        case authorize
        /// Make the claims sold and start the capture, in one transaction.
        case confirm(ProviderState)
        case capture
        /// Record that the reservation is to be given back, because the order is gone or waited too long.
        case beginVoid(reference: String)
        case void
        case recordDeclined(code: String, reference: String?)
        case recordCaptured(Money)
        case recordCaptureImpossible(code: String)
        case recordVoided
        /// No answer yet: look again after so long.
        case wait(Duration)
        /// The provider refuses the call itself; a person must look. Looked at again after a long time.
        case stuck(reason: String, Duration)
        case done
    }

    /// An authorization that took longer than this is given back instead of confirmed, so that no card is charged for
    /// a purchase the buyer has long given up.
    package var giveUpAfter: Duration
    package var retryDelay: Duration
    package var stuckDelay: Duration

    package init(
        giveUpAfter: Duration = .seconds(900),
        retryDelay: Duration = .seconds(1),
        stuckDelay: Duration = .seconds(60)
    ) {
        self.giveUpAfter = giveUpAfter
        self.retryDelay = retryDelay
        self.stuckDelay = stuckDelay
    }

    /// What to do with a payment in the given stored state.
    package func next(_ state: PaymentState) -> Step {
        switch state {
        case .authorizing, .unknown, .authorized: .authorize
        case .capturing: .capture
        case .voiding: .void
        case .captured, .failed, .voided: .done
        }
    }

    /// What follows from the provider's answer to the call of that state.
    package func react(
        to answer: ProviderAnswer,
        payment: Payment,
        order: OrderState,
        at now: Moment
    ) -> Step {
        switch answer {
        case .notSent, .unknown: .wait(retryDelay)
        case .tooMany(let delay): .wait(max(delay, retryDelay))
        case .declined(let code, let reference): declined(code, reference, payment)
        case .refused(let code, let message): refused(code, message, payment)
        case .state(let state): observed(state, payment: payment, order: order, at: now)
        }
    }

    /// What follows from a state the provider reports, whether as a reply, by a webhook or when asked.
    package func observed(_ state: ProviderState, payment: Payment, order: OrderState, at now: Moment) -> Step {
        switch (payment.state, state.status) {
        case (.authorizing, .requiresCapture), (.unknown, .requiresCapture), (.authorized, .requiresCapture):
            mayConfirm(payment, order, state, at: now) ? .confirm(state) : .beginVoid(reference: state.reference)
        case (.authorizing, .requiresPaymentMethod), (.unknown, .requiresPaymentMethod):
            .recordDeclined(code: state.declineCode ?? "declined", reference: state.reference)
        case (.authorizing, .cancelled), (.unknown, .cancelled), (.authorized, .cancelled):
            .recordDeclined(code: "cancelled_at_provider", reference: state.reference)
        case (.capturing, .captured): .recordCaptured(Money(state.captured, state.amount.currency))
        case (.capturing, .cancelled): .recordCaptureImpossible(code: "authorization_gone")
        case (.capturing, .requiresCapture): .capture
        case (.voiding, .cancelled): .recordVoided
        case (.voiding, .requiresCapture): .void
        case (.failed, .requiresCapture), (.failed, .captured), (.voided, .requiresCapture), (.voided, .captured):
            .stuck(reason: "the provider holds money of a payment that is \(payment.state.rawValue)", stuckDelay)
        case (.captured, _), (.failed, _), (.voided, _): .done
        case (_, .requiresAction), (_, .requiresConfirmation), (_, .processing): .wait(retryDelay)
        case (_, .captured):
            .stuck(reason: "the provider captured a payment that is \(payment.state.rawValue)", stuckDelay)
        case (_, .requiresPaymentMethod):
            .stuck(reason: "the provider wants a payment method for one that is \(payment.state.rawValue)", stuckDelay)
        }
    }

    private func mayConfirm(_ payment: Payment, _ order: OrderState, _ state: ProviderState, at now: Moment) -> Bool {
        (order == .authorizing || order == .authorized) && now - payment.startedAt < giveUpAfter
            && state.amount == payment.amount
    }

    private func declined(_ code: String, _ reference: String?, _ payment: Payment) -> Step {
        switch payment.state {
        case .authorizing, .unknown, .authorized: .recordDeclined(code: code, reference: reference)
        case .capturing: .recordCaptureImpossible(code: code)
        case .captured, .failed, .voided: .done
        case .voiding: .stuck(reason: "a void was declined: \(code)", stuckDelay)
        }
    }

    private func refused(_ code: String, _ message: String, _ payment: Payment) -> Step {
        switch payment.state {
        // Nothing was reserved by a call the provider would not even take.
        case .authorizing, .unknown: .recordDeclined(code: code, reference: nil)
        case .captured, .failed, .voided: .done
        case .authorized, .capturing, .voiding: .stuck(reason: "\(code): \(message)", stuckDelay)
        }
    }
}
