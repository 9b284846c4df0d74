import Ordering
import Testing

@Suite struct PaymentSagaTests {
    private let saga = PaymentSaga(giveUpAfter: .seconds(900), retryDelay: .seconds(1), stuckDelay: .seconds(60))
    private let start = Moment(milliseconds: 1_000_000)

    private func payment(_ state: PaymentState) -> Payment {
        Payment(
            id: PaymentID(high: 1, low: 2),
            order: OrderID(high: 3, low: 4),
            session: SessionID(high: 5, low: 6),
            attempt: 1,
            state: state,
            amount: Money(5000, "EUR"),
            method: "pm_card_visa",
            reference: nil,
            declineCode: nil,
            startedAt: start
        )
    }

    private func seen(_ status: ProviderState.Status, amount: Int64 = 5000) -> ProviderState {
        ProviderState(
            reference: "pi_1",
            status: status,
            amount: Money(amount, "EUR"),
            captured: status == .captured ? amount : 0,
            payment: nil,
            declineCode: nil
        )
    }

    @Test(arguments: [
        (PaymentState.authorizing, PaymentSaga.Step.authorize), (.unknown, .authorize), (.authorized, .authorize),
        (.capturing, .capture), (.voiding, .void), (.captured, .done), (.failed, .done), (.voided, .done),
    ])
    func `the stored state alone says what to do next`(state: PaymentState, step: PaymentSaga.Step) {
        #expect(saga.next(state) == step)
    }

    @Test(arguments: [OrderState.authorizing, .authorized])
    func `a reservation for a waiting order is confirmed`(order: OrderState) {
        for state in [PaymentState.authorizing, .unknown, .authorized] {
            let step = saga.observed(seen(.requiresCapture), payment: payment(state), order: order, at: start)
            #expect(step == .confirm(seen(.requiresCapture)))
        }
    }

    @Test(arguments: [OrderState.pending, .cancelled, .expired, .failed, .paid, .confirmed])
    func `a reservation nobody waits for is given back`(order: OrderState) {
        let step = saga.observed(seen(.requiresCapture), payment: payment(.unknown), order: order, at: start)
        #expect(step == .beginVoid(reference: "pi_1"))
    }

    @Test func `a reservation of another amount or after the time to give up is given back`() {
        let wrong = seen(.requiresCapture, amount: 4999)
        #expect(
            saga.observed(wrong, payment: payment(.authorizing), order: .authorizing, at: start)
                == .beginVoid(reference: "pi_1")
        )
        let late = start + .seconds(900)
        #expect(
            saga.observed(seen(.requiresCapture), payment: payment(.unknown), order: .authorizing, at: late)
                == .beginVoid(reference: "pi_1")
        )
    }

    @Test(arguments: [ProviderAnswer.notSent("refused"), .unknown("time-out")])
    func `without an answer nothing is decided`(answer: ProviderAnswer) {
        for state in [PaymentState.authorizing, .unknown, .capturing, .voiding] {
            let step = saga.react(to: answer, payment: payment(state), order: .authorizing, at: start)
            #expect(step == .wait(.seconds(1)))
        }
    }

    @Test(arguments: [
        (PaymentState.authorizing, PaymentSaga.Step.recordDeclined(code: "generic_decline", reference: nil)),
        (.unknown, .recordDeclined(code: "generic_decline", reference: nil)),
        (.capturing, .recordCaptureImpossible(code: "generic_decline")),
        (.captured, .done),
    ])
    func `a decline frees the order before the point of no return and fails it after`(
        state: PaymentState,
        step: PaymentSaga.Step
    ) {
        let answer = ProviderAnswer.declined(code: "generic_decline", reference: nil)
        #expect(saga.react(to: answer, payment: payment(state), order: .authorizing, at: start) == step)
    }

    @Test func `after the point of no return the saga only goes forward`() {
        let capturing = payment(.capturing)
        let late = start + .seconds(86_400)
        #expect(saga.observed(seen(.requiresCapture), payment: capturing, order: .confirmed, at: late) == .capture)
        #expect(
            saga.observed(seen(.captured), payment: capturing, order: .confirmed, at: late)
                == .recordCaptured(Money(5000, "EUR"))
        )
        #expect(
            saga.observed(seen(.cancelled), payment: capturing, order: .confirmed, at: late)
                == .recordCaptureImpossible(code: "authorization_gone")
        )
    }

    @Test(arguments: [PaymentState.captured, .failed, .voided])
    func `a repeated or late event changes nothing that is settled`(state: PaymentState) {
        for status in [ProviderState.Status.cancelled, .processing, .requiresPaymentMethod] {
            #expect(saga.observed(seen(status), payment: payment(state), order: .paid, at: start) == .done)
        }
    }

    @Test(arguments: [PaymentState.failed, .voided])
    func `money that comes after the end is shown to a person`(state: PaymentState) {
        for status in [ProviderState.Status.requiresCapture, .captured] {
            let step = saga.observed(seen(status), payment: payment(state), order: .pending, at: start)
            guard case .stuck = step else {
                Issue.record("money that came late went unnoticed: \(step)")
                continue
            }
        }
    }

    @Test func `money taken where none should be is shown to a person`() {
        for state in [PaymentState.authorizing, .voiding] {
            guard case .stuck = saga.observed(seen(.captured), payment: payment(state), order: .expired, at: start)
            else {
                Issue.record("a capture of a payment in \(state) went unnoticed")
                continue
            }
        }
    }
}
