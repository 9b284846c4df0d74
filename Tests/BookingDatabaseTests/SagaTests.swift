import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

@Suite struct SagaTests {
    @Test func `a purchase ends with valid tickets, sold claims and a captured payment`() async throws {
        try await withBooking { (booking) async throws in
            let new = try await booking.create([3, 4])
            let payment = try await booking.beginPayment(new)
            #expect(payment.attempt == 1 && payment.state == .authorizing && payment.amount == new.total)
            #expect(try await booking.confirm(payment, seats: 2) == .confirmed)
            var order = try #require(try await booking.orders.order(new.id))
            #expect(order.state == .confirmed)
            #expect(order.tickets.map(\.state) == [.pending, .pending])
            #expect(order.tickets.map(\.seat) == [3, 4])
            #expect(order.tickets.map(\.name) == new.items.map(\.name))
            #expect(try await booking.confirm(payment, seats: 2) == .alreadyConfirmed)
            for _ in 0..<2 { try await booking.orders.recordCaptured(payment.id, amount: payment.amount) }
            order = try #require(try await booking.orders.order(new.id))
            #expect(order.state == .paid && order.payment?.state == .captured)
            #expect(order.tickets.map(\.state) == [.valid, .valid])
            #expect(order.payment?.reference == "pi_\(payment.id)")
            #expect(try await booking.catalogue.claims(of: booking.session).map(\.state) == [.sold, .sold])
            #expect(try await booking.orders.sagaCounts(stuckAfter: .seconds(60)).open == 0)
        }
    }

