import BookingDatabase
import Logging
import Operations
import Ordering
import QueueTokens
import TestSupport
import Testing
import UsherAPI

@testable import BookingServer

/// Orders that are answered before they are decided: what the buyer hears, and when.
@Suite struct QueuedOrderTests {
    private struct World: Sendable {
        let shop: ShopWorld
        let holds: FakeHoldStore
        let backlog: OrderBacklogDatabase
        let drain: BacklogDrain
        let purchases: Purchases
        let metrics: MetricsRegistry
        let session: Session

        func order(
            _ seats: [String],
            by buyer: AccountID,
            key: String = "one",
            isQueued: Bool = true,
            fingerprint: [UInt8] = [1]
        ) async throws -> Purchases.OrderAnswer {
            try await purchases.order(
                .init(
                    request: OrderRequest(inline: SeatsRequest(seats: seats)),
                    key: key,
                    fingerprint: fingerprint,
                    isQueued: isQueued
                ),
                in: session,
                for: .init(account: buyer, pass: nil)
            )
        }

        func state(_ answer: Purchases.OrderAnswer) async throws -> OrderState? {
            let name = try #require(String(decoding: answer.body, as: UTF8.self).firstMatch(of: /"id":"(ord_\w+)"/))
            return try await shop.orders.order(try #require(OrderID(name.output.1)))?.state
        }
    }

    private static func with(waitingMax: Int = 100, _ body: @escaping @Sendable (World) async throws -> Void)
        async throws
    {
        try await ShopWorld.with { shop in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let metrics = MetricsRegistry()
            let holds = FakeHoldStore()
            try await holds.load(try await shop.catalogue.beginRebuild(of: shop.session.id))
            let catalogue = CatalogueCache(store: shop.catalogue, interval: .seconds(1), logger: logger)
            try await catalogue.refresh()
            let backlog = OrderBacklogDatabase(pool: shop.pool, waitingMax: waitingMax)
            let drain = BacklogDrain(
                backlog: backlog,
                leases: shop.catalogue,
                projector: shop.projector,
                owner: "test",
                metrics: metrics,
                logger: logger
            )
            let purchases = Purchases(
                catalogue: catalogue,
                holds: holds,
                orders: shop.orders,
                queue: .init(backlog: backlog, drain: drain),
                projector: shop.projector,
                replies: OrderReplies(catalogue: catalogue, ticketKeys: try .ephemeral(.ticket)),
                holdTiming: metrics.timing("hold", ""),
                latency: HoldLatency(),
                clock: .system,
                holdLifetime: .seconds(300),
                holdExtensions: 2,
                holdTotal: .seconds(900),
                holdCoolDown: false
            )
            try await body(
                World(
                    shop: shop,
                    holds: holds,
                    backlog: backlog,
                    drain: drain,
                    purchases: purchases,
                    metrics: metrics,
                    session: try #require(catalogue.session(shop.session.id))
                )
            )
        }
    }

    private static func refusal(_ call: () async throws -> Purchases.OrderAnswer) async throws -> Refusal {
        do {
            let answer = try await call()
            throw WorldFault(what: "answered \(answer.status)")
        } catch let refusal as Refusal {
            return refusal
        }
    }

    @Test func `a buyer who would rather not wait is answered 202 and finds the order made`() async throws {
        try await Self.with { world in
            let buyer: AccountID = Clock.system.makeID()
            let answer = try await world.order(["A-1-1", "A-1-2", "A-1-3", "A-1-4"], by: buyer)
            #expect(answer.status == 202 && !answer.isReplayed)
            #expect(String(decoding: answer.body, as: UTF8.self).contains(#""state":"processing""#))
            // The limit is reached, but the order may still fail: the pass is not used up yet.
            #expect(!answer.isLimitReached)
            #expect(try await world.state(answer) == .processing)
            await world.drain.drain()
            #expect(try await world.state(answer) == .pending)
            let page = world.metrics.page()
            #expect(page.contains(#"usher_booking_backlog_decided_total{outcome="created"} 1"#), "\(page)")
        }
    }

    @Test func `a repeat gets the same answer, before and after, whatever it would rather have`() async throws {
        try await Self.with { world in
            let buyer: AccountID = Clock.system.makeID()
            let first = try await world.order(["A-1-1"], by: buyer)
            for isDecided in [false, true] {
                if isDecided { await world.drain.drain() }
                for isQueued in [true, false] {
                    let again = try await world.order(["A-1-1"], by: buyer, isQueued: isQueued)
                    #expect(again.status == 202 && again.body == first.body && again.isReplayed)
                }
                let reused = try await Self.refusal {
                    try await world.order(["A-1-4"], by: buyer, fingerprint: [2])
                }
                #expect(reused.problem.code == .idempotencyKeyReused)
            }
            // And the other way round.
            let made = try await world.order(["A-1-2"], by: buyer, key: "two", isQueued: false)
            #expect(made.status == 201)
            #expect(try await world.order(["A-1-2"], by: buyer, key: "two").status == 201)
        }
    }

    @Test func `what Redis knows is refused at once, and a full backlog is said to be full`() async throws {
        try await Self.with(waitingMax: 1) { world in
            let buyer: AccountID = Clock.system.makeID()
            let rival: AccountID = Clock.system.makeID()
            _ = try await world.order(["A-1-1"], by: buyer)
            let taken = try await Self.refusal { try await world.order(["A-1-1"], by: rival) }
            #expect(taken.problem.code == .seatTaken)
            let full = try await Self.refusal { try await world.order(["A-1-2"], by: rival, key: "two") }
            #expect(full.problem.status == 503 && full.problem.code == .overloaded && full.problem.retryable)
            #expect((full.retryAfter ?? 0) > 0)
            await world.drain.count()
            #expect(world.metrics.page().contains("usher_booking_backlog_orders 1"), "\(world.metrics.page())")
            await world.drain.drain()
            // The hold was kept for the repeat.
            #expect(try await world.order(["A-1-2"], by: rival, key: "two").status == 202)
        }
    }

    @Test(
        arguments: [
            (["respond-async"], true), (["Respond-Async"], true), ([" respond-async ; x=1 , wait=10"], true),
            (["wait=10", "return=minimal, respond-async"], true), ([#"respond-async="""#], true), ([], false),
            (["wait=10"], false), (["respond-async=no"], false), (["respond-asynchronously"], false),
            ([#"x="a, respond-async""#], false), ([#"x="a\", respond-async""#], false),
            ([#"x="a", respond-async"#], true), ([""], false), ([",;=,"], false),
        ] as [([String], Bool)]
    )
    func `a preference is read as RFC 7240 says`(fields: [String], expected: Bool) {
        #expect(Preference.isNamed("respond-async", in: fields) == expected, "\(fields)")
    }
}
