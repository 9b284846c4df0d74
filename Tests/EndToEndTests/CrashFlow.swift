import Foundation
import NIOHTTP1
import Testing

@testable import BookingServer

/// One buyer on the way past one point. Each flow gives the fact that holds when all has ended as it should.
struct CrashFlow: Sendable {
    typealias End = @Sendable () async throws -> Bool

    let walk: CrashWalk
    private let point: String
    private let buyer: Visitor

    init(walk: CrashWalk, point: String) async throws {
        self.walk = walk
        self.point = point
        let booking = walk.stack.booking
        let credentials = [
            "email": "walk-\(UUID().uuidString.lowercased())@example.org", "password": "correct horse",
        ]
        let reply = try await walk.insist(.POST, "/v1/auth/register", credentials, by: booking)
        buyer = booking.with("Authorization", "Bearer \(try #require(reply.text("access_token")))")
    }

    private func arm() throws { try walk.arm(point) }

    // MARK: steps

    private func ordered(in session: String? = nil, isQueued: Bool = false) async throws -> String {
        let path = "/v1/sessions/\(session ?? walk.openSession)/orders"
        let visitor = isQueued ? buyer.with("Prefer", "respond-async") : buyer
        let reply = try await walk.insist(.POST, path, ["best": ["quantity": 1]], by: visitor)
        #expect(reply.status == (isQueued ? 202 : 201), "\(point): \(reply.json)")
        return try #require(reply.text("id"))
    }

    private func pay(_ order: String, _ method: String? = "pm_card_visa") async throws {
        try await walk.insist(
            .POST,
            "/v1/orders/\(order)/payments",
            method.map { ["payment_method": $0] } ?? [:],
            by: buyer
        )
    }

    private func order(_ id: String) async throws -> Visitor.Reply { try await buyer.get("/v1/orders/\(id)") }

    private func state(_ order: String, _ wanted: String) -> End {
        { try await self.order(order).text("state") == wanted }
    }

    private func wait(_ fact: String, _ end: @escaping End) async throws {
        try await eventually("\(point): \(fact)", within: CrashWalk.patience) { (try? await end()) == true }
    }

    private func paid(_ method: String = "pm_card_visa", in session: String? = nil) async throws -> String {
        let id = try await ordered(in: session)
        try await pay(id, method)
        try await wait("paid", tickets(of: id, "paid", "valid"))
        return id
    }

    private func tickets(of id: String, _ state: String, _ ticket: String) -> End {
        {
            let order = try await self.order(id)
            let tickets = (order.json["tickets"] as? [[String: Any]] ?? []).map { $0["state"] as? String }
            return order.text("state") == state && tickets == [ticket]
        }
    }

    /// An order whose buyer is at the bank; where.
    private func atTheBank(_ id: String) async throws -> String {
        try await pay(id, "pm_card_authenticationRequired")
        try await wait("the bank asks") { try await self.order(id).text("payment.next_action.url") != nil }
        return try #require(try await order(id).text("payment.next_action.url"))
    }

    private func refund(_ id: String) async throws {
        let reply = try await walk.insist(.POST, "/v1/orders/\(id)/refunds", [String: String](), by: buyer)
        #expect(reply.status == 201, "\(point): \(reply.json)")
    }

    private func refunds(_ id: String) async throws -> [[String: Any]] {
        try await order(id).json["refunds"] as? [[String: Any]] ?? []
    }

    private func refunds(of id: String, are states: [String]) -> End {
        { try await self.refunds(id).map { $0["state"] as? String } == states }
    }

    private func decide(_ id: String, _ decision: String) async throws {
        let name = try #require(try await refunds(id).first?["id"] as? String)
        let path = "/v1/admin/refunds/\(name)/\(decision)"
        // 409 is the answer to the repeat of a decision that was taken before the crash.
        let reply = try await walk.insist(.POST, path, ["note": "by hand"], by: walk.staff)
        #expect(reply.status == 200 || reply.status == 409, "\(point): \(reply.json)")
    }
}

// MARK: flows

