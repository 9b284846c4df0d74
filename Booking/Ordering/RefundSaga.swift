/// The refund saga as a pure decision: submit with a key, look at what is pending, record what became of it.
package struct RefundSaga: Sendable {
    package enum Step: Sendable, Equatable {
        case submit
        case look
        /// Nothing is to be given back: only the tickets end.
        case finish
        case recordAccepted(reference: String, lookAfter: Duration)
        case recordSucceeded(reference: String?)
        case recordFailed(code: String, reference: String?)
        case wait(Duration)
        case stuck(reason: String, Duration)
        case done
    }

    package var retryDelay: Duration
    /// Between looks at a refund on which a bank has the last word; webhooks are faster.
    package var lookDelay: Duration
    package var stuckDelay: Duration

    package init(
        retryDelay: Duration = .seconds(1),
        lookDelay: Duration = .seconds(30),
        stuckDelay: Duration = .seconds(60)
    ) {
        self.retryDelay = retryDelay
        self.lookDelay = lookDelay
        self.stuckDelay = stuckDelay
    }

    package func next(_ refund: Refund) -> Step {
        switch refund.state {
        case .submitting: refund.amount.amountMinor == 0 ? .finish : .submit
        case .pending: .look
        case .requested, .rejected, .succeeded, .failed, .settledManually: .done
        }
    }

    package func react(to answer: RefundAnswer, refund: Refund) -> Step {
        switch answer {
        case .notSent, .unknown: .wait(retryDelay)
        case .tooMany(let delay): .wait(max(delay, retryDelay))
        // The provider will not do it: somebody decides what happens instead.
        case .refused(let code, _) where refund.state == .submitting: .recordFailed(code: code, reference: nil)
        case .refused(let code, let message): .stuck(reason: "\(code): \(message)", stuckDelay)
        case .state(let state): observed(state, refund: refund)
        }
    }

    /// What follows from a state the provider reports, whether as a reply, by a webhook or when asked.
    package func observed(_ state: ProviderRefund, refund: Refund) -> Step {
        guard state.amount == refund.amount else {
            return .stuck(reason: "the provider refunds another amount: \(state.amount.amountMinor)", stuckDelay)
        }
        switch (refund.state, state.status) {
        case (.submitting, .pending), (.pending, .pending):
            return .recordAccepted(reference: state.reference, lookAfter: lookDelay)
        case (.submitting, .succeeded), (.pending, .succeeded): return .recordSucceeded(reference: state.reference)
        // An earlier attempt's word about a refund that is tried anew is no news.
        case (.submitting, .failed), (.pending, .failed), (.succeeded, .failed):
            guard refund.reference == nil || refund.reference == state.reference else { return .done }
            return .recordFailed(code: state.failureCode ?? "refund_failed", reference: state.reference)
        default: return .done
        }
    }
}
