// The one place that says what a state reported by the provider means: for replies, webhooks and looks alike.

extension PaymentSaga {
    /// What follows from a state the provider reports.
    package func observed(_ state: ProviderState, _ work: SagaWork, at now: Moment) -> Step {
        switch work.payment.state {
        case .authorizing, .unknown, .requiresAction, .authorized: waiting(state, work, at: now)
        case .capturing: capturing(state, work.payment)
        case .voiding: voiding(state, work)
        case .failed, .voided: ended(state, work)
        case .stray: stray(state)
        case .captured: .done
        }
    }

    /// An attempt whose money is not there yet.
    private func waiting(_ state: ProviderState, _ work: SagaWork, at now: Moment) -> Step {
        let payment = work.payment
        switch state.status {
        case .requiresCapture:
            guard mayConfirm(state, work, at: now) else {
                let end: OrderState = work.isCancelRequested ? .cancelled : .expired
                return .beginVoid(reference: state.reference, then: end, endsNow: true)
            }
            return .confirm(state)
        case .captured: return mayUse(state, work) ? .confirm(state) : .recordStray(state)
        case .cancelled:
            return .recordDeclined(code: "cancelled_at_provider", reference: state.reference, counts: true)
        case .requiresPaymentMethod where payment.state != .authorized:
            let code = state.declineCode ?? "declined"
            return .recordDeclined(code: code, reference: state.reference, counts: true)
        case .requiresAction where payment.state != .authorized:
            if work.isCancelRequested {
                return .beginVoid(reference: state.reference, then: .cancelled, endsNow: false)
            }
            guard now < max(work.deadline, payment.startedAt + actionWindow) else {
                return .beginVoid(reference: state.reference, then: .expired, endsNow: false)
            }
            return .awaitAction(state, lookDelay)
        case .requiresConfirmation, .processing: return .wait(retryDelay)
        case .requiresPaymentMethod, .requiresAction: return contradiction(state, payment)
        }
    }

    /// Past the point of no return.
    private func capturing(_ state: ProviderState, _ payment: Payment) -> Step {
        switch state.status {
        case .captured:
            let isEnough =
                state.captured >= payment.amount.amountMinor && state.amount.currency == payment.amount.currency
            return isEnough ? .recordCaptured(Money(state.captured, state.amount.currency)) : .recordStray(state)
        case .cancelled: return .recordCaptureImpossible(code: "authorization_gone")
        case .requiresCapture: return .capture
        case .processing: return .wait(retryDelay)
        case .requiresPaymentMethod, .requiresAction, .requiresConfirmation: return contradiction(state, payment)
        }
    }

    /// Given up, and the provider has not agreed yet.
    private func voiding(_ state: ProviderState, _ work: SagaWork) -> Step {
        switch state.status {
        case .cancelled, .requiresPaymentMethod: .recordVoided
        case .requiresCapture, .requiresAction, .requiresConfirmation: .void
        case .processing: .wait(retryDelay)
        // The capture was faster than the void: the order may still be waiting.
        case .captured: mayUse(state, work) ? .confirm(state) : .recordStray(state)
        }
    }

    /// Over, as far as we knew.
    private func ended(_ state: ProviderState, _ work: SagaWork) -> Step {
        guard state.status == .requiresCapture || state.status == .captured else { return .done }
        let isWanted =
            work.orderState == .pending || work.orderState == .expired && latePayment == .reclaim
        let isExact =
            state.amount == work.payment.amount
            && (state.status == .requiresCapture || state.captured == state.amount.amountMinor)
        return isWanted && isExact && !work.isCancelRequested ? .adopt(state) : .recordStray(state)
    }

    private func stray(_ state: ProviderState) -> Step {
        switch state.status {
        case .captured: .recordStray(state)
        case .cancelled, .requiresPaymentMethod: .recordVoided
        case .requiresCapture, .requiresAction, .requiresConfirmation: .void
        case .processing: .wait(retryDelay)
        }
    }

    private func mayConfirm(_ state: ProviderState, _ work: SagaWork, at now: Moment) -> Bool {
        isWaiting(work) && now - work.payment.startedAt < giveUpAfter && state.amount == work.payment.amount
    }

    /// Money that was taken: more than enough is used and the difference given back.
    private func mayUse(_ state: ProviderState, _ work: SagaWork) -> Bool {
        isWaiting(work) && state.amount.currency == work.payment.amount.currency
            && state.captured >= work.payment.amount.amountMinor
    }

    private func isWaiting(_ work: SagaWork) -> Bool {
        (work.orderState == .authorizing || work.orderState == .authorized) && !work.isCancelRequested
    }

    private func contradiction(_ state: ProviderState, _ payment: Payment) -> Step {
        .stuck(
            reason: "the provider says \(state.status.rawValue) of a payment that is \(payment.state.rawValue)",
            stuckDelay
        )
    }
}
