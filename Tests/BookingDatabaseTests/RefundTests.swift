import BookingDatabase
import Events
import Ordering
import Postgres
import TestSupport
import Testing

/// Refunds and disputes against a real database: what each leaves behind.
@Suite struct RefundTests {
    private struct Bought {
        let order: NewOrder
        let payment: Payment
        let tickets: [Ticket]
    }

    private static func buy(_ seats: [SeatNumber], _ booking: Booking) async throws -> Bought {
        let new = try await booking.buy(seats)
        let order = try #require(try await booking.orders.order(new.id))
        return Bought(order: new, payment: try #require(order.payment), tickets: order.tickets)
    }

    private static func request(
        _ wish: RefundWish,
        _ id: OrderID,
        _ booking: Booking,
        as refund: RefundID = .fresh()
    ) async throws -> (Refund, RefundRequest) {
        let order = try #require(try await booking.orders.order(id))
        let plan = try RefundRules.plan(
            wish,
            as: refund,
            of: order,
            sessionStart: Moment(milliseconds: .max / 2),
            kind: .buyer,
            at: Booking.now
        )
        let outcome = try await booking.refunds.request(
            plan,
            isForced: wish.isForced,
            by: order.account,
            owner: "t",
            lease: .seconds(10)
        )
        return (plan, outcome)
    }

    private static func states(_ id: OrderID, _ booking: Booking) async throws -> (OrderState, [TicketState]) {
        let order = try #require(try await booking.orders.order(id))
        return (order.state, order.tickets.sorted { $0.seat < $1.seat }.map(\.state))
    }

    @Test func `one ticket goes back, its seat is free again, then the rest`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            let first = RefundWish(tickets: [bought.tickets[0].id], reason: "ill")
            let (refund, outcome) = try await Self.request(first, bought.order.id, booking)
            #expect(outcome == .begun)
            #expect(try await Self.states(bought.order.id, booking) == (.paid, [.refundPending, .valid]))
            for _ in 0..<2 { try await booking.refunds.recordSucceeded(refund.id, reference: "re_1") }
            #expect(try await Self.states(bought.order.id, booking) == (.partiallyRefunded, [.void, .valid]))
            #expect(try await booking.catalogue.claims(of: booking.session).map(\.seat) == [4])
            // Somebody else can have it.
            _ = try await booking.create([3])
            let last = try #require(try await booking.orders.unprojected(limit: 100).dropLast().last)
            #expect(last.outcome == .free && last.seats == [3] && last.order == bought.order.id)

            let (rest, _) = try await Self.request(RefundWish(reason: "too"), bought.order.id, booking)
            #expect(rest.amount.amountMinor == 5000)
            try await booking.refunds.recordSucceeded(rest.id, reference: "re_2")
            #expect(try await Self.states(bought.order.id, booking) == (.refunded, [.void, .void]))
            #expect(try await booking.orders.payment(bought.payment.id)?.refunded == 10_000)
        }
    }

    /// The events told so far, each followed by those of its payment and tickets: short types, with the seats of tickets.
    private static func told(_ booking: Booking) async throws -> [String] {
        let page = try await EventDatabase(pool: booking.pool).unpublished(after: .start, limit: 1000)
        return page.events.flatMap { row in
            let event = PublishedEvent(row) { _ in "2026-11-21T20:45:12.031Z" }
            return [row.name]
                + event.parts.map { part in
                    let seat = part.body.firstMatch(of: /"seat":(\d+)/).map { " \($0.output.1)" } ?? ""
                    return String(part.type.dropFirst("dev.usher.".count).dropLast(".v1".count)) + seat
                }
        }
    }

    @Test func `what is sold, given back and disputed is told of the payment and of each ticket`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            let wish = RefundWish(tickets: [bought.tickets[0].id], reason: "ill")
            let (refund, _) = try await Self.request(wish, bought.order.id, booking)
            try await booking.refunds.recordSucceeded(refund.id, reference: "re_1")
            for status in [ProviderDispute.Status.open, .won] {
                let dispute = ProviderDispute(
                    reference: "dp_1",
                    paymentReference: "pi_1",
                    status: status,
                    amount: Money(5000, "EUR")
                )
                try await booking.refunds.recordDispute(dispute, of: bought.payment)
            }
            let expected = [
                "order.created", "order.confirmed", "payment.authorized", "order.paid", "payment.captured",
                "ticket.issued 3", "ticket.issued 4", "refund.submitted", "order.refunded", "payment.refunded",
                "ticket.voided 3", "refund.succeeded", "order.disputed", "payment.disputed", "ticket.suspended 4",
                "order.dispute_won", "payment.dispute_closed", "ticket.restored 4",
            ]
            // A transaction of the server's own may hold the last rows back for a moment.
            try await eventually { try await Self.told(booking).count == expected.count }
            #expect(try await Self.told(booking) == expected)
            let times = "SELECT count(*) FROM outbox WHERE payload ? 'deadline'"
            let pattern = #"'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$'"#
            #expect(try await booking.count(times) == 3)
            #expect(try await booking.count(times + " AND payload->>'deadline' !~ " + pattern) == 0)
        }
    }

    @Test func `T8 per-ticket and full refund at the same time give each ticket back once`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            let order = try #require(try await booking.orders.order(bought.order.id))
            let wishes = [RefundWish(reason: "all")] + bought.tickets.map { RefundWish(tickets: [$0.id], reason: "") }
            let plans = try (wishes + wishes).map {
                try RefundRules.plan(
                    $0,
                    as: .fresh(),
                    of: order,
                    sessionStart: Moment(milliseconds: .max / 2),
                    kind: .buyer,
                    at: Booking.now
                )
            }
            let begun = try await withThrowingTaskGroup(of: [Refund].self) { group in
                for plan in plans {
                    group.addTask {
                        let outcome = try await booking.refunds.request(
                            plan,
                            isForced: false,
                            by: nil,
                            owner: "t",
                            lease: .seconds(10)
                        )
                        return outcome == .begun ? [plan] : []
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let tickets = begun.flatMap(\.shares).map(\.ticket)
            #expect(Set(tickets).count == tickets.count && tickets.count == 2)
            for refund in begun { try await booking.refunds.recordSucceeded(refund.id, reference: "re_\(refund.id)") }
            #expect(try await booking.orders.payment(bought.payment.id)?.refunded == 10_000)
        }
    }

    @Test func `T13 the same refund asked for again is the same refund`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3], booking)
            let id = RefundID.fresh()
            let (plan, first) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking, as: id)
            let again = try await booking.refunds.request(
                plan,
                isForced: false,
                by: nil,
                owner: "t",
                lease: .seconds(10)
            )
            #expect(first == .begun && again == .alreadyBegun)
            #expect(try await booking.count("SELECT count(*) FROM refund") == 1)
        }
    }

    @Test func `T8 a ticket used in the meantime is not given back, unless staff insist`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3], booking)
            let order = try #require(try await booking.orders.order(bought.order.id))
            try await booking.run("UPDATE ticket SET state = 'checked_in'")
            for (isForced, outcome) in [(false, RefundRequest.refused), (true, .begun)] {
                let plan = try RefundRules.plan(
                    RefundWish(reason: "", isByStaff: true),
                    as: .fresh(),
                    of: order,
                    sessionStart: Booking.now,
                    kind: .staff,
                    at: Booking.now
                )
                let found = try await booking.refunds.request(
                    plan,
                    isForced: isForced,
                    by: nil,
                    owner: "t",
                    lease: .seconds(10)
                )
                #expect(found == outcome)
            }
        }
    }

    @Test func `a refund that fails gives the ticket its state back, and can be tried anew or settled`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            let (refund, _) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking)
            try await booking.refunds.recordAccepted(refund.id, reference: "re_1", lookAfter: .seconds(30))
            for _ in 0..<2 { try await booking.refunds.recordFailed(refund.id, code: "closed", reference: "re_1") }
            #expect(try await Self.states(bought.order.id, booking) == (.paid, [.valid, .valid]))
            #expect(try await booking.refunds.waiting(before: nil, limit: 10).map(\.refund.id) == [refund.id])
            let isTaken = try await booking.refunds.submit(
                refund.id,
                from: .failed,
                owner: "t",
                lease: .seconds(10)
            )
            #expect(isTaken)
            let retried = try #require(try await booking.refunds.refund(refund.id)?.refund)
            #expect(retried.attempt == 2 && retried.key != refund.key && retried.state == .submitting)
            #expect(try await Self.states(bought.order.id, booking).1 == [.refundPending, .refundPending])
            try await booking.refunds.recordFailed(refund.id, code: "closed", reference: nil)
            #expect(try await booking.refunds.settle(refund.id, note: "by bank transfer"))
            #expect(try await !booking.refunds.settle(refund.id, note: "again"))
            #expect(try await Self.states(bought.order.id, booking) == (.refunded, [.void, .void]))
            #expect(try await booking.orders.payment(bought.payment.id)?.refunded == 0)
        }
    }

    @Test func `T20 a refund that a bank sends back later leaves the ticket void and waits for somebody`() async throws
    {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3], booking)
            let (refund, _) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking)
            try await booking.refunds.recordSucceeded(refund.id, reference: "re_1")
            try await booking.refunds.recordFailed(refund.id, code: "sent_back", reference: "re_1")
            #expect(try await Self.states(bought.order.id, booking) == (.refunded, [.void]))
            #expect(try await booking.refunds.settle(refund.id, note: "in cash"))
        }
    }

    @Test func `a refund that somebody has to agree to keeps the ticket good until then`() async throws {
        try await withBooking { (booking) async throws in
            let terms = RefundTerms(mode: .staff, feeFixed: 100)
            try await booking.catalogue.setRefundTerms(terms, of: booking.session)
            let bought = try await Self.buy([3], booking)
            let (refund, _) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking)
            #expect(refund.state == .requested && refund.amount.amountMinor == 4900)
            #expect(try await Self.states(bought.order.id, booking) == (.paid, [.valid]))
            let none = try await booking.refunds.lease(owner: "x", lease: .seconds(1), limit: 10)
            #expect(none.isEmpty)
            #expect(try await booking.refunds.reject(refund.id, note: "no"))
            #expect(try await !booking.refunds.reject(refund.id, note: "no"))
            let (second, _) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking)
            #expect(
                try await booking.refunds.submit(second.id, from: .requested, owner: "t", lease: .seconds(10))
            )
            #expect(try await Self.states(bought.order.id, booking).1 == [.refundPending])
            try await booking.refunds.recordSucceeded(second.id, reference: nil)
            #expect(try await Self.states(bought.order.id, booking) == (.refunded, [.void]))
        }
    }

    @Test func `seats that are not to be sold again are blocked`() async throws {
        try await withBooking { (booking) async throws in
            try await booking.catalogue.setRefundTerms(RefundTerms(resells: false), of: booking.session)
            let bought = try await Self.buy([3], booking)
            let (refund, _) = try await Self.request(RefundWish(reason: ""), bought.order.id, booking)
            try await booking.refunds.recordSucceeded(refund.id, reference: nil)
            let claims = try await booking.catalogue.claims(of: booking.session)
            #expect(claims.map(\.state) == [.blocked] && claims.map(\.order) == [nil])
            #expect(try await booking.orders.unprojected(limit: 100).last?.outcome == .blocked)
        }
    }

    @Test func `T20 a refund made at the provider is taken in, and voids tickets only when all is given back`()
        async throws
    {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            for (number, amount, state) in [(1, 4000, OrderState.partiallyRefunded), (2, 6000, .refunded)] {
                let told = ProviderRefund(
                    reference: "re_\(number)",
                    paymentReference: "pi_\(bought.payment.id)",
                    status: .succeeded,
                    amount: Money(Int64(amount), "EUR"),
                    refund: nil,
                    failureCode: nil
                )
                for _ in 0..<2 { try await booking.refunds.recordExternal(.fresh(), told, of: bought.payment) }
                #expect(try await Self.states(bought.order.id, booking).0 == state)
            }
            #expect(try await Self.states(bought.order.id, booking).1 == [.void, .void])
        }
    }

    @Test(arguments: [ProviderDispute.Status.won, .lost])
    func `T20 a dispute suspends, and its end restores or voids`(end: ProviderDispute.Status) async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            try await booking.run("UPDATE ticket SET state = 'checked_in' WHERE seat_no = 4")
            func tell(_ status: ProviderDispute.Status) async throws {
                try await booking.refunds.recordDispute(
                    ProviderDispute(
                        reference: "dp_1",
                        paymentReference: "pi_1",
                        status: status,
                        amount: Money(10_000, "EUR")
                    ),
                    of: bought.payment
                )
            }
            for _ in 0..<2 { try await tell(.open) }
            #expect(try await Self.states(bought.order.id, booking) == (.paid, [.suspended, .suspended]))
            let order = try #require(try await booking.orders.order(bought.order.id))
            #expect(order.isDisputed)
            for _ in 0..<2 { try await tell(end) }
            // Old news change nothing.
            try await tell(.open)
            let after = try await Self.states(bought.order.id, booking)
            #expect(after == (end == .won ? (.paid, [.valid, .checkedIn]) : (.chargedBack, [.void, .void])))
            #expect(try await booking.catalogue.claims(of: booking.session).count == (end == .won ? 2 : 0))
            #expect(try await booking.orders.order(bought.order.id)?.isDisputed == false)
        }
    }

    @Test func `T20 a dispute during a refund lets the refund end`() async throws {
        try await withBooking { (booking) async throws in
            let bought = try await Self.buy([3, 4], booking)
            let wish = RefundWish(tickets: [bought.tickets[0].id], reason: "")
            let (refund, _) = try await Self.request(wish, bought.order.id, booking)
            let dispute = ProviderDispute(
                reference: "dp_1",
                paymentReference: "pi_1",
                status: .open,
                amount: Money(10_000, "EUR")
            )
            try await booking.refunds.recordDispute(dispute, of: bought.payment)
            #expect(try await Self.states(bought.order.id, booking).1 == [.refundPending, .suspended])
            try await booking.refunds.recordFailed(refund.id, code: "charge_disputed", reference: nil)
            #expect(try await Self.states(bought.order.id, booking).1 == [.suspended, .suspended])
            let isTaken = try await booking.refunds.submit(refund.id, from: .failed, owner: "t", lease: .seconds(1))
            #expect(!isTaken, "nothing is given back while a dispute is open")
            var won = dispute
            won.status = .won
            try await booking.refunds.recordDispute(won, of: bought.payment)
            #expect(try await Self.states(bought.order.id, booking) == (.paid, [.valid, .valid]))
        }
    }
}
