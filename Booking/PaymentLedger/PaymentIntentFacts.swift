// What a fact makes of a payment.

extension PaymentIntent {
    /// This payment after a fact; throws when the transition table or the amounts forbid it.
    func after(_ fact: LedgerFact, at now: Int64) throws(LedgerFlaw) -> PaymentIntent {
        guard let step = fact.step, let next = state.after(step) else {
            throw .impossibleStep(intent: id, step: fact.step ?? .authorize, state: state)
        }
        var changed = self
        changed.state = next
        switch fact {
        case .created: throw .repeatedIntent(id)
        case .actionRequired(_, let method): changed.terms.paymentMethod = method
        case .authorized(_, let method, let charge):
            changed.terms.paymentMethod = method
            changed.charge = charge
            changed.capturable = terms.amount
            changed.lastDecline = nil
            changed.lastDeclinedMethod = nil
        case .declined(_, let method, let charge, let code):
            changed.terms.paymentMethod = nil
            changed.charge = charge
            changed.lastDecline = code
            changed.lastDeclinedMethod = method
        case .captured(_, let amount):
            guard amount > 0, amount <= capturable else { throw .impossibleAmount(intent: id) }
            changed.received = amount
            changed.capturable = 0
        case .canceled(_, let reason):
            changed.capturable = 0
            changed.canceledAt = now
            changed.cancellationReason = reason
        case .authorizationExpired:
            changed.capturable = 0
            changed.canceledAt = now
        case .refunded, .refundSettled: try changed.take(refundFact: fact)
        case .disputed(_, let dispute):
            guard changed.dispute == nil else { throw .impossibleDispute(dispute.id) }
            changed.dispute = dispute
        case .disputeClosed(_, let dispute, let state):
            guard changed.dispute?.id == dispute, changed.dispute?.state == .needsResponse, state != .needsResponse
            else { throw .impossibleDispute(dispute) }
            changed.dispute?.state = state
        }
        return changed
    }

    private mutating func take(refundFact fact: LedgerFact) throws(LedgerFlaw) {
        switch fact {
        case .refunded(_, let refund):
            guard refund.amount > 0, refunded + refund.amount <= received else { throw .impossibleAmount(intent: id) }
            refunds.append(refund)
        case .refundSettled(_, let refund, let state):
            guard let index = refunds.firstIndex(where: { $0.id == refund }), refunds[index].state.mayBecome(state)
            else { throw .impossibleRefund(refund) }
            refunds[index].state = state
        default: return
        }
    }
}

extension LedgerFact {
    var eventKind: PaymentEvent.Kind? {
        switch self {
        case .created: nil
        case .actionRequired: .requiresAction
        case .authorized: .amountCapturableUpdated
        case .declined: .paymentFailed
        case .captured: .succeeded
        case .canceled, .authorizationExpired: .canceled
        case .refunded: .refundCreated
        case .refundSettled(_, _, let state): state == .failed ? .refundFailed : .refundUpdated
        case .disputed: .disputeCreated
        case .disputeClosed: .disputeClosed
        }
    }
}
