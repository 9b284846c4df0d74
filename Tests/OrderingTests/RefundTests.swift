import Ordering
import Testing

@Suite struct RefundTests {
    private static let now = Moment(milliseconds: 1_000_000)
    private static let begins = now + .seconds(3600)

    private static func ticket(_ number: UInt64, _ state: TicketState = .valid) -> Ticket {
        Ticket(
            id: TicketID(high: 9, low: number),
            order: OrderID(high: 1, low: 1),
            session: SessionID(high: 2, low: 2),
            seat: SeatNumber(number),
            name: "A-1-\(number)",
            number: "T\(number)",
            generation: 1,
            state: state
        )
    }

    /// Two tickets of 50.00 each, paid.
    private static func order(_ change: (inout Order) -> Void = { _ in }) -> Order {
        let id = OrderID(high: 1, low: 1)
        var payment = Payment(
            id: PaymentID(high: 3, low: 3),
            order: id,
            session: SessionID(high: 2, low: 2),
            attempt: 1,
            state: .captured,
            amount: Money(10_000, "EUR"),
            method: "pm_card_visa",
            reference: "pi_1",
            declineCode: nil,
            startedAt: now
        )
        payment.captured = 10_000
        var order = Order(
            id: id,
            session: SessionID(high: 2, low: 2),
            account: AccountID(high: 4, low: 4),
            hold: HoldID(high: 5, low: 5),
            state: .paid,
            total: Money(10_000, "EUR"),
            createdAt: now,
            deadline: now,
            items: (1...2).map { OrderItem(seat: $0, name: "A-1-\($0)", area: "Hall", price: Money(5000, "EUR")) },
            payment: payment,
            tickets: [ticket(1), ticket(2)]
        )
        change(&order)
        return order
    }

    private static func plan(_ wish: RefundWish, _ order: Order) throws(RefundRefusal) -> Refund {
        try RefundRules.plan(
            wish,
            as: RefundID(high: 7, low: 7),
            of: order,
            sessionStart: begins,
            kind: .buyer,
            at: now
        )
    }

    @Test(arguments: [
        (Int64(5000), Int64(0), 0, Int64(0)), (5000, 250, 0, 250), (5000, 0, 250, 125), (5000, 100, 1000, 600),
        (333, 0, 1000, 33), (335, 0, 1000, 34), (5000, 9000, 0, 5000), (0, 100, 100, 0),
    ])
    func `a fee is fixed plus a share, rounded, and never more than the price`(
        price: Int64,
        fixed: Int64,
        points: Int,
        fee: Int64
    ) {
        #expect(RefundTerms(feeFixed: fixed, feeBasisPoints: points).fee(on: price) == fee)
    }

    @Test func `a buyer gets the price less the fee, staff and cancelled sessions give all of it`() throws {
        let order = Self.order { $0.refundTerms = RefundTerms(feeFixed: 200) }
        let mine = try Self.plan(RefundWish(tickets: [TicketID(high: 9, low: 1)], reason: "ill"), order)
        #expect(mine.amount == Money(4800, "EUR") && mine.fee == 200 && mine.state == .submitting)
        let all = try Self.plan(RefundWish(reason: "ill", isByStaff: true), order)
        #expect(all.amount == Money(10_000, "EUR") && all.fee == 0 && all.shares.count == 2)
        #expect(all.paymentReference == "pi_1")
    }

    @Test func `where somebody has to agree a refund waits`() throws {
        let order = Self.order { $0.refundTerms.mode = .staff }
        #expect(try Self.plan(RefundWish(reason: ""), order).state == .requested)
        #expect(try Self.plan(RefundWish(reason: "", isByStaff: true), order).state == .submitting)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: RefundRefusal
        var wish = RefundWish(reason: "")
        var change: @Sendable (inout Order) -> Void = { _ in }
    }

