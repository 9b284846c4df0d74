// Every way a request can fail, with Stripe's words for it.

import PaymentLedger

enum StripeFailure: Error, Equatable {
    case noKey
    case wrongKey(String)
    case unknownRoute(method: String, path: String)
    case malformedBody
    case bodyTooLarge
    case malformedKey
    case unknownParameter(String)
    case repeatedParameter(String)
    case missingParameter(String)
    case invalidParameter(String, wanted: String)
    case notAWholeNumber(String, value: String)
    case amountTooSmall
    case amountTooLarge(String)
    case unknownCurrency(String)
    case keyInUse(String)
    case keyReused(String)
    case tooManyRequests
    case internalFault

    var status: Int {
        switch self {
        case .noKey, .wrongKey: 401
        case .unknownRoute: 404
        case .keyInUse: 409
        case .bodyTooLarge: 413
        case .tooManyRequests: 429
        case .internalFault: 500
        case .malformedBody, .malformedKey, .unknownParameter, .repeatedParameter, .missingParameter,
            .invalidParameter, .notAWholeNumber, .amountTooSmall, .amountTooLarge, .unknownCurrency, .keyReused:
            400
        }
    }

    var body: StripeErrorBody {
        switch self {
        case .noKey, .wrongKey, .unknownRoute, .malformedBody, .bodyTooLarge, .malformedKey, .tooManyRequests,
            .internalFault:
            requestBody
        case .unknownParameter, .repeatedParameter, .missingParameter, .invalidParameter, .notAWholeNumber,
            .amountTooSmall, .amountTooLarge, .unknownCurrency:
            parameterBody
        case .keyInUse(let key):
            .init(
                type: .idempotency,
                code: "idempotency_key_in_use",
                message: "There is currently another in-progress request using this Idempotency-Key (\(key))."
            )
        case .keyReused(let key):
            .init(
                type: .idempotency,
                message: "Keys for idempotent requests can only be used with the same parameters they were first used "
                    + "with. Try using a key other than '\(key)' if you meant to execute a different request."
            )
        }
    }

    private var requestBody: StripeErrorBody {
        switch self {
        case .noKey:
            .init(message: "You did not provide an API key. Send it as 'Authorization: Bearer YOUR_SECRET_KEY'.")
        case .wrongKey(let key): .init(message: "Invalid API Key provided: \(key.prefix(7))***")
        case .unknownRoute(let method, let path): .init(message: "Unrecognized request URL (\(method): \(path)).")
        case .bodyTooLarge: .init(message: "The request body is larger than \(FormBody.bytesMax) bytes.")
        case .malformedKey: .init(message: "Idempotency-Key must have 1 to 255 visible ASCII characters.")
        case .tooManyRequests: .init(code: "rate_limit", message: "Too many requests at once. Try again shortly.")
        case .internalFault: .init(type: .api, message: "The request could not be carried out.")
        default: .init(message: "Invalid form-encoded body.")
        }
    }

    private var parameterBody: StripeErrorBody {
        switch self {
        case .unknownParameter(let name):
            .init(code: "parameter_unknown", message: "Received unknown parameter: \(name)", param: name)
        case .repeatedParameter(let name):
            .init(code: "parameter_invalid", message: "Parameter sent more than once: \(name)", param: name)
        case .missingParameter(let name):
            .init(code: "parameter_missing", message: "Missing required param: \(name).", param: name)
        case .notAWholeNumber(let name, let value):
            .init(code: "parameter_invalid_integer", message: "Invalid integer: \(value)", param: name)
        case .amountTooSmall:
            .init(
                code: "amount_too_small",
                message: "Amount must be at least \(StripeParameters.amountMin) in the smallest unit.",
                param: "amount"
            )
        case .amountTooLarge(let name):
            .init(
                code: "amount_too_large",
                message: "Amount must be no more than \(StripeParameters.amountMax) in the smallest unit.",
                param: name
            )
        case .unknownCurrency(let currency):
            .init(
                message: "Invalid currency: \(currency). Supported: \(StripeParameters.currencies.sorted())",
                param: "currency"
            )
        case .invalidParameter(let name, let wanted):
            .init(code: "parameter_invalid", message: "Invalid \(name): must be \(wanted)", param: name)
        default: .init(message: "Invalid request.")
        }
    }
}

