// The stand-in's HTTP: statuses, headers, error objects, and what it refuses at the door.
import Foundation
import NIOHTTP1
import Testing

struct SurfaceTests {
    private static let good = "amount=5000&currency=eur&capture_method=manual&confirm=true&payment_method=pm_card_visa"

    @Test func `an answer has Stripe's shape`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                let reply = try await provider.send(path: "/v1/payment_intents", Self.good + "&metadata[orderID]=ord_1")
                #expect(reply.status == 200)
                #expect(reply.headers.first(name: "Content-Type") == "application/json")
                #expect(reply.headers.first(name: "Request-Id")?.hasPrefix("req_") == true)
                #expect(reply.id.hasPrefix("pi_") && reply.body["object"] as? String == "payment_intent")
                #expect(reply.body["metadata"] as? [String: String] == ["orderID": "ord_1"])
                #expect(reply.body["canceled_at"] is NSNull && reply.body["livemode"] as? Bool == false)
                #expect(reply.body["latest_charge"] is String && reply.body["amount_capturable"] as? Int == 5000)
            }
        }
    }

    @Test func `a repetition gets the same bytes, and another question under its key is refused`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                let first = try await provider.send(path: "/v1/payment_intents", Self.good, key: "k")
                #expect(first.headers.first(name: "Idempotent-Replayed") == nil)
                _ = try await provider.send(path: "/v1/payment_intents/\(first.id)/capture")
                let shuffled = Self.good.split(separator: "&").reversed().joined(separator: "&")
                for form in [Self.good, shuffled] {
                    let again = try await provider.send(path: "/v1/payment_intents", form, key: "k")
                    #expect(again.bytes == first.bytes && again.status == 200)
                    #expect(again.headers.first(name: "Idempotent-Replayed") == "true")
                }
                for (path, form) in [
                    ("/v1/payment_intents", Self.good + "&description=x"),
                    ("/v1/payment_intents/\(first.id)/cancel", ""),
                ] {
                    let other = try await provider.send(path: path, form, key: "k")
                    #expect(other.status == 400 && other.error("type") == "idempotency_error")
                }
                // A refusal by the ledger is remembered like any other answer; one of the form is not.
                let late = try await provider.send(path: "/v1/payment_intents/\(first.id)/cancel", key: "late")
                let lateAgain = try await provider.send(path: "/v1/payment_intents/\(first.id)/cancel", key: "late")
                #expect(late.status == 400 && lateAgain.bytes == late.bytes)
                #expect(lateAgain.headers.first(name: "Idempotent-Replayed") == "true")
                #expect(try await provider.send(path: "/v1/payment_intents", "amount=1", key: "bad").status == 400)
                #expect(try await provider.send(path: "/v1/payment_intents", Self.good, key: "bad").status == 200)
            }
        }
    }

    @Test func `a decline carries the payment`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                let form = Self.good.replacing("pm_card_visa", with: "pm_card_visa_chargeDeclinedInsufficientFunds")
                let reply = try await provider.send(path: "/v1/payment_intents", form)
                #expect(reply.status == 402 && reply.error("type") == "card_error")
                #expect(reply.error("code") == "card_declined" && reply.error("decline_code") == "insufficient_funds")
                let error = try #require(reply.body["error"] as? [String: Any])
                let payment = try #require(error["payment_intent"] as? [String: Any])
                #expect(payment["status"] as? String == "requires_payment_method")
                let last = try #require(payment["last_payment_error"] as? [String: Any])
                #expect(last["decline_code"] as? String == "insufficient_funds")
                // Another card pays the same payment.
                let id = try #require(payment["id"] as? String)
                let paid = try await provider.send(
                    path: "/v1/payment_intents/\(id)/confirm",
                    "payment_method=pm_card_visa"
                )
                #expect(paid.stateName == "requires_capture")
                let twice = try await provider.send(path: "/v1/payment_intents/\(id)/confirm")
                #expect(twice.status == 400 && twice.error("code") == "payment_intent_unexpected_state")
            }
        }
    }

    @Test func `a part may be captured, and no more than was reserved`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                let id = try await provider.send(path: "/v1/payment_intents", Self.good).id
                let tooMuch = try await provider.send(
                    path: "/v1/payment_intents/\(id)/capture",
                    "amount_to_capture=5001"
                )
                #expect(tooMuch.status == 400 && tooMuch.error("code") == "amount_too_large")
                #expect(tooMuch.error("param") == "amount_to_capture")
                let part = try await provider.send(path: "/v1/payment_intents/\(id)/capture", "amount_to_capture=4000")
                #expect(part.stateName == "succeeded" && part.body["amount_received"] as? Int == 4000)
                #expect(part.body["amount_capturable"] as? Int == 0)
            }
        }
    }

    private struct Refusal: Sendable {
        var method = HTTPMethod.POST
        var path = "/v1/payment_intents"
        var form = SurfaceTests.good
        var key: String?
        var authorization: String?
        var headers: [(String, String)] = []
        let status: Int
        let code: String?
    }

    private static let refusals = [
        Refusal(authorization: "", status: 401, code: nil),
        Refusal(authorization: "Bearer sk_test_wrong", status: 401, code: nil),
        Refusal(authorization: "Basic c2s6", status: 401, code: nil),
        Refusal(form: good + "&colour=blue", status: 400, code: "parameter_unknown"),
        Refusal(form: good + "&amount=1", status: 400, code: "parameter_invalid"),
        Refusal(form: "amount=49&currency=eur", status: 400, code: "amount_too_small"),
        Refusal(form: "{}", status: 400, code: nil),
        Refusal(headers: [("Content-Type", "application/json")], status: 400, code: nil),
        Refusal(form: String(repeating: "a", count: 70_000), status: 413, code: nil),
        Refusal(key: String(repeating: "k", count: 256), status: 400, code: nil),
        Refusal(key: "two words", status: 400, code: nil),
        Refusal(path: "/v1/payment_intents?amount=5000", status: 400, code: "parameter_unknown"),
        Refusal(path: "/v1/payment_intents/pi_none/cancel", form: "", status: 404, code: "resource_missing"),
        Refusal(path: "/v1/payment_intents/pi_none/explode", form: "", status: 404, code: nil),
        Refusal(path: "/v1/charges", status: 404, code: nil),
        Refusal(method: .GET, path: "/v1/payment_intents/pi_none", status: 404, code: "resource_missing"),
        Refusal(method: .GET, path: "/", status: 404, code: nil),
        Refusal(method: .DELETE, path: "/v1/payment_intents/pi_none", status: 404, code: nil),
    ]

    @Test func `what is wrong at the door has a status and an error object`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                for refusal in Self.refusals {
                    let reply = try await provider.send(
                        refusal.method,
                        refusal.path,
                        refusal.form,
                        key: refusal.key,
                        authorization: refusal.authorization,
                        headers: refusal.headers
                    )
                    #expect(reply.status == refusal.status, "\(refusal)")
                    #expect(reply.error("code") == refusal.code, "\(refusal)")
                    #expect(reply.error("type") == "invalid_request_error", "\(refusal)")
                    #expect(reply.error("message")?.isEmpty == false, "\(refusal)")
                }
            }
        }
    }

    @Test func `operators see that it lives and what it did`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                _ = try await provider.send(path: "/v1/payment_intents", Self.good)
                #expect(try await provider.send(.GET, "/healthz", authorization: "").status == 200)
                #expect(try await provider.send(.GET, "/readyz", authorization: "").status == 200)
                let page = try await provider.send(.GET, "/metrics", authorization: "")
                let text = String(decoding: page.bytes, as: UTF8.self)
                #expect(text.contains("usher_payments_requests_total{status=\"2xx\"} 1"))
            }
        }
    }
}
