// The JSON a caller sees: payments, errors and events in Stripe's shapes.

import PaymentLedger
import PlainJSON
import Synchronization

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
    var amount: Int64
    let amountCapturable: Int64
    var amountReceived: Int64
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
    @Nullable var nextAction: NextActionBody? = nil
    @Nullable var paymentMethod: String? = nil
    let paymentMethodTypes: [String]
    var status: String

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
        paymentMethodTypes = payment.terms.methodTypes ?? ["card"]
        nextAction = payment.action.map { NextActionBody($0, of: payment) }
    }
}

/// What the buyer has to do, as Stripe tells it.
struct NextActionBody: Encodable, Sendable {
    struct Redirect: Encodable, Sendable {
        let returnUrl: String?
        let url: String
    }

    struct QRCode: Encodable, Sendable {
        let data: String
        let hostedInstructionsUrl: String
    }

    let type: String
    var redirectToUrl: Redirect?
    var wechatPayDisplayQrCode: QRCode?
    var useStripeSdk: [String: String]?

    init(_ action: BuyerAction, of payment: PaymentIntent) {
        let page = StripeJSON.publicURL.withLock { $0 } + ActionPage.path(of: payment)
        switch action {
        case .scan:
            type = "wechat_pay_display_qr_code"
            wechatPayDisplayQrCode = QRCode(data: page, hostedInstructionsUrl: page)
        case .authenticate where payment.terms.returnURL != nil:
            type = "redirect_to_url"
            redirectToUrl = Redirect(returnUrl: payment.terms.returnURL, url: page)
        case .authenticate:
            type = "use_stripe_sdk"
            useStripeSdk = ["type": "three_d_secure_redirect", "stripe_js": page]
        }
    }
}

struct RefundBody: Encodable, Sendable {
    let id: String
    let object = "refund"
    let amount: Int64
    @Nullable var charge: String? = nil
    let created: Int64
    let currency: String
    @Nullable var failureReason: String? = nil
    let metadata: [String: String]
    let paymentIntent: String
    @Nullable var reason: String? = nil
    var status: String

    init(_ refund: ChargeRefund, of payment: PaymentIntent) {
        id = refund.id
        amount = refund.amount
        created = payment.createdAt / 1000
        currency = payment.terms.currency
        metadata = refund.metadata
        paymentIntent = payment.id
        status = refund.state.rawValue
        charge = payment.charge
        reason = refund.reason
        failureReason = refund.state == .failed ? "expired_or_canceled_card" : nil
    }
}

struct DisputeBody: Encodable, Sendable {
    let id: String
    let object = "dispute"
    let amount: Int64
    @Nullable var charge: String? = nil
    let created: Int64
    let currency: String
    let metadata: [String: String] = [:]
    let paymentIntent: String
    let reason = "fraudulent"
    let status: String

    init(_ dispute: ChargeDispute, of payment: PaymentIntent) {
        id = dispute.id
        amount = dispute.amount
        created = payment.createdAt / 1000
        currency = payment.terms.currency
        paymentIntent = payment.id
        status = dispute.state.rawValue
        charge = payment.charge
    }
}

struct ListBody<Member: Encodable & Sendable>: Encodable, Sendable {
    let object = "list"
    let url: String
    let hasMore = false
    let data: [Member]
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
            case .lostCard, .stolenCard: "Your card was declined."
            case .expiredCard: "Your card has expired."
            case .incorrectCVC: "Your card's security code is incorrect."
            case .processingError: "An error occurred while processing your card. Try again in a little bit."
            case .authenticationFailed: "We are unable to authenticate your payment method."
            }
        return StripeErrorBody(
            type: .card,
            code: code.stripeCode,
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

extension DeclineCode {
    /// Some declines have a code of their own, the others share one.
    fileprivate var stripeCode: String {
        switch self {
        case .expiredCard, .incorrectCVC, .processingError: rawValue
        case .authenticationFailed: "payment_intent_authentication_failure"
        case .generic, .insufficientFunds, .lostCard, .stolenCard: "card_declined"
        }
    }
}

/// `{"error": {…}}`
struct StripeErrorEnvelope: Encodable, Sendable {
    let error: StripeErrorBody
}

struct EventBody: Encodable, Sendable {
    struct Content: Encodable, Sendable {
        let object: Subject
    }

    enum Subject: Encodable, Sendable {
        case payment(PaymentIntentBody)
        case refund(RefundBody)
        case dispute(DisputeBody)

        init(_ event: PaymentEvent) {
            let payment = event.payment
            if let refund = payment.refunds.first(where: { $0.id == event.subject }) {
                self = .refund(RefundBody(refund, of: payment))
            } else if let dispute = payment.dispute, dispute.id == event.subject {
                self = .dispute(DisputeBody(dispute, of: payment))
            } else {
                self = .payment(PaymentIntentBody(payment))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .payment(let body): try body.encode(to: encoder)
            case .refund(let body): try body.encode(to: encoder)
            case .dispute(let body): try body.encode(to: encoder)
            }
        }
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
        data = Content(object: Subject(event))
        type = event.kind.rawValue
    }
}

enum StripeJSON {
    static let apiVersion = "2024-06-20"
    /// Where buyers reach the action pages; known once the provider listens.
    static let publicURL = Mutex("http://127.0.0.1:8082")

    /// Member names in snake_case, sorted, so that equal values give equal bytes.
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        try PlainJSON.bytes(of: value, names: .snakeCase)
    }
}
