import BookingDatabase
import Holds
import Logging
import Operations
import Ordering
import Postgres
import Redis
import TestSupport
import Testing
import UsherAPI

@testable import BookingServer

/// Both stores together: blocking, the comparison, and a rebuild of a large house.
@Suite struct InventoryTests {
    private struct World: Sendable {
        let shop: ShopWorld
        let holds: RedisHoldStore
        let redis: RedisClient
        let catalogue: CatalogueCache

        func letters() async throws -> String {
            try await holds.letters(of: shop.session.id, sections: 1).sections[0]
        }

        func comparer(_ metrics: MetricsRegistry) -> InventoryComparer {
            InventoryComparer(
                catalogue: catalogue,
                store: shop.catalogue,
                orders: shop.orders,
                holds: holds,
                owner: "test",
                interval: .seconds(60),
                metrics: metrics,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
    }

    private static func with(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
        try await ShopWorld.with { shop in
            try await withTemporaryRedis { redis in
                try await redis.withClient { client in
                    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                    let holds = RedisHoldStore(redis: client)
                    try await holds.load(try await shop.catalogue.beginRebuild(of: shop.session.id))
                    let catalogue = CatalogueCache(store: shop.catalogue, interval: .seconds(1), logger: logger)
                    try await catalogue.refresh()
                    try await body(World(shop: shop, holds: holds, redis: client, catalogue: catalogue))
                }
            }
        }
    }

    @Test func `staff blocks seats nobody has, gives them back, and it is written down`() async throws {
        try await Self.with { world in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let keeping = SeatKeeping(
                store: world.shop.catalogue,
                holds: world.holds,
                clock: .system,
                logger: logger
            )
            let session = world.shop.session
            let layout = try await world.shop.catalogue.layout(of: session.id)
            let staff: AccountID = Clock.system.makeID()
            _ = try await world.shop.beginPayment(seats: [0, 1])
            let block = SeatActionRequest(action: "block", seats: ["A-1-2", "A-1-3", "A-1-3"], reason: "camera")
            let blocked = try await keeping.act(block, on: session, layout, by: staff)
            #expect(blocked == SeatActionReply(changed: ["A-1-3"], unchanged: ["A-1-2"]))
            #expect(try await world.letters() == "FFBFFF|")
            let again = try await keeping.act(block, on: session, layout, by: staff)
            #expect(again.changed.isEmpty)
            let free = SeatActionRequest(action: "unblock", seats: ["A-1-3", "A-1-1"])
            let freed = try await keeping.act(free, on: session, layout, by: staff)
            #expect(freed == SeatActionReply(changed: ["A-1-3"], unchanged: ["A-1-1"]))
            #expect(try await world.letters() == "FFFFFF|")
            let third = try await keeping.history(of: "A-1-3", in: session, layout)
            #expect(third.map(\.event) == ["seat.unblocked", "seat.blocked"])
            #expect(third.last?.reason == "camera" && third.last?.accountID == "\(staff)")
            let first = try await keeping.history(of: "A-1-1", in: session, layout)
            #expect(first.map(\.event).contains("order.created"))
            #expect(first.allSatisfy { $0.orderID != nil && $0.accountID == "\(world.shop.account)" })
        }
    }

    @Test func `what Redis shows wrongly is found at two looks and mended towards PostgreSQL`() async throws {
        try await Self.with { world in
            let work = try await world.shop.beginPayment(seats: [0, 1])
            _ = try await world.shop.orders.markProjected(
                try await world.shop.orders.unprojected(limit: 100).map(\.position)
            )
            let claimed = try await world.shop.claims()
            #expect(claimed.map(\.state) == [.pending, .pending])
            let staff: AccountID = Clock.system.makeID()
            _ = try await world.shop.catalogue.block(
                SeatAction(
                    id: Clock.system.makeID(),
                    session: world.shop.session.id,
                    account: staff,
                    seats: [5],
                    reason: ""
                )
            )
            // Redis has lost the order and the block, and shows a seat sold that nobody has.
            _ = try await world.redis.call(["SETRANGE", "{s:\(world.shop.session.id)}:sec:0", "3", "S"])
            let metrics = MetricsRegistry()
            let comparer = world.comparer(metrics)
            await comparer.compareAll(confirmAfter: .zero)
            #expect(try await world.letters() == "HHFFFB|")
            #expect(metrics.page().contains("usher_booking_inventory_mismatch 4"))
            await comparer.compareAll(confirmAfter: .zero)
            #expect(metrics.page().contains("usher_booking_inventory_mismatch 0"))
            #expect(
                try await world.holds.hold(
                    try #require(try await world.shop.orders.order(work.payment.order)).hold,
                    in: world.shop.session.id
                ).state == .pinned
            )
        }
    }

    @Test func `a house of fifty thousand seats is built anew from PostgreSQL (P8)`() async throws {
        try await Self.with { world in
            let layout = SessionLayout(
                sections: "ABCDEFGHIJ".map { name in
                    .init(
                        name: String(name),
                        area: "Hall",
                        price: Money(100, "EUR"),
                        rows: (1...100).map { .init(label: "\($0)", first: 1, count: 50) }
                    )
                }
            )
            var session = world.shop.session
            session.id = Clock.system.makeID()
            let show = Show(id: Clock.system.makeID(), title: "Large", description: "", venue: "")
            session.show = show.id
            try await world.shop.catalogue.insert(show, sessions: [NewSession(session: session, layout: layout)])
            try await world.shop.sellEverySeat(of: session.id)
            let begin = ContinuousClock.now
            let inventory = try await world.shop.catalogue.beginRebuild(of: session.id)
            let read = ContinuousClock.now
            try await world.holds.load(inventory)
            let end = ContinuousClock.now
            print("P8: 50,000 seats of 12,500 orders built anew in \(end - begin), of which reading \(read - begin)")
            let counts = try await world.holds.counts(of: session.id)
            #expect(counts == SeatCounts(free: 0, held: 0, pending: 25_000, sold: 25_000, blocked: 0))
        }
    }
}
