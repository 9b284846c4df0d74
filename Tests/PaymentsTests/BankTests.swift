// The stand-in's banks: actions of buyers, refunds with a last word, disputes, misbehaviour on request.
import Foundation
import NIOHTTP1
import Ordering
import Payments
import TestSupport
import Testing

@testable import MockPayments

struct BankTests {
    private static func refund(of payment: Payment, _ amount: Int64, reference: String) -> Refund {
        var random = SystemRandomNumberGenerator()
        var refund = Refund(
            id: RefundID(high: random.next(), low: random.next()),
            order: payment.order,
            payment: payment.id,
            kind: .buyer,
            state: .submitting,
            amount: Money(amount, "EUR"),
            fee: 0,
            reason: "",
            shares: [],
            createdAt: Moment(milliseconds: 0)
        )
        refund.paymentReference = reference
        return refund
    }

    private static func taken(_ method: String, _ provider: RunningProvider) async throws -> Payment {
        var payment = makePayment(method)
        guard case .state(let held) = await provider.booking.authorize(payment) else { throw CancellationError() }
        payment.reference = held.reference
        guard case .state(let taken) = await provider.booking.capture(payment) else { throw CancellationError() }
        #expect(taken.status == .captured)
        return payment
    }

    @Test(arguments: [
        (
            "pm_card_authenticationRequired", PaymentAction.Kind.redirect, "complete",
            ProviderState.Status.requiresCapture
        ),
        ("pm_card_threeDSecure2Required", .redirect, "fail", .requiresPaymentMethod),
        ("pm_card_threeDSecureRequiredChargeDeclined", .redirect, "complete", .requiresPaymentMethod),
        ("pm_qr", .code, "complete", .captured), ("pm_qr", .code, "fail", .requiresPaymentMethod),
    ])
    func `a buyer does what the bank asks, or does not`(
        method: String,
        kind: PaymentAction.Kind,
        outcome: String,
        end: ProviderState.Status
    ) async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                var payment = makePayment(method)
                guard case .state(let state) = await provider.booking.authorize(payment) else {
                    Issue.record("not asked")
                    return
                }
                #expect(state.status == .requiresAction && state.action?.kind == kind)
                payment.reference = state.reference
                let page = try #require(state.action?.value)
                let path = try #require(page.range(of: "/actions/").map { String(page[$0.lowerBound...]) })
                #expect(try await provider.send(.GET, path).status == 200)
                #expect(try await provider.send(.POST, path, "outcome=later").status == 400)
                let pressed = try await provider.send(.POST, path, "outcome=\(outcome)", authorization: "")
                #expect(pressed.status == 303)
                #expect(pressed.headers.first(name: "Location")?.contains("/sessions/\(payment.session)") == true)
                #expect(try await provider.send(.POST, path, "outcome=complete").status == 409)
                guard case .state(let after) = await provider.booking.state(of: payment) else {
                    Issue.record("no state")
                    return
                }
                #expect(after.status == end)
                #expect(try await provider.send(.GET, path + "x").status == 404)
            }
        }
    }

    @Test func `money is given back once for a key, in parts, and never more than was taken`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                let payment = try await Self.taken("pm_card_visa", provider)
                let reference = try #require(payment.reference)
                let first = Self.refund(of: payment, 2000, reference: reference)
                for _ in 0..<3 {
                    guard case .state(let state) = await provider.booking.refund(first) else {
                        Issue.record("not refunded")
                        return
                    }
                    #expect(state.status == .succeeded && state.refund == first.id && state.amount == first.amount)
                }
                let tooMuch = await provider.booking.refund(Self.refund(of: payment, 3001, reference: reference))
                guard case .refused(code: "amount_too_large", _) = tooMuch else {
                    Issue.record("\(tooMuch)")
                    return
                }
                _ = await provider.booking.refund(Self.refund(of: payment, 3000, reference: reference))
                let none = await provider.booking.refund(Self.refund(of: payment, 1, reference: reference))
                guard case .refused(code: "charge_already_refunded", _) = none else {
                    Issue.record("\(none)")
                    return
                }
            }
        }
    }

    @Test(arguments: [
        ("pm_card_pendingRefund", ["refund.created", "refund.updated"]),
        ("pm_card_refundFail", ["refund.created", "refund.failed"]),
    ])
    func `a bank has the last word on a refund, and tells it`(method: String, events: [String]) async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let payment = try await Self.taken(method, provider)
                    let reference = try #require(payment.reference)
                    _ = await provider.booking.refund(Self.refund(of: payment, 5000, reference: reference))
                    try await eventually {
                        Set(listener.deliveries.map(\.type).filter { $0.hasPrefix("refund") }) == Set(events)
                    }
                }
            }
        }
    }

    @Test func `a dispute comes by itself, stops refunds, and its end is told`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let payment = try await Self.taken("pm_card_createDispute", provider)
                    let reference = try #require(payment.reference)
                    let list = try await provider.send(.GET, "/v1/disputes?payment_intent=\(reference)")
                    let found = (list.body["data"] as? [[String: Any]])?.first?["id"] as? String
                    let dispute = try #require(found)
                    let refused = await provider.booking.refund(Self.refund(of: payment, 1, reference: reference))
                    guard case .refused(code: "charge_disputed", _) = refused else {
                        Issue.record("\(refused)")
                        return
                    }
                    let won = "evidence%5Buncategorized_text%5D=winning_evidence"
                    #expect(try await provider.send(.POST, "/v1/disputes/\(dispute)", won).stateName == "won")
                    try await eventually {
                        Set(listener.deliveries.map(\.type))
                            .isSuperset(of: ["charge.dispute.created", "charge.dispute.closed"])
                    }
                }
            }
        }
    }

    @Test func `what the banks did is in the ledger after a restart`() async throws {
        try await withFolder { folder in
            let (payment, reference) = try await withProvider(in: folder) { provider in
                let payment = try await Self.taken("pm_card_createDispute", provider)
                return (payment, payment.reference ?? "")
            }
            try await withProvider(in: folder) { provider in
                let refused = await provider.booking.refund(Self.refund(of: payment, 1, reference: reference))
                guard case .refused(code: "charge_disputed", _) = refused else {
                    Issue.record("\(refused)")
                    return
                }
            }
        }
    }

    struct Misbehaviour: Sendable, CustomTestStringConvertible {
        let kind: String
        let hasEffect: Bool
        let isAnswered: Bool
        var testDescription: String { kind }
    }

    static let misbehaviours = [
        Misbehaviour(kind: "timeout_before", hasEffect: false, isAnswered: false),
        Misbehaviour(kind: "timeout_after", hasEffect: true, isAnswered: false),
        Misbehaviour(kind: "error_before", hasEffect: false, isAnswered: false),
        Misbehaviour(kind: "error_after", hasEffect: true, isAnswered: false),
        Misbehaviour(kind: "too_many", hasEffect: false, isAnswered: false),
        Misbehaviour(kind: "slow", hasEffect: true, isAnswered: true),
        Misbehaviour(kind: "wrong_state", hasEffect: true, isAnswered: true),
        Misbehaviour(kind: "wrong_amount", hasEffect: true, isAnswered: true),
    ]

    @Test(arguments: misbehaviours)
    func `T29 the stand-in misbehaves as asked, for as many calls as asked`(fault: Misbehaviour) async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { provider in
                var payment = makePayment()
                guard case .state(let held) = await provider.booking.authorize(payment) else {
                    Issue.record("not authorized")
                    return
                }
                payment.reference = held.reference
                let order =
                    #"{"call":"capture","kind":"\#(fault.kind)","skip":1,"delay_ms":50,"#
                    + #""state":"requires_action","amount":77}"#
                #expect(try await provider.send(.POST, "/_test/faults", order).status == 200)
                let path = "/v1/payment_intents/\(held.reference)/capture"
                // The first one goes well, as asked; it is refused for its amount.
                #expect(try await provider.send(.POST, path, "amount_to_capture=9999").status == 400)
                let reply = try await provider.send(.POST, path, key: "k")
                #expect((200...299).contains(reply.status) == fault.isAnswered)
                let now = try await provider.send(.GET, "/v1/payment_intents/\(held.reference)")
                #expect((now.stateName == "succeeded") == fault.hasEffect)
                if fault.kind == "wrong_state" { #expect(reply.stateName == "requires_action") }
                if fault.kind == "wrong_amount" { #expect(reply.body["amount"] as? Int == 77) }
                let again = try await provider.send(.POST, path, key: "k")
                #expect(again.stateName == "succeeded", "the fault is used up")
                let left = try await provider.send(.GET, "/_test/faults")
                #expect(String(decoding: left.bytes, as: UTF8.self) == "[]")
            }
        }
    }

    @Test func `T17 events come more than once and out of order as asked`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let order = #"{"copies":3,"delay_ms":300,"shuffle":true}"#
                    #expect(try await provider.send(.POST, "/_test/webhooks", order).status == 200)
                    for _ in 0..<6 { _ = try await Self.taken("pm_card_visa", provider) }
                    // A busy listener may be told more often than asked, never less.
                    try await eventually {
                        let ids = Dictionary(grouping: listener.deliveries, by: \.id)
                        return ids.count == 12 && ids.values.allSatisfy { $0.count >= 3 }
                    }
                }
            }
        }
    }

    @Test func `control needs the key, and odd orders are refused`() async throws {
        try await withFolder { folder in
            try await withProvider(in: folder) { (provider) async throws in
                #expect(try await provider.send(.GET, "/_test/faults", authorization: "").status == 401)
                for body in ["", "{}", #"{"call":"all","kind":"slow"}"#, #"{"call":"any","kind":"x"}"#] {
                    #expect(try await provider.send(.POST, "/_test/faults", body).status == 400)
                }
                #expect(try await provider.send(.POST, "/_test/nothing").status == 404)
            }
        }
    }
}