extension CrashFlow {
    /// The flow that passes the points of a deed.
    static func past(_ deed: CrashPoint.Deed) -> (CrashFlow) async throws -> End {
        switch deed {
        case .order, .payment, .authorize, .confirm, .capture, .captured, .shown, .projected:
            { try await $0.purchase() }
        case .accepted, .decided: { try await $0.queuedPurchase() }
        case .free: { try await $0.freePurchase() }
        case .cancel: { try await $0.cancelled() }
        case .expired: { try await $0.expired() }
        case .declined: { try await $0.declined() }
        case .action, .look, .event, .eventHandled: { try await $0.provenAtTheBank() }
        case .voiding, .void, .voided: { try await $0.cancelledAtTheBank() }
        case .impossible: { try await $0.captureImpossible() }
        case .unanswered: { try await $0.disturbed("create", "error_before") }
        case .lookAgain, .postponed: { try await $0.disturbed("capture", "error_before") }
        case .stuck, .retried: { try await $0.stuck() }
        case .adopt: { try await $0.comesThroughLate(isCancelled: false) }
        case .stray: { try await $0.comesThroughLate(isCancelled: true) }
        case .refundAsked, .refundSent, .refunded, .keyTaken, .answerKept: { try await $0.refunded() }
        case .refundPostponed: { try await $0.refunded(butFirst: "error_before") }
        case .refundAccepted: { try await $0.refundPending() }
        case .refundLook: { try await $0.refundLookedAt() }
        case .refundFailed: { try await $0.refundFailed() }
        case .refundDecided: { try await $0.refundSettled() }
        case .refundSubmitted: { try await $0.refundTriedAnew() }
        case .refundedElsewhere: { try await $0.refundedElsewhere() }
        case .disputed: { try await $0.disputed() }
        case .calledOff, .callOffFinished: { try await $0.calledOff() }
        }
    }

    private func purchase() async throws -> End {
        try arm()
        let id = try await ordered()
        try await pay(id)
        return tickets(of: id, "paid", "valid")
    }

    private func queuedPurchase() async throws -> End {
        try arm()
        let id = try await ordered(isQueued: true)
        try await wait("decided", state(id, "pending"))
        try await pay(id)
        return tickets(of: id, "paid", "valid")
    }

    private func freePurchase() async throws -> End {
        let id = try await ordered(in: walk.freeSession)
        try arm()
        try await pay(id, nil)
        return tickets(of: id, "paid", "valid")
    }

    private func cancelled() async throws -> End {
        let id = try await ordered()
        try arm()
        try await walk.insist(.POST, "/v1/orders/\(id)/cancel", by: buyer)
        return state(id, "cancelled")
    }

    private func expired() async throws -> End {
        let id = try await ordered()
        try arm()
        try await walk.stack.sql(
            "UPDATE orders SET deadline = now() WHERE id = (SELECT id FROM orders ORDER BY id DESC LIMIT 1)"
        )
        return state(id, "expired")
    }

    private func declined() async throws -> End {
        let id = try await ordered()
        try arm()
        try await pay(id, "pm_card_chargeDeclined")
        return {
            let order = try await self.order(id)
            return order.text("state") == "pending" && order.text("payment.state") == "failed"
        }
    }

    private func provenAtTheBank() async throws -> End {
        let id = try await ordered()
        try arm()
        try await walk.bank.press("complete", at: try await atTheBank(id))
        return tickets(of: id, "paid", "valid")
    }

    private func cancelledAtTheBank() async throws -> End {
        let id = try await ordered()
        _ = try await atTheBank(id)
        try arm()
        try await walk.insist(.POST, "/v1/orders/\(id)/cancel", by: buyer)
        return {
            let order = try await self.order(id)
            return order.text("state") == "cancelled" && order.text("payment.state") == "voided"
        }
    }

    private func captureImpossible() async throws -> End {
        let id = try await ordered()
        try arm()
        try await pay(id, "pm_card_captureFails")
        return tickets(of: id, "failed", "void")
    }

    private func disturbed(_ call: String, _ kind: String) async throws -> End {
        let id = try await ordered()
        try await walk.bank.misbehave(call, kind)
        try arm()
        try await pay(id)
        return tickets(of: id, "paid", "valid")
    }

