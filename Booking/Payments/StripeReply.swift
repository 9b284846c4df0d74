// What a reply of the provider means: a pure function of its status and bytes.

import Ordering
import PlainJSON

/// What came back on the wire, if anything.
enum StripeExchange {
    case reply(status: Int, retryAfter: String?, body: [UInt8])
    /// Nothing: surely not sent, or not known.
    case nothing(ProviderAnswer)
}

enum StripeReply {
    static let retryAfterMax = 300

    static func answer(to exchange: StripeExchange) -> ProviderAnswer {
        switch exchange {
        case .reply(let status, let retryAfter, let body):
            answer(status: status, retryAfter: retryAfter, body: body)
        case .nothing(let answer): answer
        }
    }

    static func answer(status: Int, retryAfter: String?, body: [UInt8]) -> ProviderAnswer {
        switch status {
        case 200...299: success(body)
        // A key the provider does not take is an operator's slip, and says nothing of what an earlier call did.
        case 401, 403: .notSent("the provider does not take our key")
        case 409: .unknown("the same call is under way")
        case 429: .tooMany(retryAfter: delay(retryAfter))
        case 400...499: refusal(status, body)
        default: .unknown("status \(status)")
        }
    }

    private static func success(_ body: [UInt8]) -> ProviderAnswer {
        guard let intent = try? PlainJSON.decode(IntentDocument.self, from: body), let state = intent.state else {
            return .unknown("a reply that cannot be read")
        }
        return .state(state)
    }

    private static func refusal(_ status: Int, _ body: [UInt8]) -> ProviderAnswer {
        guard let error = try? PlainJSON.decode(ErrorDocument.self, from: body).error else {
            return .refused(code: "status_\(status)", message: "an error that cannot be read")
        }
        switch error.type {
        case "card_error":
            return .declined(
                code: error.decline_code ?? error.code ?? "declined",
                reference: error.payment_intent?.id
            )
        // The key was used before with something else: what that did is not known, and asking again tells nothing new.
        case "idempotency_error": return .unknown("the key was used with other parameters")
        default: break
        }
        // Already captured, already cancelled, run out …: the state it is in is the answer.
        let isState = error.code == "payment_intent_unexpected_state" || error.code == "charge_expired_for_capture"
        if isState, let state = error.payment_intent?.state {
            return .state(state)
        }
        return .refused(code: error.code ?? error.type ?? "status_\(status)", message: error.message ?? "")
    }

    static func delay(_ retryAfter: String?) -> Duration {
        guard let seconds = retryAfter.flatMap({ Int($0) }), seconds > 0 else { return .seconds(1) }
        return .seconds(min(seconds, retryAfterMax))
    }
}

/// The members of Stripe's payment object that matter here, under Stripe's names.
struct IntentDocument: Decodable {
    struct Failure: Decodable {
        let code: String?
        let decline_code: String?
    }

    let id: String
    let object: String
    let amount: Int64
    let amount_received: Int64
    let currency: String
    let status: String
    let metadata: [String: String]
    let last_payment_error: Failure?
    let client_secret: String?
    let next_action: NextActionDocument?

    /// `nil` for a status nobody knows.
    var state: ProviderState? {
        guard object == "payment_intent", let status = knownStatus else { return nil }
        var state = ProviderState(
            reference: id,
            status: status,
            amount: Money(amount, currency.uppercased()),
            captured: amount_received,
            payment: metadata["payment"].flatMap { PaymentID($0) },
            declineCode: last_payment_error.map { $0.decline_code ?? $0.code ?? "declined" }
        )
        if status == .requiresAction { state.action = next_action?.action(secret: client_secret) }
        return state
    }

    private var knownStatus: ProviderState.Status? {
        switch status {
        case "requires_payment_method": .requiresPaymentMethod
        case "requires_confirmation": .requiresConfirmation
        case "requires_action": .requiresAction
        case "processing": .processing
        case "requires_capture": .requiresCapture
        case "succeeded": .captured
        case "canceled": .cancelled
        default: nil
        }
    }
}

/// What the buyer has to do; the member with the facts has the name of the type.
struct NextActionDocument: Decodable {
    struct Redirect: Decodable {
        let url: String
    }

    struct Code: Decodable {
        let data: String
    }

    let redirect_to_url: Redirect?
    let wechat_pay_display_qr_code: Code?

    func action(secret: String?) -> PaymentAction? {
        if let redirect = redirect_to_url { return PaymentAction(kind: .redirect, value: redirect.url) }
        if let code = wechat_pay_display_qr_code { return PaymentAction(kind: .code, value: code.data) }
        return secret.map { PaymentAction(kind: .script, value: $0) }
    }
}

struct ErrorDocument: Decodable {
    struct Failure: Decodable {
        let type: String?
        let code: String?
        let decline_code: String?
        let message: String?
        let payment_intent: IntentDocument?
    }

    let error: Failure
}
