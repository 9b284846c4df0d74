import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

/// Money that comes when it should not, orders that cost nothing, keys of payments: against a real database.
@Suite struct LateMoneyTests {
    private static func expired(_ seats: [SeatNumber], _ booking: Booking) async throws -> (NewOrder, Payment) {
        let order = try await booking.create(seats)
        let payment = try await booking.beginPayment(order)
        try await booking.orders.beginVoid(
            payment.id,
            reference: "pi_\(payment.id)",
            then: .expired,
            endsNow: true
        )
        try await booking.orders.recordVoided(payment.id, retryWindow: .zero)
        return (order, payment)
    }

    @Test func `T20 an expired order whose seats are free takes them again`() async throws {
        try await withBooking { (booking) async throws in
            let (order, payment) = try await Self.expired([3, 4], booking)
            #expect(try await !booking.orders.adopt(payment.id, reference: "pi", reclaim: false))
            #expect(try await booking.orders.adopt(payment.id, reference: "pi", reclaim: true))
            #expect(try await booking.orders.order(order.id)?.state == .authorized)
            #expect(try await booking.confirm(payment, seats: 2) == .confirmed)
            try await booking.orders.recordCaptured(payment.id, amount: payment.amount)
            #expect(try await booking.orders.order(order.id)?.state == .paid)
        }
    }

    @Test func `T20 an expired order takes all its seats again or none`() async throws {
        try await withBooking { (booking) async throws in
            let (order, payment) = try await Self.expired([3, 4], booking)
            _ = try await booking.create([4])
            #expect(try await !booking.orders.adopt(payment.id, reference: "pi", reclaim: true))
            #expect(try await booking.orders.order(order.id)?.state == .expired)
            #expect(try await booking.catalogue.claims(of: booking.session).map(\.seat) == [4])
        }
    }

    @Test func `T20 a buyer who has bought up to the limit since gets the old order not again`() async throws {
        try await withBooking { (booking) async throws in
            let (order, payment) = try await Self.expired([3, 4], booking)
            _ = try await booking.create([10, 11, 12], by: order.account)
            #expect(try await !booking.orders.adopt(payment.id, reference: "pi", reclaim: true))
            #expect(try await booking.catalogue.claims(of: booking.session).count == 3)
        }
    }