extension LedgerRefusal {
    var status: Int {
        switch self {
        case .noSuchIntent, .noSuchRefund, .noSuchDispute, .noSuchCharge: 404
        case .ledgerFull: 429
        case .wrongState, .noPaymentMethod, .noSuchPaymentMethod, .captureTooLarge, .alreadyRefunded,
            .refundTooLarge, .chargeDisputed, .disputeClosed, .authorizationExpired, .methodNotAllowed,
            .captureMethodNotAllowed:
            400
        }
    }

    func body(showing payment: PaymentIntent?) -> StripeErrorBody {
        var body: StripeErrorBody
        switch self {
        case .noSuchIntent(let id):
            body = .init(code: "resource_missing", message: "No such payment_intent: '\(id)'", param: "intent")
        case .wrongState(let step, let state):
            let allowed = IntentState.allCases.filter { $0.after(step) != nil }.map(\.rawValue)
            body = .init(
                code: "payment_intent_unexpected_state",
                message: "This PaymentIntent could not be \(step.participle) because it has a status of "
                    + "\(state.rawValue). Only a PaymentIntent with one of the following statuses may be "
                    + "\(step.participle): \(allowed.joined(separator: ", "))."
            )
        case .noPaymentMethod:
            body = .init(
                code: "payment_intent_unexpected_state",
                message: "You cannot confirm this PaymentIntent because it's missing a payment method.",
                param: "payment_method"
            )
        case .noSuchPaymentMethod(let method):
            body = .init(
                code: "resource_missing",
                message: "No such PaymentMethod: '\(method)'",
                param: "payment_method"
            )
        case .captureTooLarge(let capturable):
            body = .init(
                code: "amount_too_large",
                message: "The requested capture amount is greater than the amount you can capture (\(capturable)).",
                param: "amount_to_capture"
            )
        case .ledgerFull: body = .init(code: "rate_limit", message: "This provider takes no further payments.")
        case .noSuchRefund, .noSuchDispute, .noSuchCharge, .alreadyRefunded, .refundTooLarge, .chargeDisputed,
            .disputeClosed, .authorizationExpired, .methodNotAllowed, .captureMethodNotAllowed:
            body = moneyBackBody
        }
        body.paymentIntent = payment.map(PaymentIntentBody.init)
        return body
    }
}

extension LedgerRefusal {
    fileprivate var moneyBackBody: StripeErrorBody {
        switch self {
        case .noSuchRefund(let id): .init(code: "resource_missing", message: "No such refund: '\(id)'", param: "id")
        case .noSuchDispute(let id): .init(code: "resource_missing", message: "No such dispute: '\(id)'", param: "id")
        case .noSuchCharge(let id): .init(code: "resource_missing", message: "No such charge: '\(id)'", param: "charge")
        case .alreadyRefunded:
            .init(code: "charge_already_refunded", message: "The charge has already been refunded.")
        case .refundTooLarge(let left):
            .init(
                code: "amount_too_large",
                message: "Refund amount is greater than unrefunded amount on charge (\(left)).",
                param: "amount"
            )
        case .chargeDisputed: .init(code: "charge_disputed", message: "The charge is disputed.")
        case .disputeClosed: .init(message: "This dispute is already closed.")
        case .authorizationExpired:
            .init(
                code: "charge_expired_for_capture",
                message: "The charge cannot be captured as the authorization has expired."
            )
        case .methodNotAllowed(let type):
            .init(
                code: "payment_intent_invalid_parameter",
                message: "The payment method type \"\(type)\" is not among payment_method_types.",
                param: "payment_method"
            )
        case .captureMethodNotAllowed(let type):
            .init(message: "capture_method manual is not supported for \(type).", param: "capture_method")
        default: .init(message: "Invalid request.")
        }
    }
}

extension IntentStep {
    fileprivate var participle: String {
        switch self {
        case .askForAction, .authorize, .decline: "confirmed"
        case .capture: "captured"
        case .cancel: "canceled"
        case .refund, .settleRefund: "refunded"
        case .dispute, .closeDispute: "disputed"
        }
    }
}
