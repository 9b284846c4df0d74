import BookingDatabase
import Ordering
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct CrashTests {
    private final class Tally: Sendable {
        let told = Atomic(0)
        let toldBeforeCrash = Atomic(0)
    }

    private static let workers = 16
    private static let ordersEach = 24

    @Test func `after a crash of the server every order is there once, found again by its key`() async throws {
        try await withPrivatePostgres(isDurable: true) { server in
            try await withBooking(on: PostgresConfiguration(url: server.url)) { (booking) async throws in
                let tally = Tally()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<Self.workers {
                        group.addTask {
                            for number in 0..<Self.ordersEach {
                                let seat = SeatNumber(worker * Self.ordersEach + number)
                                try await Self.insist(seat, booking)
                                tally.told.add(1, ordering: .relaxed)
                            }
                        }
                    }
                    group.addTask {
                        try await eventually { tally.told.load(ordering: .relaxed) >= Self.workers }
                        await server.kill()
                        tally.toldBeforeCrash.store(tally.told.load(ordering: .relaxed), ordering: .relaxed)
                        try await server.restart()
                    }
                    try await group.waitForAll()
                }
                let orders = Self.workers * Self.ordersEach
                #expect(tally.told.load(ordering: .relaxed) == orders)
                #expect(tally.toldBeforeCrash.load(ordering: .relaxed) < orders)
                #expect(try await booking.count("SELECT count(*) FROM orders") == orders)
                #expect(try await booking.count("SELECT count(*) FROM seat_claim") == orders)
            }
        }
    }

    /// Asks with the same key until there is an answer, as a client would.
    private static func insist(_ seat: SeatNumber, _ booking: Booking) async throws {
        let account = AccountID.fresh()
        try await eventually(within: .seconds(60)) {
            let order = booking.newOrder([seat], by: account, key: [1])
            do throws(StoreFailure) {
                switch try await booking.orders.create(order) {
                case .created, .replayed: return true
                case let other: throw .unavailable("\(other)")
                }
            } catch {
                return false
            }
        }
    }
}
