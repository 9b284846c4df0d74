import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

@Suite struct RaceTests {
    /// Runs the bodies at once and counts their outcomes.
    private static func outcomes<Outcome: Hashable & Sendable>(
        _ count: Int,
        _ body: @escaping @Sendable (Int) async throws -> Outcome
    ) async throws -> [Outcome: Int] {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            for number in 0..<count { group.addTask { try await body(number) } }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    private static func isCreated(_ creation: OrderCreation) -> Bool { creation == .created }

    @Test func `T1 of twenty orders for one seat exactly one is created`() async throws {
        try await withBooking { (booking) async throws in
            try await booking.withOtherProcess { other in
                let created = try await Self.outcomes(20) { number in
                    let orders = number % 2 == 0 ? booking.orders : other
                    let outcome = try await orders.create(booking.newOrder([42]))
                    #expect(outcome == .created || outcome == .seatsTaken([42]))
                    return outcome == .created
                }
                #expect(created == [true: 1, false: 19])
            }
        }
    }

    @Test func `T2 overlapping orders from three processes sell no seat twice and do not deadlock`() async throws {
        try await withBooking { (booking) async throws in
            try await booking.withOtherProcess { second in
                try await booking.withOtherProcess { third in
                    let processes = [booking.orders, second, third]
                    let created = try await Self.outcomes(600) { number in
                        // Four of 60 seats, in any order of wishes: heavy overlap.
                        var seats: Set<SeatNumber> = []
                        while seats.count < 1 + number % 4 { seats.insert(SeatNumber.random(in: 0..<60)) }
                        let order = booking.newOrder(seats.sorted())
                        return Self.isCreated(try await processes[number % 3].create(order))
                    }
                    #expect((created[true] ?? 0) >= 15)
                    let claimed = try await booking.count("SELECT count(*) FROM seat_claim")
                    #expect(claimed <= 60)
                    #expect(
                        claimed
                            == (try await booking.count("SELECT coalesce(sum(seat_count), 0) FROM orders"))
                    )
                }
            }
        }
    }

    @Test func `T7 parallel orders of one account never exceed its limit`() async throws {
        try await withBooking { (booking) async throws in
            let account = AccountID.fresh()
            try await booking.withOtherProcess { other in
                let created = try await Self.outcomes(20) { number in
                    let order = booking.newOrder([SeatNumber(number)], by: account)
                    return Self.isCreated(try await (number % 2 == 0 ? booking.orders : other).create(order))
                }
                #expect(created == [true: 4, false: 16])
            }
        }
    }

    @Test func `T13 one key used at once by many requests creates one order`() async throws {
        try await withBooking { (booking) async throws in
            let account = AccountID.fresh()
            try await booking.withOtherProcess { other in
                let created = try await Self.outcomes(20) { number in
                    let order = booking.newOrder([7, 8], by: account, key: [1, 2, 3])
                    let outcome = try await (number % 2 == 0 ? booking.orders : other).create(order)
                    if case .replayed = outcome { return "replayed" }
                    return "\(outcome)"
                }
                #expect(created == ["created": 1, "replayed": 19])
            }
        }
    }

    @Test func `T18 a payment begins once however often it is asked for`() async throws {
        try await withBooking { (booking) async throws in
            let order = try await booking.create([0])
            let started = try await Self.outcomes(20) { _ in
                switch try await booking.begin(order) {
                case .started: "started"
                case .alreadyRunning: "running"
                case let other: "\(other)"
                }
            }
            #expect(started == ["started": 1, "running": 19])
        }
    }

    @Test func `T6 pay, cancel and expire of one order: exactly one wins`() async throws {
        try await withBooking { (booking) async throws in
            let orders = try await withThrowingTaskGroup(of: NewOrder.self) { group in
                for seat in 0..<60 { group.addTask { try await booking.create([SeatNumber(seat)]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // Due, and yet payable by the buyer's clock: the closest race there is.
            try await booking.run("UPDATE orders SET deadline = now()")
            try await booking.withOtherProcess { other in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for order in orders {
                        group.addTask { _ = try await booking.begin(order) }
                        group.addTask { _ = try await other.cancel(order.id, by: order.account) }
                    }
                    for _ in 0..<6 { group.addTask { _ = try await other.expireDue(limit: 20) } }
                    try await group.waitForAll()
                }
            }
            let states = "SELECT count(*) FROM orders WHERE state IN ('authorizing', 'cancelled', 'expired')"
            #expect(try await booking.count(states) == 60)
            let payments = try await booking.count("SELECT count(*) FROM payment")
            let authorizing = try await booking.count("SELECT count(*) FROM orders WHERE state = 'authorizing'")
            #expect(payments == authorizing)
        }
    }

    @Test func `T20 confirm, void and decline of one payment: exactly one wins, and capture follows confirm only`()
        async throws
    {
        try await withBooking { (booking) async throws in
            let pairs = try await withThrowingTaskGroup(of: Payment.self) { group in
                for seat in 0..<40 {
                    group.addTask { try await booking.beginPayment(try await booking.create([SeatNumber(seat)])) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await booking.withOtherProcess { other in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for payment in pairs {
                        group.addTask {
                            if try await booking.confirm(payment, seats: 1) == .confirmed {
                                try await other.recordCaptured(payment.id, amount: payment.amount)
                            }
                        }
                        group.addTask {
                            try await other.beginVoid(
                                payment.id,
                                reference: "pi_\(payment.id)",
                                then: .expired,
                                endsNow: true
                            )
                        }
                        group.addTask {
                            try await other.recordDeclined(
                                payment.id,
                                code: "no",
                                reference: nil,
                                counts: true,
                                retryWindow: .seconds(60)
                            )
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let settled = """
                SELECT count(*) FROM orders JOIN payment ON payment.order_id = orders.id
                WHERE (orders.state, payment.state) IN
                    (('paid', 'captured'), ('expired', 'voiding'), ('pending', 'failed'))
                """
            #expect(try await booking.count(settled) == 40)
        }
    }

    @Test func `cancelled seats are sold again while others cancel`() async throws {
        try await withBooking { (booking) async throws in
            try await booking.withOtherProcess { other in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<120 {
                        group.addTask {
                            let orders = number % 2 == 0 ? booking.orders : other
                            let order = booking.newOrder([SeatNumber(number % 6), SeatNumber(6 + number % 5)])
                            guard try await orders.create(order) == .created else { return }
                            let outcome = try await other.cancel(order.id, by: order.account)
                            #expect(outcome == .cancelled)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await booking.count("SELECT count(*) FROM seat_claim") == 0)
            #expect(try await booking.count("SELECT count(*) FROM orders") >= 1)
        }
    }
}
