import Ordering
import Testing

@Suite struct PaymentSagaTests {
    private let saga = PaymentSaga(
        giveUpAfter: .seconds(900),
        actionWindow: .seconds(180),
        retryDelay: .seconds(1),
        lookDelay: .seconds(5),
        stuckDelay: .seconds(60)
    )
    private let start = Moment(milliseconds: 1_000_000)

    private func payment(_ state: PaymentState, reference: String? = nil) -> Payment {
        Payment(
            id: PaymentID(high: 1, low: 2),
            order: OrderID(high: 3, low: 4),
            session: SessionID(high: 5, low: 6),
            attempt: 1,
            state: state,
            amount: Money(5000, "EUR"),
            method: "pm_card_visa",
            reference: reference,
            declineCode: nil,
            startedAt: start
        )
    }

    private func work(_ state: PaymentState, _ order: OrderState, cancelling: Bool = false) -> SagaWork {
        SagaWork(
            payment: payment(state),
            orderState: order,
            isCancelRequested: cancelling,
            deadline: start + .seconds(300)
        )
    }

    private func seen(
        _ status: ProviderState.Status,
        amount: Int64 = 5000,
        currency: String = "EUR",
        captured: Int64? = nil
    ) -> ProviderState {
        ProviderState(
            reference: "pi_1",
            status: status,
            amount: Money(amount, currency),
            captured: captured ?? (status == .captured ? amount : 0),
            payment: nil,
            declineCode: nil
        )
    }

    @Test(arguments: [
        (PaymentState.authorizing, false, PaymentSaga.Step.authorize), (.unknown, false, .authorize),
        (.unknown, true, .look), (.authorized, true, .look), (.requiresAction, true, .look),
        (.capturing, true, .capture), (.voiding, true, .void), (.stray, true, .void), (.captured, true, .done),
        (.failed, true, .done), (.voided, true, .done),
    ])
    func `the stored facts alone say what to do next`(state: PaymentState, isKnown: Bool, step: PaymentSaga.Step) {
        #expect(saga.next(payment(state, reference: isKnown ? "pi_1" : nil)) == step)
    }

    @Test(arguments: [OrderState.authorizing, .authorized])
    func `a reservation for a waiting order is confirmed`(order: OrderState) {
        for state in [PaymentState.authorizing, .unknown, .requiresAction, .authorized] {
            let step = saga.observed(seen(.requiresCapture), work(state, order), at: start)
            #expect(step == .confirm(seen(.requiresCapture)))
        }
    }

    @Test(arguments: [OrderState.pending, .cancelled, .expired, .failed, .paid, .confirmed])
    func `T20 a reservation nobody waits for is given back`(order: OrderState) {
        let step = saga.observed(seen(.requiresCapture), work(.unknown, order), at: start)
        #expect(step == .beginVoid(reference: "pi_1", then: .expired, endsNow: true))
    }

    @Test(arguments: [seen2(4999, "EUR"), seen2(5001, "EUR"), seen2(5000, "USD")])
    func `T20 a reservation of another amount or currency is given back`(state: ProviderState) {
        let step = saga.observed(state, work(.authorizing, .authorizing), at: start)
        #expect(step == .beginVoid(reference: "pi_1", then: .expired, endsNow: true))
    }

    private static func seen2(_ amount: Int64, _ currency: String) -> ProviderState {
        ProviderState(
            reference: "pi_1",
            status: .requiresCapture,
            amount: Money(amount, currency),
            captured: 0,
            payment: nil,
            declineCode: nil
        )
    }

    @Test func `T27 an answer after the time to give up is given back`() {
        let late = start + .seconds(900)
        let step = saga.observed(seen(.requiresCapture), work(.unknown, .authorizing), at: late)
        #expect(step == .beginVoid(reference: "pi_1", then: .expired, endsNow: true))
    }

