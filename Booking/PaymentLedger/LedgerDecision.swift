// What a command changes, or why it is refused: no clock, no chance, no file.

extension Ledger {
    /// The facts a command adds. The shell writes them as one line, applies it, and then answers.
    package func decide(_ command: LedgerCommand, names: FreshNames) throws(LedgerRefusal) -> [LedgerFact] {
        switch command {
        case .create(let terms, let confirm): try create(terms, confirm: confirm, names: names)
        case .confirm(let intent, let method): try confirm(intent, method: method, names: names)
        case .finishAction(let intent, let succeeds): try finishAction(intent, succeeds: succeeds, names: names)
        case .capture(let intent, let amount): try capture(intent, amount: amount)
        case .cancel(let intent, let reason): try cancel(intent, reason: reason)
        case .refund(let terms): try refund(terms, names: names)
        case .settleRefund(let refund, let state): try settle(refund, state)
        case .openDispute(let intent): try openDispute(intent, names: names)
        case .closeDispute(let dispute, let state): try closeDispute(dispute, state)
        }
    }

    /// What the bank does by itself after a line: disputes a charge that its test method disputes.
    package func consequence(of facts: [LedgerFact]) -> LedgerCommand? {
        guard case .captured(let intent, _) = facts.last, let payment = intents[intent],
            payment.dispute == nil, payment.method?.isDisputed == true
        else { return nil }
        return .openDispute(intent: intent)
    }

    /// Refunds whose banks have not said the last word, with that word.
    package var openRefunds: [LedgerCommand] {
        unsettledRefunds.sorted().compactMap { id in
            guard let payment = intents[refundOwners[id] ?? ""],
                let refund = payment.refunds.first(where: { $0.id == id }),
                let end = payment.method?.refundEnd, refund.state.mayBecome(end)
            else { return nil }
            return .settleRefund(refund: id, state: end)
        }
    }

    private func create(
        _ terms: PaymentTerms,
        confirm: Bool,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        guard intents.count < Self.intentsMax else { throw .ledgerFull }
        if let method = terms.paymentMethod { _ = try known(method, terms) }
        let created = LedgerFact.created(intent: names.intent, clientSecret: names.clientSecret, terms: terms)
        guard confirm else { return [created] }
        guard let method = terms.paymentMethod else { throw .noPaymentMethod }
        return [created] + (try askBank(names.intent, terms: terms, method: method, names: names))
    }

    private func confirm(
        _ id: String,
        method: String?,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(id, for: .authorize)
        guard let method = method ?? payment.terms.paymentMethod else { throw .noPaymentMethod }
        return try askBank(id, terms: payment.terms, method: method, names: names)
    }

    private func known(_ name: String, _ terms: PaymentTerms) throws(LedgerRefusal) -> TestMethod {
        guard let method = TestMethod(name) else { throw .noSuchPaymentMethod(name) }
        guard (terms.methodTypes ?? ["card"]).contains(method.type) else { throw .methodNotAllowed(type: method.type) }
        guard method.type == "card" || terms.captureMethod == .automatic else {
            throw .captureMethodNotAllowed(type: method.type)
        }
        return method
    }

    private func askBank(
        _ id: String,
        terms: PaymentTerms,
        method name: String,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        let method = try known(name, terms)
        guard method.action == nil else { return [.actionRequired(intent: id, paymentMethod: name)] }
        return bankAnswer(id, terms: terms, method: method, names: names)
    }

    private func bankAnswer(
        _ id: String,
        terms: PaymentTerms,
        method: TestMethod,
        names: FreshNames
    ) -> [LedgerFact] {
        switch method.answer {
        case .declines(let code):
            return [.declined(intent: id, paymentMethod: method.name, charge: names.charge, code: code)]
        case .authorizes:
            let authorized = LedgerFact.authorized(intent: id, paymentMethod: method.name, charge: names.charge)
            guard terms.captureMethod == .automatic else { return [authorized] }
            return [authorized, .captured(intent: id, amount: terms.amount)]
        }
    }

    private func finishAction(
        _ id: String,
        succeeds: Bool,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(id, for: .authorize)
        guard payment.state == .requiresAction, let method = payment.method else {
            throw .wrongState(step: .authorize, state: payment.state)
        }
        guard succeeds else {
            let code = DeclineCode.authenticationFailed
            return [.declined(intent: id, paymentMethod: method.name, charge: names.charge, code: code)]
        }
        return bankAnswer(id, terms: payment.terms, method: method, names: names)
    }

    private func capture(_ id: String, amount: Int64?) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(id, for: .capture)
        let amount = amount ?? payment.capturable
        guard amount <= payment.capturable else { throw .captureTooLarge(capturable: payment.capturable) }
        if payment.method?.failsOnCapture == true { return [.authorizationExpired(intent: id)] }
        return [.captured(intent: id, amount: amount)]
    }

    private func cancel(_ id: String, reason: CancellationReason?) throws(LedgerRefusal) -> [LedgerFact] {
        _ = try known(id, for: .cancel)
        return [.canceled(intent: id, reason: reason)]
    }

    private func refund(_ terms: RefundTerms, names: FreshNames) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(terms.intent, for: .refund)
        guard payment.dispute == nil || payment.dispute?.state == .won else { throw .chargeDisputed }
        let left = payment.received - payment.refunded
        guard left > 0 else { throw .alreadyRefunded }
        let amount = terms.amount ?? left
        guard amount <= left else { throw .refundTooLarge(left: left) }
        let refund = ChargeRefund(
            id: names.refund,
            amount: amount,
            state: payment.method?.refund ?? .succeeded,
            reason: terms.reason,
            metadata: terms.metadata
        )
        return [.refunded(intent: terms.intent, refund: refund)]
    }

    private func settle(_ refund: String, _ state: RefundStatus) throws(LedgerRefusal) -> [LedgerFact] {
        guard let intent = refundOwners[refund] else { throw .noSuchRefund(refund) }
        let payment = try known(intent, for: .settleRefund)
        let now = payment.refunds.first { $0.id == refund }?.state ?? .failed
        guard now.mayBecome(state) else { throw .wrongState(step: .settleRefund, state: payment.state) }
        return [.refundSettled(intent: intent, refund: refund, state: state)]
    }

    private func openDispute(_ intent: String, names: FreshNames) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(intent, for: .dispute)
        guard payment.dispute == nil else { throw .chargeDisputed }
        let dispute = ChargeDispute(id: names.dispute, amount: payment.received, state: .needsResponse)
        return [.disputed(intent: intent, dispute: dispute)]
    }

    private func closeDispute(
        _ dispute: String,
        _ state: ChargeDispute.State
    ) throws(LedgerRefusal) -> [LedgerFact] {
        guard let intent = disputeOwners[dispute] else { throw .noSuchDispute(dispute) }
        let payment = try known(intent, for: .closeDispute)
        guard payment.dispute?.state == .needsResponse else { throw .disputeClosed }
        return [.disputeClosed(intent: intent, dispute: dispute, state: state)]
    }

    private func known(_ id: String, for step: IntentStep) throws(LedgerRefusal) -> PaymentIntent {
        guard let payment = intents[id] else { throw .noSuchIntent(id) }
        guard payment.state.after(step) != nil else { throw .wrongState(step: step, state: payment.state) }
        return payment
    }
}

extension PaymentIntent {
    /// What its bank is like.
    var method: TestMethod? { terms.paymentMethod.flatMap { TestMethod($0) } }

    /// What the buyer has to do now.
    package var action: BuyerAction? { state == .requiresAction ? method?.action : nil }
}
