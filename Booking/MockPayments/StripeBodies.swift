// The JSON a caller sees: payments, errors and events in Stripe's shapes.

import Foundation
import PaymentLedger

/// Writes `null` where Swift's encoder would leave a member out.
@propertyWrapper
struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
    var wrappedValue: Value?

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

struct PaymentIntentBody: Encodable, Sendable {
    let id: String
    let object = "payment_intent"
    let amount: Int64
    let amountCapturable: Int64
    let amountReceived: Int64
    @Nullable var canceledAt: Int64? = nil
    @Nullable var cancellationReason: String? = nil
    let captureMethod: String
    let clientSecret: String
    let confirmationMethod = "automatic"
    let created: Int64
    let currency: String
    @Nullable var customer: String? = nil
    @Nullable var description: String? = nil
    @Nullable var lastPaymentError: StripeErrorBody? = nil
    @Nullable var latestCharge: String? = nil
    let livemode = false
    let metadata: [String: String]
    @Nullable var nextAction: String? = nil
    @Nullable var paymentMethod: String? = nil
    let paymentMethodTypes = ["card"]
    let status: String

    init(_ payment: PaymentIntent) {
        id = payment.id
        amount = payment.terms.amount
        amountCapturable = payment.capturable
        amountReceived = payment.received
        captureMethod = payment.terms.captureMethod.rawValue
        clientSecret = payment.clientSecret
        created = payment.createdAt / 1000
        currency = payment.terms.currency
        metadata = payment.terms.metadata
        status = payment.state.rawValue
        canceledAt = payment.canceledAt.map { $0 / 1000 }
        cancellationReason = payment.cancellationReason?.rawValue
        description = payment.terms.description
        lastPaymentError = payment.lastDecline.map { .decline($0, charge: payment.charge) }
        latestCharge = payment.charge
        paymentMethod = payment.terms.paymentMethod
    }
}

struct StripeErrorBody: Encodable, Sendable {
    enum Kind: String, Encodable, Sendable {
        case api = "api_error"
        case card = "card_error"
        case idempotency = "idempotency_error"
        case invalidRequest = "invalid_request_error"
    }

    var type: Kind = .invalidRequest
    var code: String?
    var declineCode: String?
    var message: String
    var param: String?
    var charge: String?
    /// A copy behind an array, because a payment holds an error and an error a payment.
    var paymentIntent: PaymentIntentBody? {
        get { payments.first }
        set { payments = newValue.map { [$0] } ?? [] }
    }
    private var payments: [PaymentIntentBody] = []

    init(
        type: Kind = .invalidRequest,
        code: String? = nil,
        declineCode: String? = nil,
        message: String,
        param: String? = nil,
        charge: String? = nil
    ) {
        self.type = type
        self.code = code
        self.declineCode = declineCode
        self.message = message
        self.param = param
        self.charge = charge
    }

    static func decline(_ code: DeclineCode, charge: String?) -> StripeErrorBody {
        let message =
            switch code {
            case .generic: "Your card was declined."
            case .insufficientFunds: "Your card has insufficient funds."
            }
        return StripeErrorBody(
            type: .card,
            code: "card_declined",
            declineCode: code.rawValue,
            message: message,
            charge: charge
        )
    }

    private enum CodingKeys: String, CodingKey {
        case type, code, declineCode, message, param, charge, paymentIntent
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encodeIfPresent(code, forKey: .code)
        try container.encodeIfPresent(declineCode, forKey: .declineCode)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(param, forKey: .param)
        try container.encodeIfPresent(charge, forKey: .charge)
        try container.encodeIfPresent(paymentIntent, forKey: .paymentIntent)
    }
}

/// `{"error": {…}}`
struct StripeErrorEnvelope: Encodable, Sendable {
    let error: StripeErrorBody
}

struct EventBody: Encodable, Sendable {
    struct Content: Encodable, Sendable {
        let object: PaymentIntentBody
    }

    let id: String
    let object = "event"
    let apiVersion = StripeJSON.apiVersion
    let created: Int64
    let data: Content
    let livemode = false
    let pendingWebhooks = 1
    let type: String

    init(_ event: PaymentEvent) {
        id = event.id
        created = event.at / 1000
        data = Content(object: PaymentIntentBody(event.payment))
        type = event.kind.rawValue
    }
}

enum StripeJSON {
    static let apiVersion = "2024-06-20"

    /// Member names in snake_case, sorted, so that equal values give equal bytes.
    static func bytes(of value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try encoder.encode(value)
    }
}
