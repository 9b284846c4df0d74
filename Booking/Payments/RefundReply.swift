// What a reply about a refund means, and the events about refunds and disputes.

import Ordering
import PlainJSON

enum RefundReply {
    static func answer(to exchange: StripeExchange) -> RefundAnswer {
        switch exchange {
        case .reply(let status, let retryAfter, let body):
            return answer(status: status, retryAfter: retryAfter, body: body)
        case .nothing(.notSent(let reason)): return .notSent(reason)
        case .nothing(let answer): return .unknown("\(answer)")
        }
    }

    private static func answer(status: Int, retryAfter: String?, body: [UInt8]) -> RefundAnswer {
        switch status {
        case 200...299:
            guard let state = (try? PlainJSON.decode(RefundDocument.self, from: body))?.state else {
                return .unknown("a reply that cannot be read")
            }
            return .state(state)
        case 401, 403: return .notSent("the provider does not take our key")
        case 409: return .unknown("the same call is under way")
        case 429: return .tooMany(retryAfter: StripeReply.delay(retryAfter))
        case 400...499:
            let error = (try? PlainJSON.decode(ErrorDocument.self, from: body))?.error
            if error?.type == "idempotency_error" { return .unknown("the key was used with other parameters") }
            let code = error?.code ?? error?.type ?? "status_\(status)"
            return .refused(code: code, message: error?.message ?? "")
        default: return .unknown("status \(status)")
        }
    }
}

/// The members of Stripe's refund object that matter here, under Stripe's names.
struct RefundDocument: Decodable {
    let id: String
    let object: String
    let amount: Int64
    let currency: String
    let status: String
    let payment_intent: String
    let metadata: [String: String]?
    let failure_reason: String?

    /// `nil` for a status nobody knows. A cancelled refund gives nothing back, like a failed one.
    var state: ProviderRefund? {
        let known: ProviderRefund.Status? =
            switch status {
            case "pending", "requires_action": .pending
            case "succeeded": .succeeded
            case "failed", "canceled": .failed
            default: nil
            }
        guard object == "refund", let known else { return nil }
        return ProviderRefund(
            reference: id,
            paymentReference: payment_intent,
            status: known,
            amount: Money(amount, currency.uppercased()),
            refund: metadata?["refund"].flatMap { RefundID($0) },
            failureCode: failure_reason
        )
    }
}

/// The members of Stripe's dispute object that matter here.
struct DisputeDocument: Decodable {
    let id: String
    let object: String
    let amount: Int64
    let currency: String
    let status: String
    let payment_intent: String

    /// `nil` for an inquiry, which takes no money.
    var state: ProviderDispute? {
        let known: ProviderDispute.Status? =
            switch status {
            case "needs_response", "under_review": .open
            case "won": .won
            case "lost": .lost
            default: nil
            }
        guard object == "dispute", let known else { return nil }
        return ProviderDispute(
            reference: id,
            paymentReference: payment_intent,
            status: known,
            amount: Money(amount, currency.uppercased())
        )
    }
}
