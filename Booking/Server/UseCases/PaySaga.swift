import Logging
import Operations
import Ordering

/// Carries the pay saga out: ask the rules for the next step, do it, record it, repeat. The rules see stored facts only,
/// so a process that finds a saga half done goes on exactly where the last one stopped.
struct PaySaga: Sendable {
    let rules: PaymentSaga
    let orders: any OrderStore
    let provider: any PaymentProvider
    let projector: SeatProjector
    let health: ProviderHealth
    let clock: Clock
    let retryWindow: Duration
    let logger: Logger

    /// Steps of one drive; a saga needs three.
    private static let stepsMax = 12

    /// Drives the saga until it is done or has to wait. A failure leaves it to the rescuer.
    func drive(_ work: SagaWork) async {
        do {
            try await advance(work)
        } catch {
            logger.warning(
                "saga interrupted",
                metadata: ["payment.id": "\(work.payment.id)", "error": "\(error)"]
            )
        }
    }

    private func advance(_ work: SagaWork) async throws(StoreFailure) {
        var work = work
        for _ in 0..<Self.stepsMax {
            guard let answer = await call(rules.next(work.payment.state), work.payment) else { return }
            health.record(answer)
            let step = rules.react(to: answer, payment: work.payment, order: work.orderState, at: clock.now())
            guard let next = try await record(step, work) else { return }
            work = next
        }
        try await orders.postpone(work.payment.id, by: rules.retryDelay)
    }

    /// The provider call of a step; `nil` when there is nothing left to do.
    private func call(_ step: PaymentSaga.Step, _ payment: Payment) async -> ProviderAnswer? {
        switch step {
        case .authorize:
            CrashPoint.reach("authorize.before")
            defer { CrashPoint.reach("authorize.after") }
            return await provider.authorize(payment)
        case .capture:
            CrashPoint.reach("capture.before")
            defer { CrashPoint.reach("capture.after") }
            return await provider.capture(payment)
        case .void:
            CrashPoint.reach("void.before")
            defer { CrashPoint.reach("void.after") }
            return await provider.void(payment)
        default:
            return nil
        }
    }

    /// Writes a step's result down; the facts to go on with, or `nil` when the drive ends here.
    private func record(_ step: PaymentSaga.Step, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        let payment = work.payment
        var next = work
        switch step {
        case .confirm(let state): return try await confirm(state, work)
        case .beginVoid(let reference):
            try await orders.beginVoid(payment.id, reference: reference)
            projector.kick()
            next.payment.state = .voiding
            next.payment.reference = reference
            return next
        case .recordDeclined(let code, let reference):
            try await orders.recordDeclined(payment.id, code: code, reference: reference, retryWindow: retryWindow)
        case .recordCaptured(let money):
            try await orders.recordCaptured(payment.id, amount: money)
            CrashPoint.reach("captured.after")
            projector.kick()
        case .recordCaptureImpossible(let code):
            try await orders.recordCaptureImpossible(payment.id, code: code)
            projector.kick()
        case .recordVoided: try await orders.recordVoided(payment.id)
        case .wait(let delay): try await wait(payment, delay)
        case .stuck(let reason, let delay):
            logger.error("saga stuck", metadata: ["payment.id": "\(payment.id)", "reason": "\(reason)"])
            try await orders.postpone(payment.id, by: delay)
        case .authorize, .capture, .void: return next
        case .done: break
        }
        return nil
    }

    private func confirm(_ state: ProviderState, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        CrashPoint.reach("confirm.before")
        var next = work
        next.payment.reference = state.reference
        guard let order = try await orders.order(work.payment.order) else { return nil }
        let confirmation = Confirmation(
            payment: work.payment.id,
            reference: state.reference,
            authorized: state.amount,
            tickets: order.items.map { _ in NewTicket(id: clock.makeID(), number: TicketNumber.random()) }
        )
        switch try await orders.confirm(confirmation) {
        case .confirmed, .alreadyConfirmed:
            CrashPoint.reach("confirm.after")
            projector.kick()
            next.payment.state = .capturing
            next.orderState = .confirmed
        case .refused(let orderState):
            try await orders.beginVoid(work.payment.id, reference: state.reference)
            projector.kick()
            next.payment.state = .voiding
            next.orderState = orderState
        }
        return next
    }

    private func wait(_ payment: Payment, _ delay: Duration) async throws(StoreFailure) {
        switch payment.state {
        case .authorizing, .unknown: try await orders.recordNoAnswer(payment.id, retryAfter: delay)
        default: try await orders.postpone(payment.id, by: delay)
        }
    }
}