    @Test func `T20 a second captured payment goes back and leaves the paid order alone`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            let first = try await booking.beginPayment(order)
            try await booking.orders.recordDeclined(
                first.id,
                code: "no",
                reference: "pi_a",
                counts: true,
                retryWindow: .seconds(60)
            )
            let second = try await booking.beginPayment(order)
            try #require(await booking.confirm(second, seats: 1) == .confirmed)
            try await booking.orders.recordCaptured(second.id, amount: second.amount)
            for _ in 0..<3 {
                try await booking.orders.recordStray(
                    first.id,
                    reference: "pi_a",
                    captured: first.amount,
                    retryWindow: .zero
                )
            }
            let found = try #require(try await booking.orders.order(order.id))
            #expect(found.state == .paid && found.payment?.id == second.id)
            #expect(found.refunds.map(\.payment) == [first.id] && found.refunds.map(\.kind) == [.lateMoney])
            try await booking.refunds.recordSucceeded(found.refunds[0].id, reference: "re_1")
            let after = try #require(try await booking.orders.order(order.id))
            #expect(after.state == .paid && after.tickets.map(\.state) == [.valid])
            #expect(try await booking.orders.sagaCounts(stuckAfter: .seconds(60)).open == 0)
        }
    }

    @Test func `T20 what was taken beyond the due goes back by itself`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            let payment = try await booking.beginPayment(order)
            try #require(await booking.confirm(payment, seats: 1, authorized: 6000) == .confirmed)
            try await booking.orders.recordCaptured(payment.id, amount: Money(6000, "EUR"))
            let found = try #require(try await booking.orders.order(order.id))
            #expect(found.state == .paid && found.refunds.map(\.amount.amountMinor) == [1000])
            #expect(found.refunds.map(\.kind) == [.difference])
            try await booking.refunds.recordSucceeded(found.refunds[0].id, reference: "re_1")
            #expect(try await booking.orders.order(order.id)?.state == .paid)
        }
    }

    @Test func `an order that costs nothing is paid at once, and only such a one`() async throws {
        try await withBooking { (booking) async throws in
            var free = booking.newOrder([3, 4])
            free.total = Money(0, "EUR")
            for index in free.items.indices { free.items[index].price = Money(0, "EUR") }
            try #require(await booking.orders.create(free) == .created)
            let tickets = (0..<2).map { NewTicket(id: .fresh(), number: "F\($0)") }
            func sell(_ order: NewOrder, by account: AccountID? = nil) async throws -> FreeSale {
                try await booking.orders.sellFree(
                    order.id,
                    to: account ?? order.account,
                    tickets: tickets,
                    now: Booking.now
                )
            }
            #expect(try await booking.begin(free) == .free)
            #expect(try await sell(free, by: .fresh()) == .unknownOrder)
            #expect(try await sell(free) == .sold)
            #expect(try await sell(free) == .refused(.paid))
            let order = try #require(try await booking.orders.order(free.id))
            #expect(order.state == .paid && order.tickets.map(\.state) == [.valid, .valid] && order.payment == nil)
            let dear = try await booking.create([7, 8])
            #expect(try await sell(dear) == .refused(.pending))
        }
    }

    @Test func `T13 T14 T18 the key of a payment begins one attempt`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            let starts = try await withThrowingTaskGroup(of: PaymentStart.self) { group in
                for _ in 0..<4 { group.addTask { try await booking.begin(order, key: [7]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let started = starts.filter { if case .started = $0 { true } else { false } }
            let replayed = starts.filter { if case .replayed = $0 { true } else { false } }
            #expect(started.count == 1 && replayed.count == 3)
            #expect(try await booking.begin(order, key: [7], fingerprint: [2]) == .keyReused)
            guard case .alreadyRunning(let payment) = try await booking.begin(order, key: [8]) else {
                throw Unexpected("a second attempt began")
            }
            try await booking.orders.recordDeclined(
                payment.id,
                code: "no",
                reference: nil,
                counts: true,
                retryWindow: .seconds(60)
            )
            guard case .replayed(let failed) = try await booking.begin(order, key: [7]) else {
                throw Unexpected("a key began a second attempt")
            }
            #expect(failed.state == .failed && failed.declineCode == "no")
        }
    }

    @Test func `a method that does not exist costs no attempt, but not without end`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            for _ in 0..<20 {
                let payment = try await booking.beginPayment(order)
                try await booking.orders.recordDeclined(
                    payment.id,
                    code: "resource_missing",
                    reference: nil,
                    counts: false,
                    retryWindow: .seconds(60)
                )
            }
            #expect(try await booking.begin(order) == .attemptsExhausted)
        }
    }

    @Test func `T6 a cancel of an order that is being paid waits for the provider`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            let payment = try await booking.beginPayment(order)
            #expect(try await booking.orders.cancel(order.id, by: order.account) == .requested)
            #expect(try await booking.confirm(payment, seats: 1) == .refused(.authorizing))
            try await booking.orders.beginVoid(
                payment.id,
                reference: "pi_1",
                then: .cancelled,
                endsNow: false
            )
            #expect(try await booking.orders.order(order.id)?.state == .authorizing)
            try await booking.orders.recordVoided(payment.id, retryWindow: .zero)
            #expect(try await booking.orders.order(order.id)?.state == .cancelled)
        }
    }

    @Test func `T13 T15 an answer is kept for its request, and taken over from a caller that died`() async throws {
        try await withBooking { (booking) async throws in
            let answers = KeptAnswerDatabase(pool: booking.pool)
            func begin(_ fingerprint: [UInt8], lease: Duration = .seconds(30)) async throws -> KeyedCall {
                try await answers.begin(scope: "s", keyHash: [1], fingerprint: fingerprint, lease: lease)
            }
            #expect(try await begin([1], lease: .zero) == .begun)
            #expect(try await begin([2]) == .keyReused)
            #expect(try await begin([1]) == .begun)
            #expect(try await begin([1]) == .running)
            try await answers.finish(scope: "s", keyHash: [1], status: 201, body: [5])
            #expect(try await begin([1]) == .replayed(status: 201, body: [5]))
            // A day later the key is a new one.
            try await booking.run("UPDATE idempotency_key SET expires_at = now()")
            #expect(try await begin([2]) == .begun)
            try await answers.abandon(scope: "s", keyHash: [1])
            #expect(try await begin([3]) == .begun)
        }
    }

    @Test func `T17 an event of the provider is received once and worked on until it is done`() async throws {
        try await withBooking { (booking) async throws in
            let events = ProviderEventDatabase(pool: booking.pool)
            #expect(try await events.receive("evt_1", body: [1]))
            #expect(try await !events.receive("evt_1", body: [1]))
            #expect(try await events.receive("evt_2", body: [2]))
            try await events.markHandled("evt_2")
            #expect(try await events.due(limit: 10).isEmpty)
            try await booking.run("UPDATE provider_event SET due_at = now()")
            #expect(try await events.due(limit: 10).map(\.id) == ["evt_1"])
            #expect(try await events.due(limit: 10).isEmpty)
            try await booking.run("UPDATE provider_event SET due_at = now(), received_at = now() - interval '4 days'")
            #expect(try await events.due(limit: 10).map(\.isOver) == [true])
            try await events.markHandled("evt_1")
            try await booking.run("UPDATE provider_event SET due_at = now()")
            #expect(try await events.due(limit: 10).isEmpty)
        }
    }

    @Test func `of an event that comes many times at once one is new`() async throws {
        try await withBooking { booking in
            let events = ProviderEventDatabase(pool: booking.pool)
            let news = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<40 {
                    group.addTask { try await events.receive("evt_\(number % 4)", body: [1]) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(news == 4)
        }
    }
}
