// The provider's book: decides what a request may change and takes in the lines that say what was changed.

/// What a request asks of the ledger.
package enum LedgerCommand: Equatable, Sendable {
    case create(PaymentTerms, confirm: Bool)
    case confirm(intent: String, paymentMethod: String?)
    case capture(intent: String, amount: Int64?)
    case cancel(intent: String, reason: CancellationReason?)
    /// The buyer did what was asked of them, or gave up.
    case finishAction(intent: String, succeeds: Bool)
    case refund(RefundTerms)
    /// The bank's last word on a refund.
    case settleRefund(refund: String, state: RefundStatus)
    case openDispute(intent: String)
    case closeDispute(dispute: String, state: ChargeDispute.State)
}

/// What a caller asks to be given back.
package struct RefundTerms: Equatable, Sendable {
    package var intent: String
    /// All that is left when absent.
    package var amount: Int64?
    package var reason: String?
    package var metadata: [String: String]

    package init(intent: String, amount: Int64?, reason: String? = nil, metadata: [String: String] = [:]) {
        self.intent = intent
        self.amount = amount
        self.reason = reason
        self.metadata = metadata
    }
}

/// Fresh names for what a command may bring into being; made by the shell, because the ledger knows no chance.
package struct FreshNames: Equatable, Sendable {
    package var intent: String
    package var clientSecret: String
    package var charge: String
    package var event: String
    package var refund: String
    package var dispute: String

    package init(
        intent: String,
        clientSecret: String,
        charge: String,
        event: String,
        refund: String = "re_1",
        dispute: String = "dp_1"
    ) {
        self.intent = intent
        self.clientSecret = clientSecret
        self.charge = charge
        self.event = event
        self.refund = refund
        self.dispute = dispute
    }
}

/// How a request is answered.
package enum LedgerReply: Equatable, Sendable {
    case payment(PaymentIntent)
    case declined(PaymentIntent, DeclineCode)
    case refused(LedgerRefusal, PaymentIntent?)
    case refund(PaymentIntent, ChargeRefund)
    case dispute(PaymentIntent, ChargeDispute)
}

/// What listeners are told.
package struct PaymentEvent: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case amountCapturableUpdated = "payment_intent.amount_capturable_updated"
        case succeeded = "payment_intent.succeeded"
        case canceled = "payment_intent.canceled"
        case paymentFailed = "payment_intent.payment_failed"
        case requiresAction = "payment_intent.requires_action"
        case refundCreated = "refund.created"
        case refundUpdated = "refund.updated"
        case refundFailed = "refund.failed"
        case disputeCreated = "charge.dispute.created"
        case disputeClosed = "charge.dispute.closed"
    }

    package var id: String
    package var kind: Kind
    package var at: Int64
    /// The line that caused it.
    package var seq: Int64
    /// The payment as it was then.
    package var payment: PaymentIntent
    /// The refund or dispute it is about.
    package var subject: String?
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
    /// Refund and dispute → payment.
    package private(set) var refundOwners: [String: String] = [:]
    package private(set) var disputeOwners: [String: String] = [:]
    /// Refunds that may yet become something else.
    private(set) var unsettledRefunds: Set<String> = []
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
            openEvents[id] = PaymentEvent(
                id: id,
                kind: kind,
                at: line.at,
                seq: line.seq,
                payment: changed,
                subject: line.facts.last?.subject
            )
        }
        for fact in line.facts { note(fact) }
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

    /// Keeps the way from refunds and disputes to their payments.
    private mutating func note(_ fact: LedgerFact) {
        switch fact {
        case .refunded(let intent, let refund):
            refundOwners[refund.id] = intent
            if intents[intent]?.method?.refundEnd != nil { unsettledRefunds.insert(refund.id) }
        case .refundSettled(let intent, let refund, let state):
            if state == intents[intent]?.method?.refundEnd || state == .failed { unsettledRefunds.remove(refund) }
        case .disputed(let intent, let dispute): disputeOwners[dispute.id] = intent
        default: return
        }
    }

    private func answer(of line: LedgerLine, changed: PaymentIntent?) -> LedgerReply? {
        if let refusal = line.record?.refusal {
            return .refused(refusal, line.record?.intent.flatMap { intents[$0] })
        }
        guard let changed else { return nil }
        switch line.facts.last {
        case .declined(_, _, _, let code): return .declined(changed, code)
        case .authorizationExpired: return .refused(.authorizationExpired, changed)
        case .refunded(_, let refund): return .refund(changed, refund)
        case .refundSettled(_, let id, _):
            return changed.refunds.first { $0.id == id }.map { .refund(changed, $0) } ?? .payment(changed)
        case .disputed, .disputeClosed: return changed.dispute.map { .dispute(changed, $0) } ?? .payment(changed)
        default: return .payment(changed)
        }
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