    @Test func `T6 a cancelled order is not paid for, whatever comes first`() {
        let asked = work(.authorizing, .authorizing, cancelling: true)
        #expect(
            saga.observed(seen(.requiresCapture), asked, at: start)
                == .beginVoid(reference: "pi_1", then: .cancelled, endsNow: true)
        )
        #expect(
            saga.observed(seen(.requiresAction), asked, at: start)
                == .beginVoid(reference: "pi_1", then: .cancelled, endsNow: false)
        )
        #expect(saga.observed(seen(.captured), asked, at: start) == .recordStray(seen(.captured)))
    }

    @Test func `a buyer has until the order is due to do what the bank asks`() {
        let waiting = work(.requiresAction, .authorizing)
        #expect(
            saga.observed(seen(.requiresAction), waiting, at: start + .seconds(299))
                == .awaitAction(seen(.requiresAction), .seconds(5))
        )
        #expect(
            saga.observed(seen(.requiresAction), waiting, at: start + .seconds(300))
                == .beginVoid(reference: "pi_1", then: .expired, endsNow: false)
        )
        var hurried = waiting
        hurried.deadline = start
        #expect(
            saga.observed(seen(.requiresAction), hurried, at: start + .seconds(179))
                == .awaitAction(seen(.requiresAction), .seconds(5))
        )
    }

    @Test(arguments: [ProviderAnswer.notSent("refused"), .unknown("time-out")])
    func `without an answer nothing is decided`(answer: ProviderAnswer) {
        for state in [PaymentState.authorizing, .unknown, .requiresAction, .capturing, .voiding, .stray] {
            #expect(saga.react(to: answer, work(state, .authorizing), at: start) == .wait(.seconds(1)))
        }
    }

    @Test(arguments: [
        (
            PaymentState.authorizing,
            PaymentSaga.Step.recordDeclined(code: "generic_decline", reference: nil, counts: true)
        ),
        (.unknown, .recordDeclined(code: "generic_decline", reference: nil, counts: true)),
        (.capturing, .recordCaptureImpossible(code: "generic_decline")),
        (.captured, .done),
    ])
    func `a decline frees the order before the point of no return and fails it after`(
        state: PaymentState,
        step: PaymentSaga.Step
    ) {
        let answer = ProviderAnswer.declined(code: "generic_decline", reference: nil)
        #expect(saga.react(to: answer, work(state, .authorizing), at: start) == step)
    }

    @Test(arguments: [("resource_missing", false), ("amount_too_small", true)])
    func `a method that does not exist is no attempt`(code: String, counts: Bool) {
        let answer = ProviderAnswer.refused(code: code, message: "")
        let step = saga.react(to: answer, work(.authorizing, .authorizing), at: start)
        #expect(step == .recordDeclined(code: code, reference: nil, counts: counts))
    }

    @Test func `after the point of no return the saga only goes forward`() {
        let capturing = work(.capturing, .confirmed)
        let late = start + .seconds(86_400)
        #expect(saga.observed(seen(.requiresCapture), capturing, at: late) == .capture)
        #expect(saga.observed(seen(.captured), capturing, at: late) == .recordCaptured(Money(5000, "EUR")))
        #expect(
            saga.observed(seen(.cancelled), capturing, at: late)
                == .recordCaptureImpossible(code: "authorization_gone")
        )
    }

    @Test func `T20 more than was due is taken in and the difference known, less is never enough`() {
        let capturing = work(.capturing, .confirmed)
        let more = seen(.captured, amount: 6000)
        #expect(saga.observed(more, capturing, at: start) == .recordCaptured(Money(6000, "EUR")))
        for wrong in [seen(.captured, amount: 4000), seen(.captured, currency: "USD")] {
            #expect(saga.observed(wrong, capturing, at: start) == .recordStray(wrong))
            #expect(saga.observed(wrong, work(.authorizing, .authorizing), at: start) == .recordStray(wrong))
        }
    }

    @Test(arguments: [PaymentState.authorizing, .unknown, .requiresAction])
    func `a method that is taken at once is confirmed with its money`(state: PaymentState) {
        let step = saga.observed(seen(.captured), work(state, .authorizing), at: start)
        #expect(step == .confirm(seen(.captured)))
    }

    @Test(arguments: [PaymentState.captured, .failed, .voided])
    func `T17 a repeated or late event changes nothing that is settled`(state: PaymentState) {
        for status in [ProviderState.Status.cancelled, .processing, .requiresPaymentMethod, .requiresAction] {
            #expect(saga.observed(seen(status), work(state, .paid), at: start) == .done)
        }
    }

    @Test(arguments: [PaymentState.failed, .voided], [ProviderState.Status.requiresCapture, .captured])
    func `T20 money that comes after the end`(state: PaymentState, status: ProviderState.Status) {
        let money = seen(status)
        #expect(saga.observed(money, work(state, .pending), at: start) == .adopt(money))
        for order in [OrderState.authorizing, .confirmed, .paid, .cancelled, .failed, .expired, .refunded] {
            #expect(saga.observed(money, work(state, order), at: start) == .recordStray(money))
        }
        var reclaiming = saga
        reclaiming.latePayment = .reclaim
        #expect(reclaiming.observed(money, work(state, .expired), at: start) == .adopt(money))
        let other = seen(status, amount: 4000)
        #expect(reclaiming.observed(other, work(state, .expired), at: start) == .recordStray(other))
        #expect(saga.observed(money, work(state, .pending, cancelling: true), at: start) == .recordStray(money))
    }

    @Test func `T20 a void that was slower than the capture`() {
        #expect(
            saga.observed(seen(.captured), work(.voiding, .authorizing), at: start) == .confirm(seen(.captured))
        )
        for order in [OrderState.expired, .cancelled] {
            #expect(
                saga.observed(seen(.captured), work(.voiding, order), at: start) == .recordStray(seen(.captured))
            )
        }
        #expect(saga.observed(seen(.requiresCapture), work(.voiding, .expired), at: start) == .void)
        #expect(saga.observed(seen(.cancelled), work(.voiding, .expired), at: start) == .recordVoided)
    }

    @Test func `money nobody can use is given back to the end`() {
        #expect(saga.observed(seen(.requiresCapture), work(.stray, .paid), at: start) == .void)
        #expect(saga.observed(seen(.cancelled), work(.stray, .paid), at: start) == .recordVoided)
        #expect(saga.observed(seen(.captured), work(.stray, .paid), at: start) == .recordStray(seen(.captured)))
    }

    @Test(arguments: [
        (PaymentState.authorized, ProviderState.Status.requiresAction), (.authorized, .requiresPaymentMethod),
        (.capturing, .requiresAction), (.capturing, .requiresPaymentMethod), (.capturing, .requiresConfirmation),
    ])
    func `a state that cannot be is shown to a person`(state: PaymentState, status: ProviderState.Status) {
        guard case .stuck = saga.observed(seen(status), work(state, .confirmed), at: start) else {
            Issue.record("\(status) of a payment in \(state) went unnoticed")
            return
        }
    }
}