    private func stuck() async throws -> End {
        let id = try await ordered()
        try await walk.bank.misbehave("capture", "wrong_state", #","state":"requires_action""#)
        try arm()
        try await pay(id)
        try await wait("stuck, or over it by the crash") {
            if try await self.order(id).text("state") == "paid" { return true }
            return try await self.stuckSagas() > 0
        }
        let payment = try #require(try await order(id).text("payment.id"))
        try await walk.insist(.POST, "/v1/admin/sagas/\(payment)/retry", by: walk.staff)
        return tickets(of: id, "paid", "valid")
    }

    private func stuckSagas() async throws -> Double {
        let page = try await Visitor(base: "http://127.0.0.1:\(walk.stack.operationsPort)").get("/metrics")
        let text = String(decoding: page.body, as: UTF8.self)
        return text.firstMatch(of: /(?m)^usher_booking_sagas_stuck ([0-9.]+)/).flatMap { Double($0.output.1) } ?? 0
    }

    /// An attempt given up comes through all the same: its order uses the money, or it goes back.
    private func comesThroughLate(isCancelled: Bool) async throws -> End {
        let id = try await ordered()
        try await walk.bank.press("fail", at: try await atTheBank(id))
        try await wait("given up", state(id, "pending"))
        let payment = try #require(try await order(id).text("payment.id"))
        if isCancelled { try await walk.insist(.POST, "/v1/orders/\(id)/cancel", by: buyer) }
        let intent = try walk.bank.intent(ofOrder: id)
        try arm()
        try await walk.bank.send(.POST, "/v1/payment_intents/\(intent)/confirm", "payment_method=pm_card_visa")
        guard isCancelled else { return tickets(of: id, "paid", "valid") }
        return {
            guard try await self.buyer.get("/v1/payments/\(payment)").text("state") == "voided" else { return false }
            return try await self.walk.bank.state(ofIntent: intent) == "canceled"
        }
    }

    private func refunded(butFirst fault: String? = nil) async throws -> End {
        let id = try await paid()
        if let fault { try await walk.bank.misbehave("refund", fault) }
        try arm()
        try await refund(id)
        return tickets(of: id, "refunded", "void")
    }

    private func refundPending() async throws -> End {
        let id = try await paid("pm_card_pendingRefund")
        try arm()
        try await refund(id)
        try await wait("the bank has it") { try await self.walk.bank.refunds(ofOrder: id).count == 1 }
        try await walk.bank.settle(try #require(try await walk.bank.refunds(ofOrder: id).first), "succeeded")
        return tickets(of: id, "refunded", "void")
    }

    private func refundLookedAt() async throws -> End {
        let id = try await paid("pm_card_pendingRefund")
        try await refund(id)
        try await wait("the bank has it", refunds(of: id, are: ["pending"]))
        try arm()
        let name = try #require(try await refunds(id).first?["id"] as? String)
        try await walk.insist(.POST, "/v1/admin/sagas/\(name)/retry", by: walk.staff)
        try await wait("looked at") { !self.walk.isArmed }
        try await walk.bank.settle(try #require(try await walk.bank.refunds(ofOrder: id).first), "succeeded")
        return tickets(of: id, "refunded", "void")
    }

    /// A refund that succeeded, and of which the bank then says that it did not.
    private func failedRefund(isArmed: Bool) async throws -> String {
        let id = try await paid("pm_card_refundFail")
        try await refund(id)
        try await wait("refunded", tickets(of: id, "refunded", "void"))
        if isArmed { try arm() }
        try await walk.bank.settle(try #require(try await walk.bank.refunds(ofOrder: id).first), "failed")
        try await wait("failed", refunds(of: id, are: ["failed"]))
        return id
    }

    private func refundFailed() async throws -> End {
        let id = try await failedRefund(isArmed: true)
        try await decide(id, "settle")
        return refunds(of: id, are: ["settled_manually"])
    }

    private func refundSettled() async throws -> End {
        let id = try await failedRefund(isArmed: false)
        try arm()
        try await decide(id, "settle")
        return refunds(of: id, are: ["settled_manually"])
    }

    private func refundTriedAnew() async throws -> End {
        let id = try await failedRefund(isArmed: false)
        try arm()
        try await decide(id, "retry")
        return tickets(of: id, "refunded", "void")
    }

    private func refundedElsewhere() async throws -> End {
        let id = try await paid()
        let intent = try walk.bank.intent(ofOrder: id)
        try arm()
        try await walk.bank.send(.POST, "/v1/refunds", "payment_intent=\(intent)&amount=100")
        return {
            let refunds = try await self.refunds(id)
            return refunds.map { $0["kind"] as? String } == ["external"]
                && refunds.map { $0["state"] as? String } == ["succeeded"]
        }
    }

    private func disputed() async throws -> End {
        let id = try await ordered()
        try arm()
        try await pay(id, "pm_card_createDispute")
        try await wait("suspended", tickets(of: id, "paid", "suspended"))
        try await walk.bank.end(dispute: try await walk.bank.dispute(ofOrder: id), by: "winning_evidence")
        return tickets(of: id, "paid", "valid")
    }

    private func calledOff() async throws -> End {
        let session = try walk.sessionToCallOff()
        let id = try await paid(in: session)
        try arm()
        let path = "/v1/admin/sessions/\(session)/cancel"
        let begun = try await walk.insist(.POST, path, ["reason": "the roof is down"], by: walk.staff)
        #expect(begun.status == 202, "\(point): \(begun.json)")
        return {
            guard try await self.walk.staff.get(path).text("state") == "done" else { return false }
            return try await self.order(id).text("state") == "refunded"
        }
    }
}