    static let refused: [Refused] = [
        Refused(testDescription: "not paid", refusal: .orderState(.pending), change: { $0.state = .pending }),
        Refused(testDescription: "refunded before", refusal: .orderState(.refunded), change: { $0.state = .refunded }),
        Refused(testDescription: "disputed", refusal: .disputed, change: { $0.isDisputed = true }),
        Refused(
            testDescription: "not taken back",
            refusal: .notOffered,
            change: { $0.refundTerms.mode = .none }
        ),
        Refused(
            testDescription: "too late",
            refusal: .windowOver,
            change: { $0.refundTerms.until = RefundTests.now }
        ),
        Refused(
            testDescription: "a stranger's ticket",
            refusal: .unknownTicket,
            wish: RefundWish(tickets: [TicketID(high: 9, low: 3)], reason: "")
        ),
        Refused(
            testDescription: "a ticket named twice",
            refusal: .unknownTicket,
            wish: RefundWish(tickets: [TicketID(high: 9, low: 1), TicketID(high: 9, low: 1)], reason: "")
        ),
        Refused(
            testDescription: "no ticket",
            refusal: .unknownTicket,
            wish: RefundWish(tickets: [], reason: "")
        ),
        Refused(
            testDescription: "a used ticket",
            refusal: .ticketState(.checkedIn),
            wish: RefundWish(tickets: [TicketID(high: 9, low: 1)], reason: ""),
            change: { $0.tickets[0].state = .checkedIn }
        ),
        Refused(
            testDescription: "an amount by a buyer",
            refusal: .amountNotAllowed,
            wish: RefundWish(amount: 100, reason: "")
        ),
        Refused(
            testDescription: "a negative amount",
            refusal: .amountNotAllowed,
            wish: RefundWish(amount: -1, reason: "", isByStaff: true)
        ),
        Refused(
            testDescription: "more than was paid",
            refusal: .tooMuch(left: 10_000),
            wish: RefundWish(amount: 10_001, reason: "", isByStaff: true)
        ),
        Refused(
            testDescription: "everything is in refunds",
            refusal: .nothingLeft,
            change: { $0.tickets = [] }
        ),
    ]

    @Test(arguments: refused) func `T8 a refund is refused`(case refused: Refused) {
        let order = Self.order(refused.change)
        #expect(throws: refused.refusal) { try Self.plan(refused.wish, order) }
    }

    @Test func `T8 what is under way or was given back is not given back again`() throws {
        var order = Self.order()
        var first = try Self.plan(RefundWish(amount: 7000, reason: "", isByStaff: true), order)
        for state in [RefundState.submitting, .pending, .succeeded, .requested, .settledManually] {
            first.state = state
            order.refunds = [first]
            #expect(throws: RefundRefusal.tooMuch(left: 3000)) {
                try Self.plan(RefundWish(amount: 3001, reason: "", isByStaff: true), order)
            }
            let rest = try Self.plan(RefundWish(reason: "", isByStaff: true), order)
            #expect(rest.amount.amountMinor == 3000)
        }
        for state in [RefundState.failed, .rejected] {
            first.state = state
            order.refunds = [first]
            #expect(try Self.plan(RefundWish(reason: "", isByStaff: true), order).amount.amountMinor == 10_000)
        }
    }

    @Test func `tickets of an order that cost nothing are given back without money`() throws {
        let order = Self.order { order in
            order.total = Money(0, "EUR")
            order.payment = nil
            for index in order.items.indices { order.items[index].price = Money(0, "EUR") }
        }
        let refund = try Self.plan(RefundWish(reason: ""), order)
        #expect(refund.amount.amountMinor == 0 && refund.payment == nil && refund.shares.count == 2)
        #expect(RefundSaga().next(refund) == .finish)
    }

    @Test(arguments: [
        (RefundState.submitting, ProviderRefund.Status.pending, true), (.submitting, .succeeded, true),
        (.submitting, .failed, true), (.pending, .succeeded, true), (.pending, .failed, true),
        (.succeeded, .failed, true), (.succeeded, .pending, false), (.succeeded, .succeeded, false),
        (.failed, .succeeded, false), (.rejected, .succeeded, false), (.settledManually, .succeeded, false),
    ])
    func `T17 what the provider says of a refund counts once, in any order`(
        state: RefundState,
        status: ProviderRefund.Status,
        counts: Bool
    ) throws {
        var refund = try Self.plan(RefundWish(reason: ""), Self.order())
        refund.state = state
        let told = ProviderRefund(
            reference: "re_1",
            paymentReference: "pi_1",
            status: status,
            amount: refund.amount,
            refund: refund.id,
            failureCode: nil
        )
        #expect((RefundSaga().observed(told, refund: refund) != .done) == counts)
        var other = told
        other.amount.amountMinor += 1
        guard case .stuck = RefundSaga().observed(other, refund: refund) else {
            Issue.record("another amount went unnoticed")
            return
        }
    }

    @Test(arguments: [
        ("EUR", Int64(9500), "95.00"), ("EUR", 5, "0.05"), ("JPY", 5000, "5000"), ("JPY", 0, "0"),
        ("KWD", 1500, "1.500"), ("EUR", -250, "-2.50"),
    ])
    func `T35 an amount has the decimals of its currency`(currency: String, amount: Int64, text: String) {
        #expect(Currency.text(Money(amount, currency)) == text)
    }

    @Test(arguments: [
        ("JPY", Int64(49), true), ("JPY", 50, false), ("EUR", 49, true), ("EUR", 50, false), ("GBP", 30, false),
        ("HUF", 17_499, true), ("EUR", 0, false), ("XYZ", 49, true),
    ])
    func `T35 too little to be charged is known before it is tried`(currency: String, amount: Int64, isTooLittle: Bool)
    {
        #expect(Money(amount, currency).isBelowMinimum == isTooLittle)
    }
}
