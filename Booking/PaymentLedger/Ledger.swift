// The provider's book: decides what a request may change and takes in the lines that say what was changed.

/// What a request asks of the ledger.
package enum LedgerCommand: Equatable, Sendable {
    case create(PaymentTerms, confirm: Bool)
    case confirm(intent: String, paymentMethod: String?)
    case capture(intent: String, amount: Int64?)
    case cancel(intent: String, reason: CancellationReason?)
}

/// Fresh names for what a command may bring into being; made by the shell, because the ledger knows no chance.
package struct FreshNames: Equatable, Sendable {
    package var intent: String
    package var clientSecret: String
    package var charge: String
    package var event: String

    package init(intent: String, clientSecret: String, charge: String, event: String) {
        self.intent = intent
        self.clientSecret = clientSecret
        self.charge = charge
        self.event = event
    }
}

/// How a request is answered.
package enum LedgerReply: Equatable, Sendable {
    case payment(PaymentIntent)
    case declined(PaymentIntent, DeclineCode)
    case refused(LedgerRefusal, PaymentIntent?)
}

/// What listeners are told.
package struct PaymentEvent: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case amountCapturableUpdated = "payment_intent.amount_capturable_updated"
        case succeeded = "payment_intent.succeeded"
        case canceled = "payment_intent.canceled"
        case paymentFailed = "payment_intent.payment_failed"
    }

    package var id: String
    package var kind: Kind
    package var at: Int64
    /// The line that caused it.
    package var seq: Int64
    /// The payment as it was then.
    package var payment: PaymentIntent
}

package struct Ledger: Sendable {
    /// An answer kept for a repetition of its request.
    package struct KeptReply: Sendable {
        package var fingerprint: String
        package var reply: LedgerReply
        package var at: Int64
    }

    package static let intentsMax = 2_000_000
    package static let keptRepliesMax = 2_000_000
    /// How long an idempotency key is remembered: 24 h.
    package static let replyLifetime: Int64 = 24 * 3600 * 1000

    package private(set) var intents: [String: PaymentIntent] = [:]
    /// Events nobody has taken yet.
    package private(set) var openEvents: [String: PaymentEvent] = [:]
    package private(set) var lastSeq: Int64 = 0
    private var replies: [String: KeptReply] = [:]
    private var keysByAge: ArraySlice<String> = []

    package init() {}

    package func reply(to key: String, at now: Int64) -> KeptReply? {
        guard let kept = replies[key], now - kept.at < Self.replyLifetime else { return nil }
        return kept
    }

    /// Takes in the next line: all of it, or nothing when it cannot follow.
    /// - Returns: the answer to the request behind the line; `nil` for a line that answered none.
    @discardableResult
    package mutating func apply(_ line: LedgerLine) throws(LedgerFlaw) -> LedgerReply? {
        guard line.seq == lastSeq + 1 else { throw .outOfOrder(expected: lastSeq + 1, found: line.seq) }
        if let key = line.record?.key, reply(to: key, at: line.at) != nil { throw .repeatedKey(key) }
        let changed = try outcome(of: line.facts, at: line.at)
        lastSeq = line.seq
        if let changed { intents[changed.id] = changed }
        for event in line.settled ?? [] { openEvents[event] = nil }
        if let id = line.event, let changed, let kind = line.facts.last?.eventKind {
            openEvents[id] = PaymentEvent(id: id, kind: kind, at: line.at, seq: line.seq, payment: changed)
        }
        let answer = answer(of: line, changed: changed)
        if let record = line.record, let answer { keep(answer, of: record, at: line.at) }
        return answer
    }

    private func outcome(of facts: [LedgerFact], at now: Int64) throws(LedgerFlaw) -> PaymentIntent? {
        var payment: PaymentIntent?
        for fact in facts {
            if case .created(let id, let secret, let terms) = fact {
                guard intents[id] == nil, payment == nil else { throw .repeatedIntent(id) }
                payment = PaymentIntent(
                    id: id,
                    clientSecret: secret,
                    terms: terms,
                    state: terms.paymentMethod == nil ? .requiresPaymentMethod : .requiresConfirmation,
                    createdAt: now
                )
            } else {
                guard let known = payment ?? intents[fact.intent], known.id == fact.intent else {
                    throw .unknownIntent(fact.intent)
                }
                payment = try known.after(fact, at: now)
            }
        }
        return payment
    }

    private func answer(of line: LedgerLine, changed: PaymentIntent?) -> LedgerReply? {
        if let refusal = line.record?.refusal {
            return .refused(refusal, line.record?.intent.flatMap { intents[$0] })
        }
        guard let changed else { return nil }
        if case .declined(_, _, _, let code) = line.facts.last { return .declined(changed, code) }
        return .payment(changed)
    }

    private mutating func keep(_ reply: LedgerReply, of record: IdempotencyEntry, at now: Int64) {
        while let oldest = keysByAge.first {
            let isOld = replies[oldest].map { now - $0.at >= Self.replyLifetime } ?? true
            guard isOld || keysByAge.count >= Self.keptRepliesMax else { break }
            keysByAge.removeFirst()
            replies[oldest] = nil
        }
        // A slice keeps what was taken off its front; copy it out once that is most of it.
        if keysByAge.startIndex > keysByAge.count + 1024 { keysByAge = ArraySlice(Array(keysByAge)) }
        keysByAge.append(record.key)
        replies[record.key] = KeptReply(fingerprint: record.fingerprint, reply: reply, at: now)
    }
}

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
        }
        return changed
    }
}

extension LedgerFact {
    var eventKind: PaymentEvent.Kind? {
        switch self {
        case .created: nil
        case .authorized: .amountCapturableUpdated
        case .declined: .paymentFailed
        case .captured: .succeeded
        case .canceled: .canceled
        }
    }
}
