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
    let owner: String
    let lease: Duration
    /// Money that was not where it should be.
    let anomalies: Counter
    let logger: Logger
    private let driven = DrivenPayments()

    /// Steps of one drive; a saga needs three.
    private static let stepsMax = 12

    /// Drives the saga until it is done or has to wait. A failure leaves it to the rescuer.
    func drive(_ work: SagaWork) async {
        driven.add(work.payment.id)
        defer { driven.remove(work.payment.id) }
        await guarded(work.payment) { () async throws(StoreFailure) in try await advance(work) }
    }

    /// Whether a drive of this process is about to hear from the provider how the payment stands.
    func isDriving(_ payment: PaymentID) -> Bool { driven.contains(payment) }

    /// Something is said to have happened at the provider: asks how the payment stands and goes on from there, unless
    /// somebody works on it already. `reference` is the provider's id, in case it is not known yet.
    func look(at payment: PaymentID, reference: String?) async throws(StoreFailure) {
        guard let work = try await orders.leaseSaga(payment, reference: reference, owner: owner, lease: lease) else {
            return
        }
        await guarded(work.payment) { () async throws(StoreFailure) in
            guard work.payment.reference != nil else { return try await advance(work) }
            CrashPoint.before(.look)
            let answer = await provider.state(of: work.payment)
            CrashPoint.after(.look)
            health.record(answer)
            let step = rules.react(to: answer, work, at: clock.now())
            guard let next = try await record(step, work) else { return }
            try await advance(next)
        }
    }

    private func guarded(_ payment: Payment, _ body: () async throws(StoreFailure) -> Void) async {
        do {
            try await body()
        } catch {
            logger.warning("saga interrupted", metadata: ["payment.id": "\(payment.id)", "error": "\(error)"])
        }
    }

    private func advance(_ work: SagaWork) async throws(StoreFailure) {
        var work = work
        for _ in 0..<Self.stepsMax {
            guard let answer = await call(rules.next(work.payment), work.payment) else { return }
            health.record(answer)
            let step = rules.react(to: answer, work, at: clock.now())
            guard let next = try await record(step, work) else { return }
            work = next
        }
        try await postpone(work.payment, by: rules.retryDelay)
    }

    /// The provider call of a step; `nil` when there is nothing left to do.
    private func call(_ step: PaymentSaga.Step, _ payment: Payment) async -> ProviderAnswer? {
        switch step {
        case .authorize:
            CrashPoint.before(.authorize)
            defer { CrashPoint.after(.authorize) }
            return await provider.authorize(payment)
        case .look:
            CrashPoint.before(.look)
            defer { CrashPoint.after(.look) }
            return await provider.state(of: payment)
        case .capture:
            CrashPoint.before(.capture)
            defer { CrashPoint.after(.capture) }
            return await orLook(await provider.capture(payment), payment)
        case .void:
            CrashPoint.before(.void)
            defer { CrashPoint.after(.void) }
            return await orLook(await provider.void(payment), payment)
        default:
            return nil
        }
    }

    /// A provider may keep a failure as the answer to a key: how the payment stands is then the better answer, as long
    /// as the call has had its effect.
    private func orLook(_ answer: ProviderAnswer, _ payment: Payment) async -> ProviderAnswer {
        guard case .unknown = answer else { return answer }
        CrashPoint.before(.lookAgain)
        let stands = await provider.state(of: payment)
        CrashPoint.after(.lookAgain)
        guard case .state(let state) = stands else { return answer }
        let hasEffect = [.captured, .cancelled, .requiresPaymentMethod].contains(state.status)
        return hasEffect ? .state(state) : answer
    }

    /// Writes a step's result down; the facts to go on with, or `nil` when the drive ends here.
    private func record(_ step: PaymentSaga.Step, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        switch step {
        case .confirm(let state): return try await confirm(state, work)
        case .adopt(let state): return try await adopt(state, work)
        case .beginVoid(let reference, let then, let endsNow):
            return try await beginVoid(work, reference: reference, then: then, endsNow: endsNow)
        case .recordStray(let state): return try await recordStray(state, work)
        case .authorize, .look, .capture, .void: return work
        case .done: return nil
        default:
            try await finish(step, work.payment)
            return nil
        }
    }

    /// Steps after which the drive has nothing more to do.
    private func finish(_ step: PaymentSaga.Step, _ payment: Payment) async throws(StoreFailure) {
        // From here on only what the provider tells can move a payment that is not captured.
        if case .recordCaptured = step {} else { driven.remove(payment.id) }
        switch step {
        case .awaitAction(let state, let delay):
            CrashPoint.before(.action)
            try await orders.recordAction(payment.id, state.action, reference: state.reference, lookAfter: delay)
            CrashPoint.after(.action)
        case .recordDeclined(let code, let reference, let counts):
            CrashPoint.before(.declined)
            try await orders.recordDeclined(
                payment.id,
                code: code,
                reference: reference,
                counts: counts,
                retryWindow: retryWindow
            )
            CrashPoint.after(.declined)
        case .recordCaptured(let money):
            CrashPoint.before(.captured)
            try await orders.recordCaptured(payment.id, amount: money)
            CrashPoint.after(.captured)
        case .recordCaptureImpossible(let code):
            CrashPoint.before(.impossible)
            try await orders.recordCaptureImpossible(payment.id, code: code)
            CrashPoint.after(.impossible)
        case .recordVoided:
            CrashPoint.before(.voided)
            try await orders.recordVoided(payment.id, retryWindow: retryWindow)
            CrashPoint.after(.voided)
        case .wait(let delay): try await wait(payment, delay)
        case .stuck(let reason, let delay):
            logger.error("saga stuck", metadata: ["payment.id": "\(payment.id)", "reason": "\(reason)"])
            CrashPoint.before(.stuck)
            try await orders.markStuck(payment.id, reason: reason, delay: delay)
            CrashPoint.after(.stuck)
        default: return
        }
        projector.kick()
    }

    private func confirm(_ state: ProviderState, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        CrashPoint.before(.confirm)
        var next = work
        next.payment.reference = state.reference
        let isTaken = state.status == .captured
        let confirmation = Confirmation(
            payment: work.payment.id,
            reference: state.reference,
            authorized: isTaken ? Money(state.captured, state.amount.currency) : state.amount,
            tickets: (0..<work.payment.seatCount).map { _ in
                NewTicket(id: clock.makeID(), number: TicketNumber.random())
            }
        )
        switch try await orders.confirm(confirmation) {
        case .confirmed, .alreadyConfirmed:
            CrashPoint.after(.confirm)
            projector.kick()
            next.payment.state = .capturing
            next.orderState = .confirmed
            guard isTaken else { return next }
            // A method that knows no reservation: the money is there already.
            return try await record(rules.observed(state, next, at: clock.now()), next)
        case .refused(let orderState):
            next.orderState = orderState
            if isTaken { return try await recordStray(state, next) }
            guard let order = try await orders.order(work.payment.order) else { return nil }
            let end: OrderState = order.isCancelRequested ? .cancelled : .expired
            return try await beginVoid(next, reference: state.reference, then: end, endsNow: true)
        }
    }

    private func beginVoid(
        _ work: SagaWork,
        reference: String,
        then: OrderState,
        endsNow: Bool
    ) async throws(StoreFailure) -> SagaWork? {
        var next = work
        CrashPoint.before(.voiding)
        try await orders.beginVoid(work.payment.id, reference: reference, then: then, endsNow: endsNow)
        CrashPoint.after(.voiding)
        projector.kick()
        next.payment.state = .voiding
        next.payment.reference = reference
        if endsNow { next.orderState = then }
        return next
    }

    /// Money of an attempt that had ended: its order goes on with it, or it goes back.
    private func adopt(_ state: ProviderState, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        CrashPoint.before(.adopt)
        let isAdopted = try await orders.adopt(
            work.payment.id,
            reference: state.reference,
            reclaim: rules.latePayment == .reclaim
        )
        CrashPoint.after(.adopt)
        guard isAdopted else { return try await recordStray(state, work) }
        anomaly("an attempt came through after it was given up", work.payment)
        projector.kick()
        var next = work
        next.payment.state = .authorized
        next.payment.reference = state.reference
        next.orderState = .authorized
        return next
    }

    private func recordStray(_ state: ProviderState, _ work: SagaWork) async throws(StoreFailure) -> SagaWork? {
        let taken = state.status == .captured ? state.captured : 0
        anomaly("the provider has money that no order can use", work.payment)
        CrashPoint.before(.stray)
        try await orders.recordStray(
            work.payment.id,
            reference: state.reference,
            captured: Money(taken, state.amount.currency),
            retryWindow: retryWindow
        )
        CrashPoint.after(.stray)
        projector.kick()
        guard taken == 0 else { return nil }
        var next = work
        next.payment.state = .stray
        next.payment.reference = state.reference
        return next
    }

    private func anomaly(_ what: String, _ payment: Payment) {
        anomalies.increment()
        logger.error("payment anomaly", metadata: ["payment.id": "\(payment.id)", "reason": "\(what)"])
    }

    private func wait(_ payment: Payment, _ delay: Duration) async throws(StoreFailure) {
        switch payment.state {
        case .authorizing, .unknown:
            CrashPoint.before(.unanswered)
            try await orders.recordNoAnswer(payment.id, retryAfter: delay)
            CrashPoint.after(.unanswered)
        default: try await postpone(payment, by: delay)
        }
    }

    private func postpone(_ payment: Payment, by delay: Duration) async throws(StoreFailure) {
        CrashPoint.before(.postponed)
        try await orders.postpone(payment.id, by: delay)
        CrashPoint.after(.postponed)
    }
}
