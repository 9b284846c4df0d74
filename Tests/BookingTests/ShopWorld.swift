import BookingDatabase
import Foundation
import Logging
import Operations
import Ordering
import Postgres
import Signing
import TestSupport
import Testing

@testable import BookingServer

/// One session of six seats in a real database, one buyer, and a saga with a scripted provider.
struct ShopWorld: Sendable {
    let orders: OrderDatabase
    let catalogue: CatalogueDatabase
    let projector: SeatProjector
    let pool: PostgresPool
    let session: Session
    let account: AccountID

    static func with(_ body: @escaping @Sendable (ShopWorld) async throws -> Void) async throws {
        try await withTemporaryPostgres { configuration in
            let tuned = BookingDatabase.tuned(configuration)
            try await BookingDatabase.migrate(tuned)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try await PostgresPool.withPool(tuned, logger: logger) { pool in
                try await body(try await make(pool))
            }
        }
    }

    private static func make(_ pool: PostgresPool) async throws -> ShopWorld {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (orders, catalogue) = (OrderDatabase(pool: pool), CatalogueDatabase(pool: pool))
        let clock = Clock.system
        let show = Show(id: clock.makeID(), title: "A show", description: "", venue: "A venue")
        let session = Session(
            id: clock.makeID(),
            show: show.id,
            title: "One evening",
            startsAt: clock.now() + .seconds(86_400),
            state: .onSale,
            room: nil,
            limitPerBuyer: 4,
            currency: "EUR",
            payWindow: .seconds(300),
            epoch: 0
        )
        let layout = SessionLayout(sections: [
            .init(name: "A", area: "Hall", price: Money(2500, "EUR"), rows: [.init(label: "1", first: 1, count: 6)])
        ])
        try await catalogue.insert(show, sessions: [NewSession(session: session, layout: layout)])
        let holds = FakeHoldStore()
        try await holds.load(try await catalogue.beginRebuild(of: session.id))
        return ShopWorld(
            orders: orders,
            catalogue: catalogue,
            projector: SeatProjector(
                orders: orders,
                catalogue: catalogue,
                holds: holds,
                owner: "test",
                logger: logger
            ),
            pool: pool,
            session: session,
            account: clock.makeID()
        )
    }

    /// Orders of four seats each, every second one paid.
    func sellEverySeat(of session: SessionID) async throws {
        let id = "\(UUID(uuid: session.bytes))"
        let sell = """
            WITH made AS (
                INSERT INTO orders (id, session_id, account_id, hold_id, fence, state, seat_count, total_minor,
                    currency, created_at, deadline)
                SELECT gen_random_uuid(), '\(id)', gen_random_uuid(), gen_random_uuid(), 1,
                    CASE WHEN n % 2 = 0 THEN 'paid' ELSE 'pending' END, 4, 400, 'EUR', now(), now() + interval '1 hour'
                FROM generate_series(1, (SELECT count(*) / 4 FROM session_seat WHERE session_id = '\(id)')) AS n
                RETURNING id, state
            )
            INSERT INTO seat_claim (session_id, seat_no, order_id, state)
            SELECT '\(id)', row_number() OVER (ORDER BY made.id) - 1, made.id,
                CASE made.state WHEN 'paid' THEN 'sold' ELSE 'pending' END
            FROM made CROSS JOIN generate_series(1, 4)
            """
        _ = try await pool.execute(Statement("sell", sell))
    }

    func saga(_ provider: any PaymentProvider, late: LatePayment = .void) -> PaySaga {
        PaySaga(
            rules: PaymentSaga(latePayment: late, retryDelay: .zero, lookDelay: .zero),
            orders: orders,
            provider: provider,
            projector: projector,
            health: ProviderHealth(),
            clock: .system,
            retryWindow: .seconds(180),
            owner: "test",
            lease: .zero,
            anomalies: MetricsRegistry().counter("anomalies", ""),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// An order of two seats with a payment begun.
    func beginPayment(seats: [SeatNumber] = [0, 1], method: String = "pm_card_visa") async throws -> SagaWork {
        let clock = Clock.system
        let items = seats.map { OrderItem(seat: $0, name: "A-1-\($0 + 1)", area: "Hall", price: Money(2500, "EUR")) }
        let order = NewOrder(
            id: clock.makeID(),
            session: session.id,
            account: account,
            hold: clock.makeID(),
            fence: 1,
            items: items,
            total: Money(2500 * Int64(items.count), "EUR"),
            createdAt: clock.now(),
            deadline: clock.now() + .seconds(300),
            limit: 4,
            idempotency: .init(
                scope: "test",
                keyHash: SecureRandom.bytes(32),
                fingerprint: SecureRandom.bytes(32),
                replyStatus: 201,
                replyBody: []
            )
        )
        #expect(try await orders.create(order) == .created)
        return try await beginPayment(of: order.id, method: method)
    }

    /// Another attempt.
    func beginPayment(of order: OrderID, method: String = "pm_card_visa") async throws -> SagaWork {
        let clock = Clock.system
        let start = try await orders.beginPayment(
            NewPayment(
                id: clock.makeID(),
                order: order,
                account: account,
                method: method,
                owner: "test",
                lease: .zero,
                now: clock.now(),
                attemptsMax: 3,
                keyHash: SecureRandom.bytes(32),
                fingerprint: SecureRandom.bytes(32)
            )
        )
        guard case .started(let payment) = start else { throw WorldFault(what: "\(start)") }
        return SagaWork(payment: payment, orderState: .authorizing)
    }

    func order(of work: SagaWork) async throws -> Order {
        try #require(try await orders.order(work.payment.order))
    }

    func claims() async throws -> [SessionInventory.Claim] { try await catalogue.claims(of: session.id) }
}

struct WorldFault: Error {
    var what: String
}

extension UUID {
    fileprivate init(uuid bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
