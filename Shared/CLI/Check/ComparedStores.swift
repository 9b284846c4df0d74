// The three stores a check reads, opened for as long as it takes.

import Checking
import Foundation
import Logging
import NIOPosix
import Ordering
import PaymentLedger
import Postgres
import Redis

/// Where the stores are.
struct StoreAddresses: Sendable {
    /// A libpq connection string or URI.
    var postgres: String
    /// `unix:///…` or `redis://…`
    var redis: String
    /// Path of the provider's ledger.
    var ledger: String
}

/// A store that cannot be reached or read: nothing can be said about the promises.
struct StoreUnreachable: Error, CustomStringConvertible {
    let description: String
}

struct ComparedStores: Sendable {
    static let callLimit = Duration.seconds(30)

    let addresses: StoreAddresses
    let pool: PostgresPool
    let redis: RedisClient

    static func with<Value: Sendable>(
        _ addresses: StoreAddresses,
        _ body: @escaping @Sendable (ComparedStores) async throws -> Value
    ) async throws -> Value {
        var logger = Logger(label: "usher.check")
        logger.logLevel = .error
        var postgres = try PostgresConfiguration(url: addresses.postgres)
        postgres.applicationName = "usher-check"
        postgres.connectionsMax = 1
        postgres.waitLimit = callLimit
        postgres.statementLimit = callLimit
        var redis = try RedisConfiguration(url: addresses.redis)
        redis.callDeadline = callLimit
        redis.replyBytesMax = 1 << 30
        let quiet = logger
        let client = RedisClient(
            configuration: redis,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet
        )
        return try await PostgresPool.withPool(postgres, logger: quiet) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                defer { group.cancelAll() }
                return try await body(ComparedStores(addresses: addresses, pool: pool, redis: client))
            }
        }
    }

    /// Reads everything and checks it.
    func findings() async throws -> [Finding] {
        let booking: BookingFacts
        do {
            booking = try await BookingLoader(pool: pool).load()
        } catch {
            throw StoreUnreachable(description: "PostgreSQL: \(error)")
        }
        let ledger = try readLedger()
        var seats: [SessionID: SeatFacts] = [:]
        var rooms: [RoomFacts] = []
        do {
            let seatLoader = SeatLoader(redis: redis, deadline: Self.callLimit)
            for session in booking.sessions { seats[session.id] = try await seatLoader.load(session.id) }
            let roomLoader = RoomLoader(redis: redis, deadline: Self.callLimit)
            for name in try await roomLoader.names() {
                if let room = try await roomLoader.load(name) { rooms.append(room) }
            }
        } catch {
            throw StoreUnreachable(description: "Redis: \(error)")
        }
        return booking.findings()
            + MoneyFacts(booking: booking, intents: ledger.intents.values).findings()
            + MapFacts(booking: booking, seats: seats).findings() + RoomsFacts(rooms: rooms).findings()
    }

    private func readLedger() throws -> Ledger {
        // An absent file is an empty ledger for the provider, but for a check more likely a wrong path.
        guard FileManager.default.fileExists(atPath: addresses.ledger) else {
            throw StoreUnreachable(description: "the ledger \(addresses.ledger) is not there")
        }
        do {
            return try LedgerFile.read(path: addresses.ledger).ledger
        } catch {
            throw StoreUnreachable(description: "\(error)")
        }
    }
}
