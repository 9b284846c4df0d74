// Events reach a listener, signed, and again until it takes them.
import Foundation
import NIOHTTP1
import Ordering
import Payments
import TestSupport
import Testing

@testable import MockPayments

struct WebhookTests {
    private static let good = "amount=5000&currency=eur&capture_method=manual&confirm=true&payment_method="

    private static var now: Moment { Moment(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    @Test func `each change of a payment is told, and booking believes it`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    let taken = try await provider.send(path: "/v1/payment_intents", Self.good + "pm_card_visa").id
                    _ = try await provider.send(path: "/v1/payment_intents/\(taken)/capture")
                    let given = try await provider.send(path: "/v1/payment_intents", Self.good + "pm_card_visa").id
                    _ = try await provider.send(path: "/v1/payment_intents/\(given)/cancel")
                    let declined = Self.good + "pm_card_visa_chargeDeclined"
                    _ = try await provider.send(path: "/v1/payment_intents", declined)
                    try await eventually { listener.deliveries.count == 5 }
                    #expect(
                        listener.deliveries.map(\.type).sorted() == [
                            "payment_intent.amount_capturable_updated", "payment_intent.amount_capturable_updated",
                            "payment_intent.canceled", "payment_intent.payment_failed", "payment_intent.succeeded",
                        ]
                    )
                    let verifier = WebhookVerifier(secrets: [provider.webhookSecret])
                    for delivery in listener.deliveries {
                        let event = try verifier.event(in: delivery.body, signature: delivery.signature, at: Self.now)
                        #expect(event.id == delivery.id && event.state?.amount == Money(5000, "EUR"))
                    }
                    let last = try #require(listener.deliveries.first { $0.type == "payment_intent.succeeded" })
                    let event = try verifier.event(in: last.body, signature: last.signature, at: Self.now)
                    #expect(event.state?.reference == taken && event.state?.captured == 5000)
                }
            }
        }
    }

    @Test func `an event that is not taken comes again with the same id`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                listener.answer(with: 500)
                try await withProvider(in: folder, webhookURL: listener.url) { provider in
                    _ = try await provider.send(path: "/v1/payment_intents", Self.good + "pm_card_visa")
                    try await eventually { listener.deliveries.count >= 3 }
                    listener.answer(with: 200)
                    let count = listener.deliveries.count
                    try await eventually { listener.deliveries.count > count }
                    #expect(Set(listener.deliveries.map(\.id)).count == 1)
                }
            }
        }
    }

    @Test func `an event outlives the process that owed it`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                // Nobody listens on port 9.
                try await withProvider(in: folder, webhookURL: "http://127.0.0.1:9/events") { provider in
                    _ = try await provider.send(path: "/v1/payment_intents", Self.good + "pm_card_visa")
                }
                #expect(listener.deliveries.isEmpty)
                for _ in 0..<2 {
                    try await withProvider(in: folder, webhookURL: listener.url) { provider in
                        try await eventually { listener.deliveries.count >= 1 }
                        // The second start has nothing left to tell once the ledger knows that it was taken.
                        try await eventually {
                            try String(contentsOfFile: folder + "/ledger.jsonl", encoding: .utf8).contains("settled")
                        }
                    }
                }
                #expect(listener.deliveries.count == 1)
            }
        }
    }

    @Test func `an event nobody ever takes is given up`() async throws {
        try await withFolder { folder in
            try await Listener.with { listener in
                listener.answer(with: 500)
                let patience = WebhookPatience(
                    attemptsMax: 3,
                    firstPause: .milliseconds(1),
                    longestPause: .milliseconds(2)
                )
                try await withProvider(in: folder, webhookURL: listener.url, patience: patience) { provider in
                    _ = try await provider.send(path: "/v1/payment_intents", Self.good + "pm_card_visa")
                    try await eventually {
                        let page = try await provider.send(.GET, "/metrics")
                        return String(decoding: page.bytes, as: UTF8.self)
                            .contains("usher_payments_webhooks_abandoned_total 1")
                    }
                    #expect(listener.deliveries.count == 3)
                }
            }
        }
    }
}
