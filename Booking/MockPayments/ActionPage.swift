// The page where a buyer proves who they are, or pays what they scanned. Stripe's banks have such pages, too.

import HTTPTypes
import Hummingbird
import NIOCore
import PaymentLedger

/// `GET /actions/{client secret}` shows two buttons, `POST` with `outcome=complete` or `outcome=fail` presses one. The
/// secret is all the right it takes, as it is known to the buyer alone.
struct ActionPage: Sendable {
    static let prefix = "actions"

    let desk: PaymentDesk

    func answer(_ request: Request, secret: String) async throws -> Response {
        guard let id = secret.split(separator: "_secret_").first.map(String.init),
            let payment = try await desk.payment(id), payment.clientSecret == secret
        else { return Self.page(404, "There is no such payment.") }
        switch request.method {
        case .get where payment.state == .requiresAction: return Self.page(200, Self.form(payment))
        case .get: return Self.page(200, "Nothing is to be done: the payment is \(payment.state.rawValue).")
        case .post:
            let bytes = try await request.body.collect(upTo: FormBody.bytesMax)
            let outcome = (try? FormBody(Array(bytes.readableBytesView)))?.parameters["outcome"]
            guard outcome == "complete" || outcome == "fail" else {
                return Self.page(400, "The outcome is complete or fail.")
            }
            let command = LedgerCommand.finishAction(intent: id, succeeds: outcome == "complete")
            if case .refused = try await desk.perform(command, keyed: nil).reply {
                return Self.page(409, "The payment waits for nothing any more.")
            }
            guard let back = payment.terms.returnURL else { return Self.page(200, "Thank you. Go back to the shop.") }
            var response = Self.page(303, "Go back to the shop.")
            response.headers[.location] = "\(back)\(back.contains("?") ? "&" : "?")payment_intent=\(id)"
            return response
        default: return Self.page(405, "GET or POST.")
        }
    }

    /// Where the page of a payment is.
    static func path(of payment: PaymentIntent) -> String { "/\(prefix)/\(payment.clientSecret)" }

    private static func form(_ payment: PaymentIntent) -> String {
        let what = payment.action == .scan ? "Pay what you scanned" : "Prove that it is you"
        return """
            <h1>\(what)</h1><p>\(payment.terms.amount) \(payment.terms.currency.uppercased()) in the smallest unit.</p>
            <form method="post"><button name="outcome" value="complete">Complete</button>
            <button name="outcome" value="fail">Fail</button></form>
            """
    }

    private static func page(_ status: Int, _ body: String) -> Response {
        let html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Payment</title>\(body)</html>"
        return Response(
            status: .init(code: status),
            headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: html))
        )
    }
}
