// The calls there are, by method and path.

import HTTPTypes
import Hummingbird
import PaymentLedger

/// A call that changes something; a reading call of the same path is told apart by its method.
enum StripeCall: Equatable, Sendable {
    case create
    case confirm(String), capture(String), cancel(String)
    case refund
    case dispute(String), closeDispute(String)
    case retrieve(String), retrieveRefund(String), retrieveDispute(String)
    case listRefunds, listDisputes

    init(_ method: HTTPRequest.Method, _ segments: [String], path: String) throws(StripeFailure) {
        let unknown = StripeFailure.unknownRoute(method: method.rawValue, path: path)
        guard segments.count >= 2, segments[0] == "v1" else { throw unknown }
        let id = segments.count > 2 ? segments[2] : ""
        let verb = segments.count > 3 ? segments[3] : ""
        switch (method, segments[1], segments.count, verb) {
        case (.post, "payment_intents", 2, _): self = .create
        case (.post, "payment_intents", 4, "confirm"): self = .confirm(id)
        case (.post, "payment_intents", 4, "capture"): self = .capture(id)
        case (.post, "payment_intents", 4, "cancel"): self = .cancel(id)
        case (.get, "payment_intents", 3, _): self = .retrieve(id)
        case (.post, "refunds", 2, _): self = .refund
        case (.get, "refunds", 2, _): self = .listRefunds
        case (.get, "refunds", 3, _): self = .retrieveRefund(id)
        case (.post, "disputes", 3, _): self = .dispute(id)
        case (.post, "disputes", 4, "close"): self = .closeDispute(id)
        case (.get, "disputes", 2, _): self = .listDisputes
        case (.get, "disputes", 3, _): self = .retrieveDispute(id)
        default: throw unknown
        }
    }

    var kind: CallKind {
        switch self {
        case .create: .create
        case .confirm: .confirm
        case .capture: .capture
        case .cancel: .cancel
        case .refund: .refund
        case .dispute, .closeDispute: .dispute
        case .retrieve, .retrieveRefund, .retrieveDispute, .listRefunds, .listDisputes: .retrieve
        }
    }
}

/// Calls that change nothing.
struct StripeReading: Sendable {
    static let listMax = 100

    let desk: PaymentDesk

    func answer(_ call: StripeCall, _ request: Request, but fault: Fault?) async throws -> Response {
        switch call {
        case .listRefunds:
            let payment = try await listed(request)
            return try StripeAnswer.json(
                200,
                ListBody(url: "/v1/refunds", data: payment.refunds.reversed().map { RefundBody($0, of: payment) })
            )
        case .listDisputes:
            let payment = try await listed(request)
            let found = payment.dispute.map { [DisputeBody($0, of: payment)] } ?? []
            return try StripeAnswer.json(200, ListBody(url: "/v1/disputes", data: found))
        default: break
        }
        if let query = request.uri.query, !query.isEmpty { throw StripeFailure.unknownParameter(query) }
        return try StripeAnswer.response(to: try await reply(call), but: fault)
    }

    private func reply(_ call: StripeCall) async throws -> LedgerReply {
        switch call {
        case .retrieveRefund(let id):
            let found = try await desk.payment(ofRefund: id)
            guard let found, let refund = found.refunds.first(where: { $0.id == id }) else {
                return .refused(.noSuchRefund(id), nil)
            }
            return .refund(found, refund)
        case .retrieveDispute(let id):
            let found = try await desk.payment(ofDispute: id)
            guard let found, let dispute = found.dispute else { return .refused(.noSuchDispute(id), nil) }
            return .dispute(found, dispute)
        case .retrieve(let id):
            guard let payment = try await desk.payment(id) else { return .refused(.noSuchIntent(id), nil) }
            return .payment(payment)
        default: return .refused(.noSuchIntent(""), nil)
        }
    }

    /// Lists are those of one payment: `?payment_intent=…`, and `limit` is taken and not needed.
    private func listed(_ request: Request) async throws -> PaymentIntent {
        for (name, _) in request.uri.queryParameters where name != "payment_intent" && name != "limit" {
            throw StripeFailure.unknownParameter(String(name))
        }
        guard let id = request.uri.queryParameters["payment_intent"] else {
            throw StripeFailure.missingParameter("payment_intent")
        }
        guard let payment = try await desk.payment(String(id)) else {
            throw StripeFailure.invalidParameter("payment_intent", wanted: "a payment there is")
        }
        return payment
    }
}
