// A migrated database with one session of 400 seats, and the words the tests use.

import BookingDatabase
import Logging
import Ordering
import Postgres
import TestSupport
import Testing

struct Booking: Sendable {
    static let seatCount = 400
    static let owner = "test"

    let configuration: PostgresConfiguration
    let pool: PostgresPool
    let orders: OrderDatabase
    let catalogue: CatalogueDatabase
    let accounts: AccountDatabase
    let refunds: RefundDatabase
    let session: SessionID

    static let layout = SessionLayout(sections: [
        SessionLayout.Section(
            name: "VIP",
            area: "vip",
            price: Money(9000, "EUR"),
            rows: [
                SessionLayout.Row(label: "A", first: 1, count: 20), SessionLayout.Row(label: "B", first: 1, count: 20),
            ]
        ),
        SessionLayout.Section(
            name: "MAIN",
            area: "main",
            price: Money(5000, "EUR"),
            rows: (0..<18).map { SessionLayout.Row(label: "\($0)", first: 101, count: 20) }
        ),
    ])

    static func session(_ id: SessionID, of show: ShowID) -> Session {
        Session(
            id: id,
            show: show,
            title: "First night",
            startsAt: Moment(milliseconds: 1_900_000_000_000),
            state: .onSale,
            room: "first-night",
            limitPerBuyer: 4,
            currency: "EUR",
            payWindow: .seconds(300),
            epoch: 1
        )
    }

    /// An order for seats, with a key of its own unless one is given.
    func newOrder(
        _ seats: [SeatNumber],
        by account: AccountID = .fresh(),
        key: [UInt8]? = nil,
        fingerprint: [UInt8] = [1],
        limit: Int = 4,
        session: SessionID? = nil
    ) -> NewOrder {
        let id = OrderID.fresh()
        return NewOrder(
            id: id,
            session: session ?? self.session,
            account: account,
            hold: .fresh(),
            fence: 7,
            items: seats.map {
                OrderItem(seat: $0, name: Self.layout.name(of: $0), area: "main", price: Money(5000, "EUR"))
            },
            total: Money(Int64(5000 * seats.count), "EUR"),
            createdAt: Self.now,
            deadline: Self.now + .seconds(300),
            limit: limit,
            idempotency: NewOrder.Idempotency(
                scope: "orders \(account)",
                keyHash: key ?? id.bytes,
                fingerprint: fingerprint,
                replyStatus: 201,
                replyBody: Array("reply to \(id)".utf8)
            )
        )
    }

    /// A moment near the server's, so that deadlines lie ahead.
    static let now = Moment(milliseconds: Int64(clockMilliseconds()))

    func create(_ seats: [SeatNumber], by account: AccountID = .fresh()) async throws -> NewOrder {
        let order = newOrder(seats, by: account)
        try #require(await orders.create(order) == .created)
        return order
    }

    func begin(
        _ order: NewOrder,
        attemptsMax: Int = 3,
        key: [UInt8]? = nil,
        fingerprint: [UInt8] = [1]
    ) async throws -> PaymentStart {
        try await orders.beginPayment(
            NewPayment(
                id: .fresh(),
                order: order.id,
                account: order.account,
                method: "pm_card_visa",
                owner: Self.owner,
                lease: .seconds(10),
                now: Self.now,
                attemptsMax: attemptsMax,
                keyHash: key ?? PaymentID.fresh().bytes,
                fingerprint: fingerprint
            )
        )
    }

    func beginPayment(_ order: NewOrder) async throws -> Payment {
        guard case .started(let payment) = try await begin(order) else { throw Unexpected("payment not started") }
        return payment
    }

    func confirm(_ payment: Payment, seats: Int, authorized: Int64? = nil) async throws -> ConfirmOutcome {
        try await orders.confirm(
            Confirmation(
                payment: payment.id,
                reference: "pi_\(payment.id)",
                authorized: Money(authorized ?? payment.amount.amountMinor, "EUR"),
                tickets: (0..<seats).map { _ in
                    let id = TicketID.fresh()
                    return NewTicket(id: id, number: "\(id)")
                }
            )
        )
    }

    func buy(_ seats: [SeatNumber], by account: AccountID = .fresh()) async throws -> NewOrder {
        let order = try await create(seats, by: account)
        let payment = try await beginPayment(order)
        try #require(await confirm(payment, seats: seats.count) == .confirmed)
        try await orders.recordCaptured(payment.id, amount: payment.amount)
        return order
    }

    func count(_ sql: String) async throws -> Int {
        try #require(try await pool.execute(Statement("test", "SELECT (\(sql))::bigint AS n")).first).int("n")
    }

    func run(_ sql: String) async throws { _ = try await pool.execute(Statement("test", sql)) }

    /// Another process on the same database: connections and batches of its own.
    func withOtherProcess<Value: Sendable>(
        _ body: @Sendable (OrderDatabase) async throws -> Value
    ) async throws -> Value {
        try await PostgresPool.withPool(configuration, logger: .quiet) { try await body(OrderDatabase(pool: $0)) }
    }
}

struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

extension Identifier {
    static func fresh() -> Self { Self(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

func withBooking(_ body: @Sendable (Booking) async throws -> Void) async throws {
    try await withTemporaryPostgres { try await withBooking(on: $0, body) }
}

func withBooking(
    on configuration: PostgresConfiguration,
    _ body: @Sendable (Booking) async throws -> Void
) async throws {
    var tuned = BookingDatabase.tuned(configuration)
    tuned.connectionsMax = 4
    tuned.waitLimit = .seconds(20)
    let configuration = tuned
    try await BookingDatabase.migrate(configuration)
    try await PostgresPool.withPool(configuration, logger: .quiet) { pool in
        let booking = Booking(
            configuration: configuration,
            pool: pool,
            orders: OrderDatabase(pool: pool),
            catalogue: CatalogueDatabase(pool: pool),
            accounts: AccountDatabase(pool: pool),
            refunds: RefundDatabase(pool: pool),
            session: .fresh()
        )
        let show = Show(id: .fresh(), title: "Hamlet", description: "A play", venue: "Globe")
        try await booking.catalogue.insert(
            show,
            sessions: [NewSession(session: Booking.session(booking.session, of: show.id), layout: Booking.layout)]
        )
        try await body(booking)
        try await booking.expectSound()
    }
}
