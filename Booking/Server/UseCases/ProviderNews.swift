import Logging
import Ordering
import Payments

/// What the provider tells unasked. An event is a hint: how a payment stands is asked, never taken from an event that may
/// be old; refunds and disputes, whose words only go one way, are taken as told. All of it goes through the same sagas
/// as replies do.
struct ProviderNews: Sendable {
    let orders: any OrderStore
    let saga: PaySaga
    let refunds: any RefundStore
    let refunding: Refunding
    let events: any ProviderEventStore
    let projector: SeatProjector
    let clock: Clock
    let logger: Logger

    /// Remembers an event before anything is done about it; then does it. What tells nothing new leaves no trace.
    func receive(_ event: ProviderEvent, body: [UInt8]) async throws(StoreFailure) {
        guard try await !isNoNews(event) else { return }
        CrashPoint.before(.event)
        let isNew = try await events.receive(event.id, body: body)
        CrashPoint.after(.event)
        guard isNew else { return }
        try await handle(event)
    }

    /// One of the events that were not finished with.
    func resume(_ id: String, body: [UInt8], isOver: Bool) async throws(StoreFailure) {
        guard let event = ProviderEvent(body) else { return try await events.markHandled(id) }
        guard isOver else { return try await handle(event) }
        logger.error("event given up", metadata: ["event.id": "\(id)", "event.type": "\(event.type)"])
        try await events.markHandled(id)
    }

    private func handle(_ event: ProviderEvent) async throws(StoreFailure) {
        // What nobody here knows yet may be known in a moment: it stays, and is looked at again.
        guard try await isDone(event) else { return }
        CrashPoint.before(.eventHandled)
        try await events.markHandled(event.id)
        CrashPoint.after(.eventHandled)
    }

    /// The usual case by far: it tells of what our own call did.
    private func isNoNews(_ event: ProviderEvent) async throws(StoreFailure) -> Bool {
        guard let state = event.state else { return event.refund == nil && event.dispute == nil }
        if let id = state.payment, saga.isDriving(id) { return true }
        guard let payment = try await payment(of: state) else { return false }
        return !Self.isNews(state, payment)
    }

    private func payment(of state: ProviderState) async throws(StoreFailure) -> Payment? {
        if let id = state.payment { return try await orders.payment(id) }
        return try await orders.payment(withReference: state.reference)
    }

    private static func isNews(_ state: ProviderState, _ payment: Payment) -> Bool {
        switch (payment.state, state.status) {
        case (.captured, _): false
        case (.capturing, .requiresCapture), (.capturing, .requiresAction), (.voiding, .requiresCapture),
            (.voiding, .requiresAction), (.requiresAction, .requiresAction):
            false
        case (.failed, .requiresCapture), (.failed, .captured), (.voided, .requiresCapture), (.voided, .captured),
            (.stray, .requiresCapture), (.stray, .captured):
            payment.state != .stray || payment.captured == 0
        case (.failed, _), (.voided, _), (.stray, _): false
        default: true
        }
    }

    /// `false` when it is about something nobody here knows.
    private func isDone(_ event: ProviderEvent) async throws(StoreFailure) -> Bool {
        if let state = event.state {
            guard let payment = try await payment(of: state) else { return false }
            guard Self.isNews(state, payment) else { return true }
            try await saga.look(at: payment.id, reference: state.reference)
            return true
        }
        if let refund = event.refund { return try await take(refund) }
        guard let dispute = event.dispute else { return true }
        guard let payment = try await orders.payment(withReference: dispute.paymentReference) else { return false }
        logger.warning("dispute", metadata: ["payment.id": "\(payment.id)", "status": "\(dispute.status.rawValue)"])
        CrashPoint.before(.disputed)
        try await refunds.recordDispute(dispute, of: payment)
        CrashPoint.after(.disputed)
        projector.kick()
        return true
    }

    private func take(_ state: ProviderRefund) async throws(StoreFailure) -> Bool {
        if let id = state.refund, let known = try await refunds.refund(id) {
            try await refunding.apply(state, to: known.refund)
            return true
        }
        if let known = try await refunds.refund(withReference: state.reference) {
            try await refunding.apply(state, to: known.refund)
            return true
        }
        guard let payment = try await orders.payment(withReference: state.paymentReference) else { return false }
        guard state.status == .succeeded else { return true }
        logger.error("refund made at the provider", metadata: ["payment.id": "\(payment.id)"])
        CrashPoint.before(.refundedElsewhere)
        try await refunds.recordExternal(clock.makeID(), state, of: payment)
        CrashPoint.after(.refundedElsewhere)
        projector.kick()
        return true
    }
}
