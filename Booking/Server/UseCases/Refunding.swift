// Money given back: asked for by buyers and staff, carried out by a saga of its own.

import Foundation
import Logging
import Operations
import Ordering
import Signing
import UsherAPI

struct Refunding: Sendable {
    let orders: any OrderStore
    let refunds: any RefundStore
    let catalogue: CatalogueCache
    let provider: any PaymentProvider
    let projector: SeatProjector
    let rules: RefundSaga
    let owner: String
    let lease: Duration
    let clock: Clock
    let logger: Logger

    /// The longest reason or note.
    static let reasonLengthMax = 500

    /// With a key the id follows from it, so that a repeated request finds its refund again.
    static func id(for account: AccountID, order: OrderID, key: String) -> RefundID {
        let digest = SHA256.digest(Array("usher/refund/v1|\(account)|\(order)|\(key)".utf8))
        guard let id = RefundID(bytes: Array(digest.prefix(16))) else { preconditionFailure("16 bytes make an id") }
        return id
    }

    /// Begins a refund and drives it as far as it goes.
    func request(
        _ wish: RefundWish,
        of order: Order,
        as id: RefundID,
        kind: Refund.Kind,
        by account: AccountID?
    ) async throws -> Refund {
        if let known = try await refund(id) { return known.refund }
        guard wish.reason.utf8.count <= Self.reasonLengthMax else {
            throw Refusal(.validationFailed, "\"reason\" has at most \(Self.reasonLengthMax) bytes")
        }
        guard let session = catalogue.session(order.session) else { throw Refusal(.storeUnavailable) }
        let refund: Refund
        do throws(RefundRefusal) {
            refund = try RefundRules.plan(
                wish,
                as: id,
                of: order,
                sessionStart: session.startsAt,
                kind: kind,
                at: clock.now()
            )
        } catch {
            throw Refusal(error)
        }
        CrashPoint.before(.refundAsked)
        let outcome = try await answered { () async throws(StoreFailure) in
            try await refunds.request(refund, isForced: wish.isForced, by: account, owner: owner, lease: lease)
        }
        CrashPoint.after(.refundAsked)
        switch outcome {
        case .refused: throw Refusal(.refundInProgress, "the order or its tickets have changed; look at them again")
        case .alreadyBegun: break
        case .begun: await drive(refund)
        }
        return try await self.refund(id)?.refund ?? refund
    }

    /// Somebody agrees, or wants a failed one tried anew.
    func submit(_ id: RefundID, from state: RefundState) async throws -> Refund {
        let isSubmitted = try await answered { () async throws(StoreFailure) in
            CrashPoint.before(.refundSubmitted)
            defer { CrashPoint.after(.refundSubmitted) }
            return try await refunds.submit(id, from: state, owner: owner, lease: lease)
        }
        guard let found = try await refund(id)?.refund else { throw Refusal(.notFound) }
        guard isSubmitted else { throw Refusal(.invalidTransition, "the refund is \(found.state.rawValue)") }
        await drive(found)
        return try await refund(id)?.refund ?? found
    }

    func decide(_ id: RefundID, _ change: () async throws(StoreFailure) -> Bool) async throws -> Refund {
        CrashPoint.before(.refundDecided)
        let isChanged = try await answered { () async throws(StoreFailure) in try await change() }
        CrashPoint.after(.refundDecided)
        guard let found = try await refund(id)?.refund else { throw Refusal(.notFound) }
        guard isChanged else { throw Refusal(.invalidTransition, "the refund is \(found.state.rawValue)") }
        projector.kick()
        return found
    }

    func refund(_ id: RefundID) async throws -> RefundDetails? {
        try await answered { () async throws(StoreFailure) in try await refunds.refund(id) }
    }

    // MARK: the saga

    /// Drives a refund until it is done or has to wait. A failure leaves it to the keeper.
    func drive(_ refund: Refund) async {
        do throws(StoreFailure) {
            switch rules.next(refund) {
            case .finish: try await record(.recordSucceeded(reference: nil), refund)
            case .submit:
                CrashPoint.before(.refundSent)
                let answer = await provider.refund(refund)
                CrashPoint.after(.refundSent)
                try await record(rules.react(to: answer, refund: refund), refund)
            case .look:
                CrashPoint.before(.refundLook)
                let answer = await provider.state(of: refund)
                CrashPoint.after(.refundLook)
                try await record(rules.react(to: answer, refund: refund), refund)
            default: return
            }
        } catch {
            logger.warning("refund interrupted", metadata: ["refund.id": "\(refund.id)", "error": "\(error)"])
        }
    }

    /// Writes down what the provider says of a refund, however it came to be known.
    func apply(_ state: ProviderRefund, to refund: Refund) async throws(StoreFailure) {
        try await record(rules.observed(state, refund: refund), refund)
    }

    private func record(_ step: RefundSaga.Step, _ refund: Refund) async throws(StoreFailure) {
        switch step {
        case .recordAccepted(let reference, let delay):
            CrashPoint.before(.refundAccepted)
            try await refunds.recordAccepted(refund.id, reference: reference, lookAfter: delay)
            CrashPoint.after(.refundAccepted)
        case .recordSucceeded(let reference):
            CrashPoint.before(.refunded)
            try await refunds.recordSucceeded(refund.id, reference: reference)
            CrashPoint.after(.refunded)
            projector.kick()
        case .recordFailed(let code, let reference):
            logger.error("refund failed", metadata: ["refund.id": "\(refund.id)", "reason": "\(code)"])
            CrashPoint.before(.refundFailed)
            try await refunds.recordFailed(refund.id, code: code, reference: reference)
            CrashPoint.after(.refundFailed)
        case .wait(let delay): try await postpone(refund, by: delay, stuck: nil)
        case .stuck(let reason, let delay):
            logger.error("refund stuck", metadata: ["refund.id": "\(refund.id)", "reason": "\(reason)"])
            try await postpone(refund, by: delay, stuck: reason)
        case .submit, .look, .finish, .done: return
        }
    }

    private func postpone(_ refund: Refund, by delay: Duration, stuck: String?) async throws(StoreFailure) {
        CrashPoint.before(.refundPostponed)
        try await refunds.postpone(refund.id, by: delay, stuck: stuck)
        CrashPoint.after(.refundPostponed)
    }
}

extension Refusal {
    init(_ refusal: RefundRefusal) {
        switch refusal {
        case .orderState(let state):
            self.init(.orderStateConflict, "the order is \(state.rawValue): there is nothing to give back")
        case .disputed: self.init(.orderDisputed, "the buyer's bank is asking for this money back already")
        case .unknownTicket: self.init(.validationFailed, "\"tickets\" names tickets of this order, each once")
        case .ticketState(let state): self.init(.ticketNotRefundable, "a ticket is \(state.rawValue)")
        case .windowOver: self.init(.ticketNotRefundable, "the time to give tickets back is over")
        case .notOffered: self.init(.ticketNotRefundable, "tickets of this session are not taken back")
        case .nothingLeft: self.init(.ticketNotRefundable, "nothing of this order can be given back any more")
        case .tooMuch(let left): self.init(.ticketNotRefundable, "only \(left) in the smallest unit is left of it")
        case .amountNotAllowed: self.init(.validationFailed, "an amount above 0, without tickets, and by staff only")
        }
    }
}
