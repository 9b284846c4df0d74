// One line of the ledger file: everything one request changed, so that it happened as a whole or not at all.

/// A change to one payment. Facts are never undone, only followed by others.
package enum LedgerFact: Codable, Equatable, Sendable {
    case created(intent: String, clientSecret: String, terms: PaymentTerms)
    case actionRequired(intent: String, paymentMethod: String)
    case authorized(intent: String, paymentMethod: String, charge: String)
    case declined(intent: String, paymentMethod: String, charge: String, code: DeclineCode)
    case captured(intent: String, amount: Int64)
    case canceled(intent: String, reason: CancellationReason?)
    /// The authorization had run out when it was to be captured.
    case authorizationExpired(intent: String)
    case refunded(intent: String, refund: ChargeRefund)
    case refundSettled(intent: String, refund: String, state: RefundStatus)
    case disputed(intent: String, dispute: ChargeDispute)
    case disputeClosed(intent: String, dispute: String, state: ChargeDispute.State)

    package var intent: String {
        switch self {
        case .created(let intent, _, _), .actionRequired(let intent, _), .authorized(let intent, _, _),
            .declined(let intent, _, _, _), .captured(let intent, _), .canceled(let intent, _),
            .authorizationExpired(let intent), .refunded(let intent, _), .refundSettled(let intent, _, _),
            .disputed(let intent, _), .disputeClosed(let intent, _, _):
            intent
        }
    }

    /// The row of the transition table this fact asks for; `nil` for the first fact of a payment.
    package var step: IntentStep? {
        switch self {
        case .created: nil
        case .actionRequired: .askForAction
        case .authorized: .authorize
        case .declined: .decline
        case .captured: .capture
        case .canceled, .authorizationExpired: .cancel
        case .refunded: .refund
        case .refundSettled: .settleRefund
        case .disputed: .dispute
        case .disputeClosed: .closeDispute
        }
    }

    /// The refund or dispute it is about.
    package var subject: String? {
        switch self {
        case .refunded(_, let refund): refund.id
        case .refundSettled(_, let refund, _): refund
        case .disputed(_, let dispute): dispute.id
        case .disputeClosed(_, let dispute, _): dispute
        default: nil
        }
    }
}

/// A refusal that depends on what the ledger holds.
package enum LedgerRefusal: Codable, Equatable, Error, Sendable {
    case noSuchIntent(String)
    case wrongState(step: IntentStep, state: IntentState)
    case noPaymentMethod
    case noSuchPaymentMethod(String)
    case captureTooLarge(capturable: Int64)
    case ledgerFull
    case noSuchRefund(String)
    case noSuchDispute(String)
    case noSuchCharge(String)
    case alreadyRefunded
    case refundTooLarge(left: Int64)
    case chargeDisputed
    case disputeClosed
    case authorizationExpired
    /// The kind of method is not among those the payment may be paid with.
    case methodNotAllowed(type: String)
    /// A method that is taken at once cannot wait for a capture.
    case captureMethodNotAllowed(type: String)
}

/// What answered the first request with an `Idempotency-Key`. The answer itself is not stored: it follows from the
/// facts of the same line.
package struct IdempotencyEntry: Codable, Equatable, Sendable {
    package var key: String
    /// Digest of method, path and parameters, in hex.
    package var fingerprint: String
    /// The payment the answer shows; absent when there is none.
    package var intent: String?
    /// Present when the answer was a refusal; then the line has no facts.
    package var refusal: LedgerRefusal?

    package init(key: String, fingerprint: String, intent: String?, refusal: LedgerRefusal?) {
        self.key = key
        self.fingerprint = fingerprint
        self.intent = intent
        self.refusal = refusal
    }
}

/// The format of the ledger file: one JSON object a line, in UTF-8, ended by a newline.
///
/// | member | meaning |
/// |---|---|
/// | `seq` | 1, 2, 3 …: the number of the line |
/// | `at` | milliseconds since 1970 |
/// | `facts` | what the request changed, in order, all of one payment; may be empty |
/// | `record` | the idempotency entry of the request, when it had a key |
/// | `event` | the id of the webhook event that tells of this line, when somebody listens |
/// | `settled` | ids of events that need no more sending; such a line has no facts |
///
/// A line is written and synced before its request is answered. A last line without newline was never answered for and
/// is not part of the ledger.
package struct LedgerLine: Codable, Equatable, Sendable {
    package var seq: Int64
    package var at: Int64
    package var facts: [LedgerFact]
    package var record: IdempotencyEntry?
    package var event: String?
    package var settled: [String]?

    package init(
        seq: Int64,
        at: Int64,
        facts: [LedgerFact],
        record: IdempotencyEntry? = nil,
        event: String? = nil,
        settled: [String]? = nil
    ) {
        self.seq = seq
        self.at = at
        self.facts = facts
        self.record = record
        self.event = event
        self.settled = settled
    }
}

/// Why a line cannot follow the ones before it.
package enum LedgerFlaw: Error, Equatable, Sendable {
    case unreadable
    case outOfOrder(expected: Int64, found: Int64)
    case unknownIntent(String)
    case repeatedIntent(String)
    case impossibleStep(intent: String, step: IntentStep, state: IntentState)
    case impossibleAmount(intent: String)
    case impossibleRefund(String)
    case impossibleDispute(String)
    case repeatedKey(String)
}
