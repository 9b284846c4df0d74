// What a command changes, or why it is refused: no clock, no chance, no file.

extension Ledger {
    /// The facts a command adds. The shell writes them as one line, applies it, and then answers.
    package func decide(_ command: LedgerCommand, names: FreshNames) throws(LedgerRefusal) -> [LedgerFact] {
        switch command {
        case .create(let terms, let confirm): try create(terms, confirm: confirm, names: names)
        case .confirm(let intent, let method): try confirm(intent, method: method, names: names)
        case .capture(let intent, let amount): try capture(intent, amount: amount)
        case .cancel(let intent, let reason): try cancel(intent, reason: reason)
        }
    }

    private func create(
        _ terms: PaymentTerms,
        confirm: Bool,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        guard intents.count < Self.intentsMax else { throw .ledgerFull }
        if let method = terms.paymentMethod, CardAnswer(paymentMethod: method) == nil {
            throw .noSuchPaymentMethod(method)
        }
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

    private func askBank(
        _ id: String,
        terms: PaymentTerms,
        method: String,
        names: FreshNames
    ) throws(LedgerRefusal) -> [LedgerFact] {
        switch CardAnswer(paymentMethod: method) {
        case nil: throw .noSuchPaymentMethod(method)
        case .declines(let code):
            return [.declined(intent: id, paymentMethod: method, charge: names.charge, code: code)]
        case .authorizes:
            let authorized = LedgerFact.authorized(intent: id, paymentMethod: method, charge: names.charge)
            guard terms.captureMethod == .automatic else { return [authorized] }
            return [authorized, .captured(intent: id, amount: terms.amount)]
        }
    }

    private func capture(_ id: String, amount: Int64?) throws(LedgerRefusal) -> [LedgerFact] {
        let payment = try known(id, for: .capture)
        let amount = amount ?? payment.capturable
        guard amount <= payment.capturable else { throw .captureTooLarge(capturable: payment.capturable) }
        return [.captured(intent: id, amount: amount)]
    }

    private func cancel(_ id: String, reason: CancellationReason?) throws(LedgerRefusal) -> [LedgerFact] {
        _ = try known(id, for: .cancel)
        return [.canceled(intent: id, reason: reason)]
    }

    private func known(_ id: String, for step: IntentStep) throws(LedgerRefusal) -> PaymentIntent {
        guard let payment = intents[id] else { throw .noSuchIntent(id) }
        guard payment.state.after(step) != nil else { throw .wrongState(step: step, state: payment.state) }
        return payment
    }
}
