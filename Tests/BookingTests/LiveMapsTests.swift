import BookingDatabase
import Logging
import NIOCore
import Operations
import Ordering
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import BookingServer

/// The reader of live maps over seats in memory; what a subscriber gets, as text.
@Suite struct LiveMapsTests {
    private struct World: Sendable {
        let maps: LiveMaps
        let holds: FakeHoldStore
        let session: SessionID

        func hold(_ seats: [SeatNumber]) async throws {
            let new = NewHold(
                id: Clock.system.makeID(),
                session: session,
                account: Clock.system.makeID(),
                selection: .named(seats, leavesNoOrphan: false),
                limit: 10,
                lifetime: .seconds(60),
                epoch: 1,
                pass: nil
            )
            _ = try await holds.place(new)
        }
    }

    private static func with(
        subscribersMax: Int = 10,
        _ body: @escaping @Sendable (World) async throws -> Void
    ) async throws {
        try await ShopWorld.with { shop in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let holds = FakeHoldStore()
            try await holds.load(
                SessionInventory(
                    session: shop.session.id,
                    epoch: 1,
                    layout: try await shop.catalogue.layout(of: shop.session.id),
                    claims: []
                )
            )
            let catalogue = CatalogueCache(store: shop.catalogue, interval: .seconds(1), logger: logger)
            try await catalogue.refresh()
            let maps = LiveMaps(
                catalogue: catalogue,
                holds: holds,
                clock: .system,
                subscribersMax: subscribersMax,
                metrics: MetricsRegistry(),
                logger: logger
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await maps.run() }
                try await body(World(maps: maps, holds: holds, session: shop.session.id))
                tasks.cancelAll()
            }
        }
    }

    private static func next(_ events: inout AsyncStream<ByteBuffer>.Iterator) async throws -> String {
        let event = await events.next()
        return String(buffer: try #require(event))
    }

    @Test func `a reader gets a snapshot, then what changes, and after a break only what was missed (T19)`()
        async throws
    {
        try await Self.with { world in
            let feed = try #require(world.maps.join(world.session, seen: nil) {})
            var events = feed.events.makeAsyncIterator()
            let first = try await Self.next(&events)
            #expect(first.hasPrefix("id: 1-0\nevent: snapshot\ndata: {") && first.hasSuffix("}\n\n"))
            #expect(first.contains(#""seats":"FFFFFF""#))
            try await world.hold([1, 2])
            let second = try await Self.next(&events)
            #expect(
                second == "id: 1-1\nevent: delta\n"
                    + #"data: {"changes":[[0,0,1,"HH"]],"free":[[0,4]],"version":"1-1"}"# + "\n\n"
            )
            world.maps.leave(world.session, feed)
            try await world.hold([4])
            let back = try #require(world.maps.join(world.session, seen: MapVersion(epoch: 1, sequence: 1)) {})
            var later = back.events.makeAsyncIterator()
            #expect(try await Self.next(&later).contains(#""changes":[[0,0,4,"H"]]"#))
            let future = try #require(world.maps.join(world.session, seen: MapVersion(epoch: 1, sequence: 99)) {})
            var whole = future.events.makeAsyncIterator()
            #expect(try await Self.next(&whole).contains("event: snapshot"))
        }
    }

    @Test func `after a rebuild everybody gets the map anew`() async throws {
        try await Self.with { world in
            let feed = try #require(world.maps.join(world.session, seen: nil) {})
            var events = feed.events.makeAsyncIterator()
            _ = try await Self.next(&events)
            let layout = SessionLayout(sections: [
                .init(name: "A", area: "Hall", price: Money(1, "EUR"), rows: [.init(label: "1", first: 1, count: 6)])
            ])
            try await world.holds.load(
                SessionInventory(session: world.session, epoch: 2, layout: layout, claims: [])
            )
            #expect(try await Self.next(&events).hasPrefix("id: 2-0\nevent: snapshot\n"))
        }
    }

    @Test func `beyond so many readers the next is refused, and there is room when one leaves`() async throws {
        try await Self.with(subscribersMax: 1) { world in
            let feed = try #require(world.maps.join(world.session, seen: nil) {})
            #expect(!world.maps.hasRoom)
            #expect(world.maps.join(world.session, seen: nil) {} == nil)
            world.maps.leave(world.session, feed)
            #expect(world.maps.hasRoom)
        }
    }

    @Test func `a reader that takes nothing is cut off (T37)`() {
        let closings = Mutex(0)
        let feed = MapFeed { closings.withLock { $0 += 1 } }
        for _ in 0..<MapFeed.backlogMax {
            #expect(feed.send(MapEvent.heartbeat))
        }
        #expect(closings.withLock { $0 } == 0)
        #expect(!feed.send(MapEvent.heartbeat))
        #expect(closings.withLock { $0 } == 1)
    }
}
