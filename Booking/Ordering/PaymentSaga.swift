/// What becomes of money that comes when its order has expired.
package enum LatePayment: String, Sendable, CaseIterable {
    /// It goes back.
    case void
    /// The order gets its seats again when all of them are still free.
    case reclaim
}

/// The pay saga as a pure decision: what to do next, given what the database knows.
///
/// authorize → confirm (the point of no return) → capture. Before confirm everything can be undone by a void; after it
/// the saga only goes forward. Every step may be repeated: calls to the provider carry the same key, changes in the
/// database compare before they set. Recovery after a crash is therefore the same function on the stored facts.
package struct PaymentSaga: Sendable {
    package enum Step: Sendable, Equatable {
        /// Ask the provider to reserve the money (the same key again gives the same answer again).
        case authorize
        /// Ask the provider how it stands.
        case look
        /// Make the claims sold and start the capture, in one transaction.
        case confirm(ProviderState)
        case capture
        /// The buyer has to do something first; look again after so long.
        case awaitAction(ProviderState, Duration)
        /// Record that the attempt is given up, and what becomes of its order: at once when only a reservation has to
        /// be given back, else when that is done.
        case beginVoid(reference: String, then: OrderState, endsNow: Bool)
        case void
        /// An attempt of a method that the provider does not know does not count.
        case recordDeclined(code: String, reference: String?, counts: Bool)
        case recordCaptured(Money)
        case recordCaptureImpossible(code: String)
        case recordVoided
        /// Money of an attempt that had ended, which its order may still be able to use.
        case adopt(ProviderState)
        /// Money that no order can use: it goes back.
        case recordStray(ProviderState)
        /// No answer yet: look again after so long.
        case wait(Duration)
        /// The provider refuses the call itself; a person must look. Looked at again after a long time.
        case stuck(reason: String, Duration)
        case done
    }

    /// An authorization that took longer than this is given back instead of confirmed, so that no card is charged for
    /// a purchase the buyer has long given up.
    package var giveUpAfter: Duration
    /// A buyer has so long for what the bank asks of them, or until the order is to be paid, whichever is later.
    package var actionWindow: Duration
    package var latePayment: LatePayment
    package var retryDelay: Duration
    /// Between looks at a payment that waits for its buyer; webhooks are faster.
    package var lookDelay: Duration
    package var stuckDelay: Duration

    package init(
        giveUpAfter: Duration = .seconds(900),
        actionWindow: Duration = .seconds(180),
        latePayment: LatePayment = .void,
        retryDelay: Duration = .seconds(1),
        lookDelay: Duration = .seconds(5),
        stuckDelay: Duration = .seconds(60)
    ) {
        self.giveUpAfter = giveUpAfter
        self.actionWindow = actionWindow
        self.latePayment = latePayment
        self.retryDelay = retryDelay
        self.lookDelay = lookDelay
        self.stuckDelay = stuckDelay
    }

    /// What to do with a payment as it is stored.
    package func next(_ payment: Payment) -> Step {
        switch payment.state {
        case .authorizing, .unknown, .authorized: payment.reference == nil ? .authorize : .look
        case .requiresAction: .look
        case .capturing: .capture
        case .voiding: .void
        case .stray: payment.captured == 0 ? .void : .done
        case .captured, .failed, .voided: .done
        }
    }

    /// What follows from the provider's answer to the call of that state.
    package func react(to answer: ProviderAnswer, _ work: SagaWork, at now: Moment) -> Step {
        switch answer {
        case .notSent, .unknown: .wait(retryDelay)
        case .tooMany(let delay): .wait(max(delay, retryDelay))
        case .declined(let code, let reference): declined(code, reference, work.payment)
        case .refused(let code, let message): refused(code, message, work.payment)
        case .state(let state): observed(state, work, at: now)
        }
    }

    private func declined(_ code: String, _ reference: String?, _ payment: Payment) -> Step {
        switch payment.state {
        case .authorizing, .unknown, .authorized, .requiresAction:
            .recordDeclined(code: code, reference: reference, counts: true)
        case .capturing: .recordCaptureImpossible(code: code)
        case .captured, .failed, .voided: .done
        case .voiding, .stray: .stuck(reason: "a void was declined: \(code)", stuckDelay)
        }
    }

    private func refused(_ code: String, _ message: String, _ payment: Payment) -> Step {
        switch payment.state {
        // Nothing was reserved by a call the provider would not even take.
        case .authorizing where payment.reference == nil, .unknown where payment.reference == nil:
            .recordDeclined(code: code, reference: nil, counts: !Self.unknownMethodCodes.contains(code))
        case .captured, .failed, .voided: .done
        case .authorizing, .unknown, .requiresAction, .authorized, .capturing, .voiding, .stray:
            .stuck(reason: "\(code): \(message)", stuckDelay)
        }
    }

    /// The provider's words for a payment method that there is not, or not here.
    package static let unknownMethodCodes: Set<String> = [
        "resource_missing", "payment_method_unexpected_state", "payment_intent_invalid_parameter",
        "payment_method_invalid_parameter",
    ]
}
