import Ordering
import Testing

@Suite struct StateTests {
    /// Every legal move of an order; all others are refused.
    private static let orderMoves: [OrderState: [OrderState.Event: OrderState]] = [
        .pending: [.payStarted: .authorizing, .cancelled: .cancelled, .expired: .expired],
        .authorizing: [.declined: .pending, .authorized: .authorized, .abandoned: .expired],
        .authorized: [.confirmed: .confirmed, .cancelled: .cancelled, .abandoned: .expired],
        .confirmed: [.captured: .paid, .captureImpossible: .failed],
    ]

    @Test(arguments: OrderState.allCases)
    func `an order moves only as the table says`(state: OrderState) {
        for event in OrderState.Event.allCases {
            #expect(state.after(event) == Self.orderMoves[state]?[event], "\(state) after \(event)")
        }
        #expect(state.isFinal == (Self.orderMoves[state] == nil))
    }

    private static let paymentMoves: [PaymentState: [PaymentState.Event: PaymentState]] = [
        .authorizing: [.noAnswer: .unknown, .authorized: .authorized, .declined: .failed],
        .unknown: [.noAnswer: .unknown, .authorized: .authorized, .declined: .failed],
        .authorized: [.captureStarted: .capturing, .voidStarted: .voiding, .declined: .failed],
        .capturing: [.captured: .captured, .captureImpossible: .failed],
        .voiding: [.voided: .voided],
    ]

    @Test(arguments: PaymentState.allCases)
    func `a payment moves only as the table says`(state: PaymentState) {
        for event in PaymentState.Event.allCases {
            #expect(state.after(event) == Self.paymentMoves[state]?[event], "\(state) after \(event)")
        }
        #expect(state.isOpen == (Self.paymentMoves[state] != nil))
    }
}
