import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

/// Orders that are accepted first and decided later, in the database.
@Suite struct OrderBacklogTests {
    @Test func `an accepted order claims nothing, keeps its hold, and gets its seats when it is decided`() async throws
    {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let new = booking.newOrder([3, 4])
            #expect(try await backlog.accept(new) == .created)
            var order = try #require(try await booking.orders.order(new.id))
            #expect(order.state == .processing && order.items == new.items && order.total == new.total)
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 0)
            #expect(try await booking.count("SELECT count(*) FROM user_quota") == 0)
            // A rebuild of Redis keeps the seats for it all the same.
            let kept = try await booking.catalogue.claims(of: booking.session)
            #expect(kept.map(\.seat) == [3, 4] && kept.allSatisfy { $0.hold == new.hold && $0.order == new.id })
            let shown = try await booking.orders.unprojected(limit: 10)
            #expect(shown.map(\.seats) == [[3, 4]] && shown.map(\.outcome) == [.pinned(until: new.deadline)])
            #expect(try await backlog.size().count == 1)

            try await booking.run("UPDATE orders SET created_at = now() - interval '1 hour'")
            #expect(try await backlog.size().oldest > .seconds(3500))
            try await booking.run("UPDATE orders SET deadline = now() - interval '1 hour'")
            #expect(try await booking.orders.expireDue(limit: 10) == 0)
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 1, failed: 0))
            order = try #require(try await booking.orders.order(new.id))
            #expect(order.state == .pending && order.failureCode == nil)
            // The time to pay begins when there is something to pay.
            #expect(order.deadline >= Booking.now + .seconds(300))
            #expect(try await booking.catalogue.claims(of: booking.session).map(\.seat) == [3, 4])
            #expect(try await backlog.size() == BacklogSize(count: 0, oldest: .zero))
            #expect(try await booking.events(of: new.id) == ["order.accepted", "order.created"])
            let payment = try await booking.beginPayment(new)
            #expect(try await booking.confirm(payment, seats: 2) == .confirmed)
            try await booking.orders.recordCaptured(payment.id, amount: payment.amount)
            #expect(try await booking.orders.order(new.id)?.state == .paid)
        }
    }

    @Test func `each order of a batch is decided by itself, and who fails is told why`() async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let greedy = AccountID.fresh()
            _ = try await booking.create([10, 11, 12], by: greedy)
            _ = try await booking.create([0])
            let cases: [(NewOrder, OrderState, String?)] = [
                (booking.newOrder([1, 2]), .pending, nil),
                (booking.newOrder([0, 3]), .failed, "seat_taken"),
                // The one before it wanted seat 3 and failed: the seat is there for the next.
                (booking.newOrder([3]), .pending, nil),
                (booking.newOrder([2]), .failed, "seat_taken"),
                (booking.newOrder([13, 14], by: greedy), .failed, "purchase_limit_exceeded"),
                (booking.newOrder([13], by: greedy), .pending, nil),
                (booking.newOrder([20, 21, 22, 23, 24]), .failed, "purchase_limit_exceeded"),
            ]
            for (number, (order, _, _)) in cases.enumerated() {
                var order = order
                order.createdAt = Booking.now + .milliseconds(number)
                #expect(try await backlog.accept(order) == .created)
            }
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 3, failed: 4))
            for (new, state, code) in cases {
                let order = try #require(try await booking.orders.order(new.id))
                #expect(order.state == state && order.failureCode == code, "\(new.items.map(\.seat))")
                let last = state == .pending ? "order.created" : "order.failed"
                #expect(try await booking.events(of: new.id) == ["order.accepted", last])
                let outcomes = try await booking.orders.unprojected(limit: 100).filter { $0.order == new.id }
                #expect(outcomes.count == 2 && (outcomes.last?.outcome == .free) == (state == .failed))
            }
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 8)
            let told = "SELECT count(*) FROM outbox WHERE (type = 'order.failed') = (payload ? 'failure_code')"
            #expect(try await booking.count(told) == booking.count("SELECT count(*) FROM outbox"))
        }
    }

    @Test(
        arguments: [
            (SessionState.paused, "sale_not_open"), (.closed, "sale_ended"), (.ended, "sale_ended"),
            (.cancelled, "sale_ended"),
        ]
    )
    func `a session that is not on sale accepts nothing, and what it had accepted fails`(
        state: SessionState,
        code: String
    ) async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let early = booking.newOrder([0])
            #expect(try await backlog.accept(early) == .created)
            try await booking.catalogue.setState(state, of: booking.session)
            #expect(try await backlog.accept(booking.newOrder([1])) == .notOnSale)
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 0, failed: 1))
            let order = try #require(try await booking.orders.order(early.id))
            #expect(order.state == .failed && order.failureCode == code)
        }
    }

    @Test func `a full backlog accepts nothing more, but repeats are answered`() async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog(waitingMax: 2)
            let first = booking.newOrder([0])
            #expect(try await backlog.accept(first) == .created)
            // Of three that come together there is room for one.
            let late = [booking.newOrder([1]), booking.newOrder([2]), booking.newOrder([3])]
            let outcomes = try await withThrowingTaskGroup(of: (Int, OrderCreation).self) { group in
                for (index, order) in late.enumerated() { group.addTask { (index, try await backlog.accept(order)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(outcomes.values.filter { $0 == .created }.count == 1)
            #expect(outcomes.values.filter { $0 == .backlogFull }.count == 2)
            let reply = OrderCreation.replayed(status: 201, body: first.idempotency.replyBody)
            #expect(try await backlog.accept(first) == reply)
            var other = booking.newOrder([9], by: first.account, key: first.idempotency.keyHash, fingerprint: [2])
            #expect(try await backlog.accept(other) == .keyReused)
            // The key of the order for which there was no room is free again.
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 2, failed: 0))
            let refused = late[try #require(outcomes.first { $0.value == .backlogFull }?.key)]
            #expect(try await backlog.accept(refused) == .created)
            // One key for both ways to order.
            #expect(
                try await booking.orders.create(refused)
                    == .replayed(status: 201, body: refused.idempotency.replyBody)
            )
            other = booking.newOrder([9], by: refused.account, key: refused.idempotency.keyHash, fingerprint: [2])
            #expect(try await booking.orders.create(other) == .keyReused)
        }
    }

    @Test func `an order that waits is cancelled at once, and cannot be paid`() async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let new = booking.newOrder([0])
            #expect(try await backlog.accept(new) == .created)
            #expect(try await booking.begin(new) == .notPayable(.processing))
            #expect(try await booking.orders.cancel(new.id, by: .fresh()) == .unknownOrder)
            #expect(try await booking.orders.cancel(new.id, by: new.account) == .cancelled)
            #expect(try await booking.orders.cancel(new.id, by: new.account) == .alreadyCancelled)
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 0, failed: 0))
            #expect(try await booking.orders.order(new.id)?.state == .cancelled)
            #expect(try await booking.events(of: new.id) == ["order.accepted", "order.cancelled"])
            #expect(try await booking.orders.unprojected(limit: 10).last?.outcome == .free)
            // Nothing was used up, so nothing is given back.
            #expect(try await booking.orders.create(booking.newOrder([0, 1, 2, 3], by: new.account)) == .created)
        }
    }

    @Test(arguments: [true, false])
    func `an order that ends leaves the hold to another order made of it`(isCancelled: Bool) async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let late = booking.newOrder([0])
            #expect(try await backlog.accept(late) == .created)
            var made = booking.newOrder([0], by: late.account)
            made.hold = late.hold
            #expect(try await booking.orders.create(made) == .created)
            if isCancelled {
                #expect(try await booking.orders.cancel(late.id, by: late.account) == .cancelled)
            } else {
                #expect(try await booking.decideAll(backlog) == BacklogStep(created: 0, failed: 1))
            }
            let shown = try await booking.orders.unprojected(limit: 10)
            #expect(shown.count == 2 && shown.allSatisfy { $0.outcome != .free })
        }
    }

    @Test func `an order that the database cannot make fails alone`() async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            let sound = [booking.newOrder([0]), booking.newOrder([1]), booking.newOrder([2])]
            var stray = booking.newOrder([5])
            stray.items[0].seat = 4000
            for order in [sound[0], stray, sound[1], sound[2]] { #expect(try await backlog.accept(order) == .created) }
            #expect(try await booking.decideAll(backlog) == BacklogStep(created: 3, failed: 1))
            let failed = try #require(try await booking.orders.order(stray.id))
            #expect(failed.state == .failed && failed.failureCode == "internal_error")
        }
    }

    @Test func `two processes that decide the same backlog decide each order once`() async throws {
        try await withBooking { (booking) async throws in
            let backlog = booking.backlog()
            // Every seat is wanted by two.
            let orders = (0..<100).map { booking.newOrder([SeatNumber($0 / 2)]) }
            for order in orders { #expect(try await backlog.accept(order) == .created) }
            try await booking.withOtherPool { pool in
                let other = OrderBacklogDatabase(pool: pool, waitingMax: 1000)
                async let here = booking.decideAll(backlog)
                async let there = booking.decideAll(other)
                let (one, two) = (try await here, try await there)
                #expect(one.created + two.created == 50 && one.failed + two.failed == 50)
            }
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 50)
            #expect(try await booking.count("SELECT count(*) FROM outbox WHERE type <> 'order.accepted'") == 100)
        }
    }

    @Test func `after a crash of the server every order that was accepted is decided`() async throws {
        try await withPrivatePostgres(isDurable: true) { server in
            try await withBooking(on: PostgresConfiguration(url: server.url)) { (booking) async throws in
                let backlog = booking.backlog()
                let orders = (0..<200).map { booking.newOrder([SeatNumber($0)]) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for order in orders {
                        group.addTask {
                            let outcome = try await backlog.accept(order)
                            #expect(outcome == .created)
                        }
                    }
                    try await group.waitForAll()
                }
                await server.kill()
                try await server.restart()
                try await eventually { (try? await booking.decideAll(backlog)) != nil }
                for order in orders { #expect(try await booking.orders.order(order.id)?.state == .pending) }
            }
        }
    }
}

extension Booking {
    func backlog(waitingMax: Int = 1000) -> OrderBacklogDatabase {
        OrderBacklogDatabase(pool: pool, waitingMax: waitingMax)
    }

    /// Decides until nothing waits.
    func decideAll(_ backlog: OrderBacklogDatabase) async throws -> BacklogStep {
        var sum = BacklogStep(created: 0, failed: 0)
        while true {
            let due = WaitingOrder.decidableTogether(try await backlog.waiting(limit: 64))
            guard !due.isEmpty else { return sum }
            let step = try await backlog.decide(due)
            sum.created += step.created
            sum.failed += step.failed
        }
    }

    func events(of order: OrderID) async throws -> [String] {
        let query = "SELECT type FROM outbox WHERE aggregateid = '\(order.hex)' ORDER BY seq"
        return try await pool.execute(Statement("events", query)).rows.map { try $0.text("type") }
    }

    func withOtherPool(_ body: @Sendable (PostgresPool) async throws -> Void) async throws {
        try await PostgresPool.withPool(configuration, logger: .quiet) { try await body($0) }
    }
}
