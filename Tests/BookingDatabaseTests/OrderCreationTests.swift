import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

@Suite struct OrderCreationTests {
    @Test func `a created order reads back whole`() async throws {
        try await withBooking { (booking) async throws in
            let new = try await booking.create([0, 1, 5])
            let order = try #require(try await booking.orders.order(new.id))
            #expect(order.items == new.items)
            #expect(order.state == .pending)
            #expect(order.total == Money(15000, "EUR"))
            #expect(order.deadline == new.deadline && order.createdAt == new.createdAt)
            #expect(order.session == booking.session && order.account == new.account && order.hold == new.hold)
            #expect(order.payment == nil && order.tickets.isEmpty)
            let claims = try await booking.catalogue.claims(of: booking.session)
            #expect(claims.map(\.seat) == [0, 1, 5])
            #expect(claims.allSatisfy { $0.state == .pending && $0.order == new.id && $0.hold == new.hold })
            #expect(claims.allSatisfy { $0.deadline == new.deadline })
        }
    }

    @Test func `a taken seat fails the whole order, names the seat and leaves nothing behind`() async throws {
        try await withBooking { (booking) async throws in
            _ = try await booking.create([2])
            let order = booking.newOrder([1, 2, 3])
            #expect(try await booking.orders.create(order) == .seatsTaken([2]))
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 1)
            #expect(try await booking.count("SELECT count(*) FROM orders") == 1)
            #expect(try await booking.count("SELECT count(*) FROM user_quota") == 1)
            // The key is free again: the same request may be made for other seats.
            let other = booking.newOrder([1, 3], by: order.account, key: order.idempotency.keyHash, fingerprint: [9])
            #expect(try await booking.orders.create(other) == .created)
        }
    }

    @Test func `the limit of an account counts all its orders and what is left is said`() async throws {
        try await withBooking { (booking) async throws in
            let account = AccountID.fresh()
            _ = try await booking.create([0, 1, 2], by: account)
            #expect(
                try await booking.orders.create(booking.newOrder([3, 4], by: account))
                    == .limitExceeded(limit: 4, remaining: 1)
            )
            #expect(
                try await booking.orders.create(booking.newOrder([3, 4, 5, 6, 7]))
                    == .limitExceeded(limit: 4, remaining: 4)
            )
            #expect(try await booking.orders.create(booking.newOrder([3], by: account)) == .created)
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 4)
        }
    }

    @Test func `a key answers the same request again and refuses another one`() async throws {
        try await withBooking { (booking) async throws in
            let first = booking.newOrder([0], key: [1])
            #expect(try await booking.orders.create(first) == .created)
            let again = booking.newOrder([0], by: first.account, key: [1])
            let reply = OrderCreation.replayed(status: 201, body: first.idempotency.replyBody)
            #expect(try await booking.orders.create(again) == reply)
            let other = booking.newOrder([1], by: first.account, key: [1], fingerprint: [2])
            #expect(try await booking.orders.create(other) == .keyReused)
            let scope = first.idempotency.scope
            #expect(try await booking.orders.replay(scope: scope, keyHash: [1], fingerprint: [1]) == reply)
            #expect(try await booking.orders.replay(scope: scope, keyHash: [1], fingerprint: [2]) == .keyReused)
            #expect(try await booking.orders.replay(scope: scope, keyHash: [2], fingerprint: [1]) == nil)
            // The very same command once more, as after an unknown outcome.
            #expect(try await booking.orders.create(first) == reply)
        }
    }

    @Test func `T15 a day later a key is a new one`() async throws {
        try await withBooking { (booking) async throws in
            let account = AccountID.fresh()
            let first = booking.newOrder([1], by: account, key: [7])
            #expect(try await booking.orders.create(first) == .created)
            let second = booking.newOrder([2], by: account, key: [7], fingerprint: [2])
            #expect(try await booking.orders.create(second) == .keyReused)
            try await booking.run("UPDATE idempotency_key SET expires_at = now()")
            try await booking.run("UPDATE orders SET created_at = now() - interval '1 day'")
            _ = try await booking.orders.expireDue(limit: 1)
            #expect(
                try await booking.orders.replay(
                    scope: second.idempotency.scope,
                    keyHash: second.idempotency.keyHash,
                    fingerprint: second.idempotency.fingerprint
                ) == nil
            )
            #expect(try await booking.orders.create(second) == .created)
        }
    }

    @Test(arguments: [SessionState.draft, .published, .paused, .closed, .ended, .cancelled])
    func `no order is taken while the session is not on sale`(state: SessionState) async throws {
        try await withBooking { (booking) async throws in
            try await booking.catalogue.setState(state, of: booking.session)
            #expect(try await booking.orders.create(booking.newOrder([0])) == .notOnSale)
            #expect(try await booking.orders.create(booking.newOrder([0], session: .fresh())) == .notOnSale)
            try await booking.catalogue.setState(.onSale, of: booking.session)
            #expect(try await booking.orders.create(booking.newOrder([0])) == .created)
        }
    }

    @Test func `in one batch each order succeeds or fails alone`() async throws {
        try await withBooking { (booking) async throws in
            let old = try await booking.create([0])
            let greedy = AccountID.fresh()
            _ = try await booking.create([10, 11, 12], by: greedy)
            let double = AccountID.fresh()
            let cases: [(NewOrder, OrderCreation)] = [
                (booking.newOrder([1, 2]), .created),
                (booking.newOrder([0, 3]), .seatsTaken([0])),
                (booking.newOrder([3]), .created),
                (booking.newOrder([13, 14], by: greedy), .limitExceeded(limit: 4, remaining: 1)),
                (
                    booking.newOrder([0], by: old.account, key: old.idempotency.keyHash),
                    .replayed(status: 201, body: old.idempotency.replyBody)
                ),
                (booking.newOrder([4], by: old.account, key: old.idempotency.keyHash, fingerprint: [2]), .keyReused),
                (booking.newOrder([13]), .created),
                (booking.newOrder([20], by: double), .created),
                (booking.newOrder([21], by: double), .created),
                (booking.newOrder([22, 23, 24], by: double), .limitExceeded(limit: 4, remaining: 2)),
            ]
            // A slow statement keeps the first batch back, so that the rest goes together.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await booking.create([300]) }
                for (order, expected) in cases.dropLast() {
                    group.addTask {
                        let outcome = try await booking.orders.create(order)
                        #expect(outcome == expected)
                    }
                }
                try await group.waitForAll()
            }
            let (order, expected) = cases[cases.count - 1]
            #expect(try await booking.orders.create(order) == expected)
        }
    }

    @Test func `a seat that is not in the session fails its order alone`() async throws {
        try await withBooking { (booking) async throws in
            var stray = booking.newOrder([0])
            stray.items[0].seat = 4000
            let bad = stray
            let results = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do { return try await booking.orders.create(bad) == .created } catch { return false }
                }
                for seat in 1...30 {
                    group.addTask {
                        let order = booking.newOrder([SeatNumber(seat)])
                        return (try? await booking.orders.create(order)) == .created
                    }
                }
                return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(results == [true: 30, false: 1])
        }
    }
}