    @Test func `a confirm needs the whole amount, all tickets and all claims`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3, 4])
            let payment = try await booking.beginPayment(order)
            #expect(try await booking.confirm(payment, seats: 2, authorized: 9999) == .refused(.authorizing))
            #expect(try await booking.confirm(payment, seats: 1) == .refused(.authorizing))
            #expect(try await booking.count("SELECT count(*) FROM ticket") == 0)
            #expect(try await booking.confirm(payment, seats: 2) == .confirmed)
        }
    }

    @Test func `a confirm of an order that has lost a claim is refused`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3, 4])
            let payment = try await booking.beginPayment(order)
            try await booking.run("DELETE FROM seat_claim WHERE seat_no = 4")
            #expect(try await booking.confirm(payment, seats: 2) == .refused(.authorizing))
            #expect(try await booking.orders.order(order.id)?.tickets.isEmpty == true)
            try await booking.run(
                "INSERT INTO seat_claim SELECT session_id, 4, order_id, 'pending', fence FROM seat_claim"
            )
        }
    }

    @Test func `an order whose deadline moves while it is about to expire stays`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            try await booking.run("UPDATE orders SET deadline = now() - interval '1 s'")
            let other = PostgresConnection(configuration: booking.configuration)
            try await other.open()
            try await other.script("BEGIN; UPDATE orders SET deadline = now() + interval '1 hour'")
            async let expired = booking.orders.expireDue(limit: 10)
            try await eventually {
                try await booking.count(
                    """
                    SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                        AND application_name = current_setting('application_name')
                    """
                ) == 1
            }
            try await other.script("COMMIT")
            await other.close()
            #expect(try await expired == 0)
            #expect(try await booking.orders.order(order.id)?.state == .pending)
        }
    }

    @Test func `a confirm of an order that ended is refused with its state`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([3])
            let payment = try await booking.beginPayment(order)
            try await booking.orders.beginVoid(payment.id, reference: "pi_1", then: .expired, endsNow: true)
            #expect(try await booking.confirm(payment, seats: 1) == .refused(.expired))
            // Its seat was free at once and is somebody else's now.
            _ = try await booking.create([3])
            #expect(try await booking.orders.payment(payment.id)?.reference == "pi_1")
        }
    }

    @Test func `a payment that cannot begin says why`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([0])
            var stranger = order
            stranger.account = .fresh()
            #expect(try await booking.begin(stranger) == .unknownOrder)
            #expect(try await booking.begin(booking.newOrder([1])) == .unknownOrder)
            #expect(try await booking.begin(order, attemptsMax: 0) == .attemptsExhausted)
            let payment = try await booking.beginPayment(order)
            #expect(try await booking.begin(order) == .alreadyRunning(payment))
            try await booking.orders.recordDeclined(
                payment.id,
                code: "card_declined",
                reference: "pi_x",
                counts: true,
                retryWindow: .seconds(180)
            )
            #expect(try await booking.begin(order, attemptsMax: 1) == .attemptsExhausted)
            #expect(try await booking.orders.order(order.id)?.payment?.declineCode == "card_declined")
            #expect(try await booking.beginPayment(order).attempt == 2)
            let late = try await booking.create([1])
            try await booking.run("UPDATE orders SET deadline = '2020-01-01' WHERE id = '\(late.id.hex)'")
            #expect(try await booking.begin(late) == .deadlinePassed)
            #expect(try await booking.orders.cancel(late.id, by: late.account) == .cancelled)
            #expect(try await booking.begin(late) == .notPayable(.cancelled))
        }
    }

    @Test func `a decline leaves time for another attempt`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([0])
            let payment = try await booking.beginPayment(order)
            try await booking.run("UPDATE orders SET deadline = now() + interval '1 s'")
            try await booking.orders.recordDeclined(
                payment.id,
                code: "no",
                reference: nil,
                counts: true,
                retryWindow: .seconds(180)
            )
            let left = try #require(try await booking.orders.order(order.id)).deadline - Booking.now
            #expect(left > .seconds(170))
        }
    }

    @Test func `cancelling says what was found`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([0])
            #expect(try await booking.orders.cancel(order.id, by: .fresh()) == .unknownOrder)
            #expect(try await booking.orders.cancel(.fresh(), by: order.account) == .unknownOrder)
            #expect(try await booking.orders.cancel(order.id, by: order.account) == .cancelled)
            #expect(try await booking.orders.cancel(order.id, by: order.account) == .alreadyCancelled)
            let paid = try await booking.buy([1])
            #expect(try await booking.orders.cancel(paid.id, by: paid.account) == .notCancellable(.paid))
        }
    }

    @Test func `only orders past their deadline without a live payment expire`() async throws {
        try await withBooking { (booking) async throws in
            let (due, open, paying) = (
                try await booking.create([0]), try await booking.create([1]), try await booking.create([2])
            )
            _ = try await booking.beginPayment(paying)
            try await booking.run(
                "UPDATE orders SET deadline = now() - interval '1 s' WHERE id <> '\(open.id.hex)'"
            )
            #expect(try await booking.orders.expireDue(limit: 10) == 1)
            #expect(try await booking.orders.expireDue(limit: 10) == 0)
            #expect(try await booking.orders.order(due.id)?.state == .expired)
            #expect(try await booking.orders.order(paying.id)?.state == .authorizing)
        }
    }

    @Test func `a saga is leased to one, again when its lease has lapsed, and not while it waits`() async throws {
        try await withBooking { (booking) async throws in
            let payment = try await booking.beginPayment(try await booking.create([0]))
            #expect(try await booking.orders.sagaCounts(stuckAfter: .seconds(60)).open == 1)
            let early = try await booking.orders.leaseSagas(owner: "b", lease: .seconds(10), limit: 10)
            #expect(early.isEmpty)
            try await booking.orders.postpone(payment.id, by: .zero)
            let work = try await booking.orders.leaseSagas(owner: "b", lease: .seconds(10), limit: 10)
            #expect(work.map(\.payment) == [payment] && work.map(\.orderState) == [.authorizing])
            try await booking.orders.recordNoAnswer(payment.id, retryAfter: .seconds(30))
            let waiting = try await booking.orders.leaseSagas(owner: "c", lease: .seconds(10), limit: 10)
            #expect(waiting.isEmpty)
            try await booking.orders.postpone(payment.id, by: .zero)
            let taken = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await booking.orders.leaseSagas(owner: "d", lease: .seconds(10), limit: 10).count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(taken == 1)
        }
    }

    @Test func `Redis is told in order, until it has shown it`() async throws {
        try await withBooking { (booking) async throws in
            let first = try await booking.create([5, 6])
            _ = try await booking.orders.cancel(first.id, by: first.account)
            let second = try await booking.buy([5])
            let due = try await booking.orders.unprojected(limit: 10)
            #expect(
                due.map(\.outcome) == [.pinned(until: first.deadline), .free, .pinned(until: second.deadline), .sold]
            )
            #expect(due.map(\.order) == [first.id, first.id, second.id, second.id])
            #expect(due.map(\.seats) == [[5, 6], [5, 6], [5], [5]])
            #expect(due.map(\.hold) == [first.hold, first.hold, second.hold, second.hold])
            #expect(due.map(\.position) == due.map(\.position).sorted())
            #expect(try await booking.orders.unprojected(limit: 1).count == 1)
            try await booking.orders.markProjected(due.prefix(2).map(\.position))
            let rest = try await booking.orders.unprojected(limit: 10)
            #expect(rest == Array(due.dropFirst(2)))
            // For the check at the end: one row must be there for each order.
            try await booking.run("INSERT INTO seat_projection VALUES (1000000, '\(first.id.hex)', 'free')")
        }
    }

    @Test func `orders and tickets of an account come newest first, page by page`() async throws {
        try await withBooking { (booking) async throws in
            let account = AccountID.fresh()
            var ids: [OrderID] = []
            for seat in 0..<4 { ids.append(try await booking.buy([SeatNumber(seat)], by: account).id) }
            _ = try await booking.buy([10])
            ids.sort(by: >)
            let page = try await booking.orders.orders(of: account, before: nil, limit: 3)
            #expect(page.map(\.id) == Array(ids.prefix(3)))
            let next = try await booking.orders.orders(of: account, before: ids[2], limit: 3)
            #expect(next.map(\.id) == [ids[3]])
            #expect(page.allSatisfy { $0.items.count == 1 && $0.tickets.count == 1 && $0.payment != nil })
            let tickets = try await booking.orders.tickets(of: account, before: nil, limit: 10)
            #expect(tickets.count == 4)
            #expect(tickets.map(\.id) == tickets.map(\.id).sorted(by: >))
            let rest = try await booking.orders.tickets(of: account, before: tickets[1].id, limit: 10)
            #expect(rest == Array(tickets.dropFirst(2)))
        }
    }
}
