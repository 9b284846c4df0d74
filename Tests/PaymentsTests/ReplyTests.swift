// What a reply, a failure, or an event of the provider means to booking.
import AsyncHTTPClient
import Foundation
import Ordering
import Signing
import Testing

@testable import MockPayments
@testable import Payments

struct ReplyTests {
    private static func intent(_ status: String, received: Int = 0) -> String {
        """
        {"id":"pi_1","object":"payment_intent","amount":5000,"amount_received":\(received),"currency":"eur",\
        "status":"\(status)","metadata":{"payment":"\(payment.id)"},"last_payment_error":null}
        """
    }

    private static func state(_ status: ProviderState.Status, captured: Int64 = 0) -> ProviderAnswer {
        .state(
            ProviderState(
                reference: "pi_1",
                status: status,
                amount: Money(5000, "EUR"),
                captured: captured,
                payment: payment.id,
                declineCode: nil
            )
        )
    }

    static let payment = makePayment()

    @Test(arguments: [
        (200, intent("requires_capture"), state(.requiresCapture)),
        (200, intent("succeeded", received: 5000), state(.captured, captured: 5000)),
        (200, intent("canceled"), state(.cancelled)),
        (200, intent("requires_action"), state(.requiresAction)),
        (200, intent("processing"), state(.processing)),
        (200, intent("on_fire"), .unknown("a reply that cannot be read")),
        (200, "{}", .unknown("a reply that cannot be read")),
        (
            402, #"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}"#,
            .declined(code: "insufficient_funds", reference: nil)
        ),
        (
            400,
            #"{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","payment_intent":"#
                + intent("canceled") + "}}",
            state(.cancelled)
        ),
        (
            400, #"{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"No."}}"#,
            .refused(code: "amount_too_small", message: "No.")
        ),
        (404, "<html>", .refused(code: "status_404", message: "an error that cannot be read")),
        (401, "{}", .notSent("the provider does not take our key")),
        (
            400, #"{"error":{"type":"idempotency_error","message":"Keys …"}}"#,
            .unknown("the key was used with other parameters")
        ),
        (409, "{}", .unknown("the same call is under way")),
        (429, "{}", .tooMany(retryAfter: .seconds(7))),
        (500, "{}", .unknown("status 500")),
        (503, "", .unknown("status 503")),
        (302, "", .unknown("status 302")),
    ])
    func `each reply means one thing`(status: Int, body: String, answer: ProviderAnswer) {
        #expect(StripeReply.answer(status: status, retryAfter: "7", body: Array(body.utf8)) == answer)
    }

    @Test(arguments: [
        (HTTPClientError.connectTimeout, true), (.readTimeout, false), (.deadlineExceeded, false),
        (.remoteConnectionClosed, false), (.cancelled, false), (.tlsHandshakeTimeout, true),
    ])
    func `only a failure before the connection means that nothing was sent`(error: HTTPClientError, isNotSent: Bool) {
        switch StripeProvider.answer(to: error) {
        case .notSent: #expect(isNotSent)
        case .unknown: #expect(!isNotSent)
        default: Issue.record("\(error)")
        }
    }

    @Test func `parameters are escaped`() {
        #expect(StripeProvider.form([("metadata[order]", "a&b=c d")]) == "metadata%5Border%5D=a%26b%3Dc%20d")
    }
}

struct WebhookSignatureTests {
    private static let now = Moment(milliseconds: 1_700_000_000_000)
    private static let body = Array(
        #"""
        {"id":"evt_1","object":"event","type":"payment_intent.canceled","data":{"object":{"id":"pi_1","object":"payment_intent",
        "amount":5000,"amount_received":0,"currency":"eur","status":"canceled","metadata":{},"last_payment_error":null}}}
        """#.utf8
    )

    private static func header(_ seconds: Int64 = 1_700_000_000, secret: String = "whsec_a") -> String {
        WebhookSender.signature(of: body, secret: secret, at: seconds)
    }

    private func event(_ header: String, body: [UInt8] = Self.body) throws(WebhookFlaw) -> ProviderEvent {
        try WebhookVerifier(secrets: ["whsec_a", "whsec_old"]).event(in: body, signature: header, at: Self.now)
    }

    @Test func `a genuine event is read`() throws {
        let event = try event(Self.header())
        #expect(event.id == "evt_1" && event.type == "payment_intent.canceled")
        #expect(event.state?.status == .cancelled && event.state?.amount == Money(5000, "EUR"))
        #expect(try self.event(Self.header(secret: "whsec_old")) == event)
    }

    @Test func `the code is the one anybody computes`() {
        // printf '1.{}' | openssl dgst -sha256 -hmac s
        #expect(
            WebhookSender.signature(of: Array("{}".utf8), secret: "s", at: 1)
                == "t=1,v1=b253639bcd705ed1cda3073f66104f16988bd40272584dea7d0d345ae93e61cc"
        )
    }

    @Test(arguments: [
        (header(1_700_000_000 - 301), WebhookFlaw.tooOld), (header(1_700_000_000 + 301), .fromTheFuture),
        (header(secret: "whsec_b"), .wrongSignature), ("t=1700000000,v1=00", .wrongSignature),
        (header().replacing("t=1700000000", with: "t=1700000001"), .wrongSignature),
        ("", .malformedSignature), ("t=1700000000", .malformedSignature), ("v1=00", .malformedSignature),
        ("t=x,v1=00", .malformedSignature), ("t=1700000000,v1=zz", .malformedSignature),
        ("t=1,t=2,v1=00", .malformedSignature), (header() + ",v1=00,v1=00,v1=00,v1=00,v1=00", .malformedSignature),
        (header().replacing("v1=", with: "v0="), .malformedSignature),
    ])
    func `T21 a forged or stale signature is refused`(header: String, flaw: WebhookFlaw) {
        #expect(throws: flaw) { try event(header) }
    }

    @Test(arguments: [1_700_000_000 - 300, 1_700_000_000 + 300] as [Int64])
    func `five minutes either way are tolerated`(seconds: Int64) throws {
        #expect(try event(Self.header(seconds)).id == "evt_1")
    }

    @Test func `T21 of two signatures one is enough, whichever it is`() throws {
        let own = Self.header().replacing("t=1700000000,", with: "")
        let other = Self.header(secret: "whsec_b").replacing("t=1700000000,", with: "")
        for header in ["t=1700000000,\(own),\(other)", "t=1700000000,\(other),\(own)"] {
            #expect(try event(header).id == "evt_1")
        }
        #expect(throws: WebhookFlaw.wrongSignature) { try event("t=1700000000,\(other),\(other)") }
    }

    @Test func `T21 a body that was read and written again is another body`() throws {
        let document = try JSONSerialization.jsonObject(with: Data(Self.body))
        let again = Array(try JSONSerialization.data(withJSONObject: document))
        #expect(throws: WebhookFlaw.wrongSignature) { try event(Self.header(), body: again) }
    }

    @Test func `T21 one changed byte of the body is noticed`() {
        var body = Self.body
        body[body.count - 3] ^= 1
        #expect(throws: WebhookFlaw.wrongSignature) { try event(Self.header(), body: body) }
    }
}
