// How the ledger's replies look on the wire.

import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import PaymentLedger

enum StripeAnswer {
    static func response(to reply: LedgerReply, but fault: Fault? = nil) throws -> Response {
        switch reply {
        case .payment(let payment):
            var body = PaymentIntentBody(payment)
            if fault?.kind == .wrongState, let state = fault?.state { body.status = state }
            if fault?.kind == .wrongAmount, let amount = fault?.amount {
                body.amount = amount
                if body.amountReceived > 0 { body.amountReceived = amount }
            }
            return try json(200, body)
        case .declined(let payment, let code):
            var error = StripeErrorBody.decline(code, charge: payment.charge)
            error.paymentIntent = PaymentIntentBody(payment)
            return try json(402, StripeErrorEnvelope(error: error))
        case .refused(let refusal, let payment):
            return try json(refusal.status, StripeErrorEnvelope(error: refusal.body(showing: payment)))
        case .refund(let payment, let refund):
            var body = RefundBody(refund, of: payment)
            if fault?.kind == .wrongState, let state = fault?.state { body.status = state }
            return try json(200, body)
        case .dispute(let payment, let dispute): return try json(200, DisputeBody(dispute, of: payment))
        }
    }

    static func failure(_ failure: StripeFailure) throws -> Response {
        try json(failure.status, StripeErrorEnvelope(error: failure.body))
    }

    static func json(_ status: Int, _ body: some Encodable) throws -> Response {
        bytes(status, try StripeJSON.bytes(of: body))
    }

    static func bytes(_ status: Int, _ body: [UInt8]) -> Response {
        Response(
            status: .init(code: status),
            headers: [.contentType: "application/json", .cacheControl: "no-cache, no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    static func page(_ page: OperationsReply) -> Response {
        Response(
            status: .init(code: page.status),
            headers: [.contentType: page.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: page.body))
        )
    }
}
