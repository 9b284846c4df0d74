import BookingDatabase
import Logging
import Ordering
import Postgres
import TestSupport
import Testing
import UsherAPI

@testable import BookingServer

/// The waiting list over a real database and seats in memory: one session of six seats.
@Suite struct WaitlistTests {
    private struct World: Sendable {
        let shop: ShopWorld
        let holds: FakeHoldStore
        let store: WaitlistDatabase
        let waitlist: Waitlist
        let keeper: WaitlistKeeper
        let session: Session

        func hold(
            _ quantity: Int,
            by account: AccountID = Clock.system.makeID()
        ) async throws(HoldFailure) -> Hold {
            try await holds.place(
                NewHold(
                    id: Clock.system.makeID(),
                    session: session.id,
                    account: account,
                    selection: .best(.init(quantity: quantity)),
                    limit: 6,
                    lifetime: .seconds(60),
                    epoch: session.epoch,
                    pass: nil
                )
            )
        }

        func join(_ size: Int, together: Bool = false, by account: AccountID) async throws -> WaitlistID {
            let request = WaitlistRequest(partySize: size, together: together)
            return try #require(WaitlistID(try await waitlist.join(request, session, by: account).reply.id))
        }

        func state(_ id: WaitlistID) async throws -> WaitlistState? { try await store.entry(id)?.state }
    }

    private static func with(
        offer: Duration = .seconds(60),
        _ body: @escaping @Sendable (World) async throws -> Void
    ) async throws {
        try await ShopWorld.with { shop in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let holds = FakeHoldStore()
            let catalogue = CatalogueCache(store: shop.catalogue, interval: .seconds(1), logger: logger)
            try await holds.load(try await shop.catalogue.beginRebuild(of: shop.session.id))
            try await catalogue.refresh()
            let store = WaitlistDatabase(pool: shop.pool)
            let world = World(
                shop: shop,
                holds: holds,
                store: store,
                waitlist: Waitlist(
                    store: store,
                    holds: holds,
                    catalogue: catalogue,
                    clock: .system,
                    holdLifetime: .seconds(300)
                ),
                keeper: WaitlistKeeper(
                    store: store,
                    leases: shop.catalogue,
                    holds: holds,
                    catalogue: catalogue,
                    clock: .system,
                    owner: "test",
                    offerLifetime: offer,
                    interval: .seconds(1),
                    logger: logger
                ),
                session: try #require(catalogue.session(shop.session.id))
            )
            try await body(world)
        }
    }

    private static func refusal(_ call: () async throws -> Void) async -> ProblemCode? {
        do {
            try await call()
            return nil
        } catch {
            return (error as? Refusal)?.problem.code
        }
    }

    @Test func `what comes back goes to who waits first, not to who asks first (T11)`() async throws {
        try await Self.with { world in
            let everything = try await world.hold(6)
            let (first, second): (AccountID, AccountID) = (Clock.system.makeID(), Clock.system.makeID())
            let (early, late) = (try await world.join(4, by: first), try await world.join(2, by: second))
            await world.keeper.round()
            #expect(try await world.state(early) == .waiting)
            try await world.holds.release(everything.id, in: world.session.id, by: everything.account)
            // Nobody else gets in between.
            await #expect(throws: HoldFailure.keptForWaiting) { try await world.hold(1) }
            await world.keeper.round()
            #expect(try await world.state(early) == .offered)
            #expect(try await world.state(late) == .offered)
            let entry = try await world.waitlist.entry(early, of: first)
            let offer = try #require(try await world.waitlist.reply(for: entry).offer)
            #expect(offer.seats.count == 4)
            await #expect(throws: HoldFailure.tooFewFree(0)) { try await world.hold(1) }
        }
    }

    @Test func `what nobody who waits can use is for everybody`() async throws {
        try await Self.with { world in
            let (one, rest) = (try await world.hold(1), try await world.hold(5))
            let party = try await world.join(2, together: true, by: Clock.system.makeID())
            await world.keeper.round()
            try await world.holds.release(one.id, in: world.session.id, by: one.account)
            await #expect(throws: HoldFailure.keptForWaiting) { try await world.hold(1) }
            await world.keeper.round()
            #expect(try await world.state(party) == .waiting)
            #expect(try await world.hold(1).seats.count == 1)
            #expect(rest.seats.count == 5)
        }
    }

    @Test func `an accepted offer is a hold with the time of a new one`() async throws {
        try await Self.with(offer: .seconds(20)) { world in
            let buyer: AccountID = Clock.system.makeID()
            let id = try await world.join(2, by: buyer)
            await world.keeper.round()
            let hold = try await world.waitlist.accept(id, by: buyer)
            #expect(hold.state == .active && hold.seats.count == 2)
            #expect(hold.deadline > Clock.system.now() + .seconds(200))
            #expect(try await world.store.entry(id)?.offeredUntil == hold.deadline)
        }
    }

    @Test func `a declined or cancelled offer gives its seats back, and ends`() async throws {
        try await Self.with { world in
            for (index, code) in [ProblemCode.invalidTransition, .invalidTransition].enumerated() {
                let buyer: AccountID = Clock.system.makeID()
                let id = try await world.join(4, by: buyer)
                await world.keeper.round()
                #expect(try await world.state(id) == .offered)
                let stranger = await Self.refusal { try await world.waitlist.decline(id, by: Clock.system.makeID()) }
                #expect(stranger == .notFound)
                if index == 0 {
                    try await world.waitlist.decline(id, by: buyer)
                } else {
                    try await world.waitlist.cancel(id, by: buyer)
                }
                #expect(try await world.state(id) == (index == 0 ? .declined : .cancelled))
                let accept = await Self.refusal { _ = try await world.waitlist.accept(id, by: buyer) }
                #expect(accept == code)
                #expect(try await world.holds.counts(of: world.session.id).free == 6)
            }
        }
    }

    @Test func `an offer nobody takes ends, and the next in line is asked`() async throws {
        try await Self.with(offer: .milliseconds(1)) { world in
            let (one, two): (AccountID, AccountID) = (Clock.system.makeID(), Clock.system.makeID())
            let (early, late) = (try await world.join(4, by: one), try await world.join(4, by: two))
            await world.keeper.round()
            #expect(try await world.state(early) == .offered)
            try await eventually {
                await world.keeper.round()
                return try await world.state(early) == .offerExpired
            }
            try await eventually {
                await world.keeper.round()
                return try await world.state(late) != .waiting
            }
            let gone = await Self.refusal { _ = try await world.waitlist.accept(early, by: one) }
            #expect(gone == .offerExpired)
        }
    }

    @Test func `a buyer is on the list once, however often asked (T39)`() async throws {
        try await Self.with { world in
            _ = try await world.hold(6)
            let buyer: AccountID = Clock.system.makeID()
            let ids = try await withThrowingTaskGroup(of: WaitlistID.self) { tasks in
                for _ in 0..<12 { tasks.addTask { try await world.join(2, by: buyer) } }
                return try await tasks.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await world.store.waiting(limit: 100).count == 1)
            for size in [0, -1, 5, 1_000_000_000] {
                let code = await Self.refusal { _ = try await world.join(size, by: buyer) }
                #expect(code == .validationFailed, "\(size)")
            }
        }
    }
}
