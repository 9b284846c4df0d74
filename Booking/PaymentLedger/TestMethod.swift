// The test payment methods: what the bank behind each of them does. The names are Stripe's where Stripe has one.

/// Why a card was declined.
package enum DeclineCode: String, Codable, Sendable, CaseIterable {
    case generic = "generic_decline"
    case insufficientFunds = "insufficient_funds"
    case lostCard = "lost_card"
    case stolenCard = "stolen_card"
    case expiredCard = "expired_card"
    case incorrectCVC = "incorrect_cvc"
    case processingError = "processing_error"
    /// The buyer did not prove who they are.
    case authenticationFailed = "authentication_failed"
}

/// What a buyer has to do before their bank answers.
package enum BuyerAction: String, Codable, Sendable {
    /// Prove who they are on a page of their bank.
    case authenticate
    /// Scan a code with their phone and pay there.
    case scan
}

package struct TestMethod: Equatable, Sendable {
    package enum Answer: Equatable, Sendable {
        case authorizes
        case declines(DeclineCode)
    }

    package var name: String
    /// The kind of method, as in `payment_method_types`.
    package var type = "card"
    package var action: BuyerAction?
    /// Once the action, if any, is done.
    package var answer = Answer.authorizes
    /// The authorization has run out when it is to be captured.
    package var failsOnCapture = false
    /// The buyer disputes the charge as soon as it is captured.
    package var isDisputed = false
    /// How a refund begins, and how it ends when that is something else.
    package var refund = RefundStatus.succeeded
    package var refundEnd: RefundStatus?

    /// `nil` for a method that does not exist.
    package init?(_ name: String) {
        guard let known = Self.known[name] else { return nil }
        self = known
    }

    private init(named name: String, _ change: (inout TestMethod) -> Void = { _ in }) {
        self.name = name
        change(&self)
    }

    private static let known: [String: TestMethod] = {
        var all: [TestMethod] = ["pm_card_visa", "pm_card_mastercard"].map { TestMethod(named: $0) }
        for (suffix, code) in [
            ("chargeDeclined", DeclineCode.generic), ("chargeDeclinedInsufficientFunds", .insufficientFunds),
            ("chargeDeclinedLostCard", .lostCard), ("chargeDeclinedStolenCard", .stolenCard),
            ("chargeDeclinedExpiredCard", .expiredCard), ("chargeDeclinedIncorrectCvc", .incorrectCVC),
            ("chargeDeclinedProcessingError", .processingError),
        ] {
            for stem in ["pm_card_", "pm_card_visa_"] {
                all.append(TestMethod(named: stem + suffix) { $0.answer = .declines(code) })
            }
        }
        for name in [
            "pm_card_authenticationRequired", "pm_card_threeDSecure2Required", "pm_card_threeDSecureRequired",
        ] {
            all.append(TestMethod(named: name) { $0.action = .authenticate })
        }
        all.append(
            TestMethod(named: "pm_card_threeDSecureRequiredChargeDeclined") {
                $0.action = .authenticate
                $0.answer = .declines(.generic)
            }
        )
        all.append(TestMethod(named: "pm_card_captureFails") { $0.failsOnCapture = true })
        all.append(TestMethod(named: "pm_card_createDispute") { $0.isDisputed = true })
        all.append(
            TestMethod(named: "pm_card_pendingRefund") {
                $0.refund = .pending
                $0.refundEnd = .succeeded
            }
        )
        all.append(TestMethod(named: "pm_card_refundFail") { $0.refundEnd = .failed })
        all.append(
            TestMethod(named: "pm_qr") {
                $0.type = "wechat_pay"
                $0.action = .scan
            }
        )
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    }()
}
