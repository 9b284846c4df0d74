import Ordering
import Testing

@Suite struct StateTests {
    /// Every legal move of an order; all others are refused.
    private static let orderMoves: [OrderState: [OrderState.Event: OrderState]] = [
        .processing: [.claimed: .pending, .refused: .failed, .cancelled: .cancelled],
        .pending: [
            .payStarted: .authorizing, .paidNothing: .paid, .authorized: .authorized, .cancelled: .cancelled,
            .expired: .expired,
        ],
        .authorizing: [
            .declined: .pending, .authorized: .authorized, .abandoned: .expired, .cancelled: .cancelled,
        ],
        .authorized: [.confirmed: .confirmed, .cancelled: .cancelled, .abandoned: .expired],
        .confirmed: [.captured: .paid, .captureImpossible: .failed],
        .paid: [.refundedInPart: .partiallyRefunded, .refundedWhole: .refunded, .chargedBack: .chargedBack],
        .partiallyRefunded: [
            .refundedInPart: .partiallyRefunded, .refundedWhole: .refunded, .chargedBack: .chargedBack,
        ],
        .expired: [.revived: .authorized],
    ]

    @Test(arguments: OrderState.allCases)
    func `an order moves only as the table says`(state: OrderState) {
        for event in OrderState.Event.allCases {
            #expect(state.after(event) == Self.orderMoves[state]?[event], "\(state) after \(event)")
        }
    }

    @Test func `an order that waits for something is not final`() {
        let open = OrderState.allCases.filter { !$0.isFinal }
        #expect(open == [.processing, .pending, .authorizing, .authorized, .confirmed])
    }

    private static let paymentMoves: [PaymentState: [PaymentState.Event: PaymentState]] = [
        .authorizing: [
            .noAnswer: .unknown, .actionRequired: .requiresAction, .authorized: .authorized, .declined: .failed,
            .captured: .captured, .voidStarted: .voiding, .moneyAppeared: .stray,
        ],
        .requiresAction: [
            .actionRequired: .requiresAction, .actionFinished: .authorizing, .authorized: .authorized,
            .declined: .failed, .captured: .captured, .voidStarted: .voiding, .moneyAppeared: .stray,
        ],
        .unknown: [
            .noAnswer: .unknown, .actionRequired: .requiresAction, .authorized: .authorized, .declined: .failed,
            .captured: .captured, .voidStarted: .voiding, .moneyAppeared: .stray,
        ],
        .authorized: [.captureStarted: .capturing, .voidStarted: .voiding, .declined: .failed],
        .capturing: [.captured: .captured, .captureImpossible: .failed, .moneyAppeared: .stray],
        .voiding: [.voided: .voided, .declined: .voided, .moneyAppeared: .stray],
        .failed: [.moneyAppeared: .stray, .adopted: .authorized],
        .voided: [.moneyAppeared: .stray, .adopted: .authorized],
        .stray: [.voided: .voided, .moneyAppeared: .stray, .adopted: .authorized],
    ]

    @Test(arguments: PaymentState.allCases)
    func `a payment moves only as the table says`(state: PaymentState) {
        for event in PaymentState.Event.allCases {
            #expect(state.after(event) == Self.paymentMoves[state]?[event], "\(state) after \(event)")
        }
    }

    @Test func `money is on its way exactly in the live states`() {
        #expect(PaymentState.allCases.filter { !$0.isLive } == [.failed, .voided, .stray])
        #expect(PaymentState.allCases.filter { $0.isLive && !$0.isOpen } == [.captured])
    }

    private static let ticketMoves: [TicketState: [TicketState.Event: TicketState]] = [
        .pending: [.captured: .valid, .voided: .void],
        .valid: [
            .checkedIn: .checkedIn, .reissued: .valid, .refundRequested: .refundPending, .suspended: .suspended,
            .voided: .void, .ended: .expired,
        ],
        .checkedIn: [
            .checkInUndone: .valid, .checkedOut: .checkedOut, .refundRequested: .refundPending,
            .suspended: .suspended, .voided: .void,
        ],
        .checkedOut: [.checkedIn: .checkedIn, .voided: .void],
        .suspended: [.voided: .void],
        .refundPending: [.refundSucceeded: .void, .voided: .void],
    ]

    @Test(arguments: TicketState.allCases)
    func `a ticket moves only as the table says`(state: TicketState) {
        for event in TicketState.Event.allCases {
            #expect(state.after(event) == Self.ticketMoves[state]?[event], "\(state) after \(event)")
        }
        let restorable = TicketState.allCases.filter { state.mayRestore($0) }
        #expect(restorable == (state == .suspended || state == .refundPending ? [.valid, .checkedIn] : []))
    }

    private static let refundMoves: [RefundState: [RefundState.Event: RefundState]] = [
        .requested: [.rejected: .rejected, .submitted: .submitting],
        .submitting: [.accepted: .pending, .succeeded: .succeeded, .failed: .failed],
        .pending: [.accepted: .pending, .succeeded: .succeeded, .failed: .failed],
        .succeeded: [.failed: .failed],
        .failed: [.submitted: .submitting, .settledManually: .settledManually],
    ]

    @Test(arguments: RefundState.allCases)
    func `a refund moves only as the table says`(state: RefundState) {
        for event in RefundState.Event.allCases {
            #expect(state.after(event) == Self.refundMoves[state]?[event], "\(state) after \(event)")
        }
    }
}
