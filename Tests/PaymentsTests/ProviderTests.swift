// Booking's client against the stand-in: every way an authorisation, a capture and a void can go.
import Foundation
import NIOHTTP1
import Ordering
import PaymentLedger
import Payments
import TestSupport
import Testing

@testable import MockPayments

struct ProviderTests {
    private func withProvider(
        latency: Duration = .zero,
        _ body: @escaping @Sendable (RunningProvider) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            try await PaymentsTests.withProvider(in: folder, latency: latency, body)
        }
    }

    private func reference(_ answer: ProviderAnswer) throws -> String {
        guard case .state(let state) = answer else { throw UnexpectedAnswer(answer: answer) }
        return state.reference
    }

    private func state(_ answer: ProviderAnswer) throws -> ProviderState {
        guard case .state(let state) = answer else { throw UnexpectedAnswer(answer: answer) }
        return state
    }

    @Test func `an amount is reserved, taken, and seen`() async throws {
        try await withProvider { provider in
            var payment = makePayment()
            let held = try state(await provider.booking.authorize(payment))
            #expect(held.status == .requiresCapture && held.amount == Money(5000, "EUR") && held.captured == 0)
            #expect(held.payment == payment.id)
            payment.reference = held.reference
            let taken = try state(await provider.booking.capture(payment))
            #expect(taken.status == .captured && taken.captured == 5000)
            #expect(try state(await provider.booking.state(of: payment)) == taken)
        }
    }

    @Test(arguments: [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ])
    func `a declined card says why`(method: String, code: String) async throws {
        try await withProvider { provider in
            var payment = makePayment(method)
            let answer = await provider.booking.authorize(payment)
            guard case .declined(code, let reference?) = answer else { throw UnexpectedAnswer(answer: answer) }
            payment.reference = reference
            let kept = try state(await provider.booking.state(of: payment))
            #expect(kept.status == .requiresPaymentMethod && kept.declineCode == code)
            // The same question has the same answer.
            #expect(await provider.booking.authorize(payment) == answer)
        }
    }

    @Test func `an authorisation asked for twice is made once`() async throws {
        try await withProvider { provider in
            let payment = makePayment()
            let first = try state(await provider.booking.authorize(payment))
            #expect(try state(await provider.booking.authorize(payment)) == first)
            let page = try await provider.send(.GET, "/v1/payment_intents/\(first.reference)")
            #expect(page.body["amount_capturable"] as? Int == 5000)
        }
    }

    @Test func `another amount under the same key does nothing`() async throws {
        try await withProvider { provider in
            var payment = makePayment()
            let first = try state(await provider.booking.authorize(payment))
            payment.amount = Money(9900, "EUR")
            #expect(
                await provider.booking.authorize(payment) == .unknown("the key was used with other parameters")
            )
            payment.reference = first.reference
            #expect(try state(await provider.booking.state(of: payment)).amount == Money(5000, "EUR"))
        }
    }

    @Test func `what is over stays over, and the answer says how it is`() async throws {
        try await withProvider { provider in
            var taken = makePayment()
            taken.reference = try reference(await provider.booking.authorize(taken))
            let captured = try state(await provider.booking.capture(taken))
            // The same call again, and the same effect under a key of its own.
            #expect(try state(await provider.booking.capture(taken)) == captured)
            let path = "/v1/payment_intents/\(captured.reference)"
            #expect(try await provider.send(path: path + "/capture").error("code") == "payment_intent_unexpected_state")
            #expect(try state(await provider.booking.void(taken)) == captured)

            var given = makePayment()
            given.reference = try reference(await provider.booking.authorize(given))
            let voided = try state(await provider.booking.void(given))
            #expect(voided.status == .cancelled && voided.captured == 0)
            #expect(try state(await provider.booking.void(given)) == voided)
            #expect(try state(await provider.booking.capture(given)) == voided)
        }
    }

    @Test func `a wrong call is refused and a wrong key is not a verdict`() async throws {
        try await withProvider { provider in
            let answer = await provider.booking.authorize(makePayment(amount: 49))
            guard case .refused("amount_too_small", _) = answer else { throw UnexpectedAnswer(answer: answer) }
            #expect(
                await provider.booking.capture(makePayment())
                    == .refused(code: "no_reference", message: "the provider's id of this payment is not known")
            )
            for reference in ["../evil", "pi_1?x", "", "pi_1/capture"] {
                let answer = await provider.booking.void(makePayment(reference: reference))
                guard case .refused("no_reference", _) = answer else { throw UnexpectedAnswer(answer: answer) }
            }
            let gone = await provider.booking.capture(makePayment(reference: "pi_none"))
            guard case .refused("resource_missing", _) = gone else { throw UnexpectedAnswer(answer: gone) }
            let stranger = StripeProvider(
                .init(baseURL: provider.baseURL, secretKey: "sk_test_other"),
                client: provider.client,
                logger: quiet
            )
            #expect(await stranger.authorize(makePayment()) == .notSent("the provider does not take our key"))
        }
    }

    @Test func `a provider that is away got nothing`() async throws {
        let gone = try await withFolder { folder in
            try await PaymentsTests.withProvider(in: folder) { $0.baseURL }
        }
        try await withHTTPClient { client in
            let booking = StripeProvider(.init(baseURL: gone, secretKey: "sk_test_x"), client: client, logger: quiet)
            #expect(await booking.authorize(makePayment()) == .notSent("cannot connect"))
        }
    }

    @Test func `a provider that is slow may have done it, and the same key finds out`() async throws {
        try await withProvider(latency: .milliseconds(400)) { provider in
            let payment = makePayment()
            // The effect comes after 200 ms, the answer after 400.
            let answer = await provider.booking(timeout: .milliseconds(300)).authorize(payment)
            guard case .unknown = answer else { throw UnexpectedAnswer(answer: answer) }
            try await eventually {
                if case .state(let state) = await provider.booking.authorize(payment) {
                    return state.status == .requiresCapture
                }
                return false
            }
        }
    }

    @Test func `two calls with one key at once: one is told to come back`() async throws {
        try await withProvider(latency: .milliseconds(300)) { provider in
            let replies = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let reply = try await provider.send(
                            path: "/v1/payment_intents",
                            "amount=5000&currency=eur",
                            key: "k"
                        )
                        return (reply.status, reply.error("code"))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.filter { $0.0 == 200 }.count == 1)
            #expect(replies.filter { $0.0 == 409 && $0.1 == "idempotency_key_in_use" }.count == 3)
        }
    }
}

struct UnexpectedAnswer: Error {
    let answer: ProviderAnswer
}

extension RunningProvider {
    func send(path: String, _ form: String = "", key: String? = nil) async throws -> Reply {
        try await send(.POST, path, form, key: key)
    }
}
