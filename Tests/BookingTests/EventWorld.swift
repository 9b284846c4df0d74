import BookingDatabase
import Events
import Foundation
import Logging
import Operations
import Ordering
import Postgres
import Redis
import TestSupport
import Testing

@testable import BookingServer

/// An outbox in a real database, streams in a real Redis, and a group whose effect is a line in a table.
struct EventWorld: Sendable {
    let postgres: PostgresConfiguration
    let pool: PostgresPool
    let redis: TemporaryRedis
    let client: RedisClient
    let events: EventDatabase
    let streams: EventStreams
    let metrics: MetricsRegistry

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func with(lengthMax: Int = 10_000, _ body: @escaping @Sendable (EventWorld) async throws -> Void)
        async throws
    {
        try await withTemporaryRedis { redis in
            try await withTemporaryPostgres { configuration in
                var tuned = BookingDatabase.tuned(configuration)
                tuned.waitLimit = .seconds(20)
                let postgres = tuned
                try await BookingDatabase.migrate(postgres)
                try await PostgresPool.withPool(postgres, logger: logger) { pool in
                    try await redis.withClient { client in
                        let world = EventWorld(
                            postgres: postgres,
                            pool: pool,
                            redis: redis,
                            client: client,
                            events: EventDatabase(pool: pool),
                            streams: EventStreams(redis: client, lengthMax: lengthMax),
                            metrics: MetricsRegistry()
                        )
                        try await world.run(
                            "CREATE TABLE effect (n bigserial, id text PRIMARY KEY, subject text, sequence bigint)"
                        )
                        try await world.run("CREATE TABLE poison (subject text, sequence bigint)")
                        try await body(world)
                    }
                }
            }
        }
    }

    // MARK: The outbox

    /// Writes events of an aggregate, numbered from `first`, in a transaction of their own.
    func write(_ aggregate: AggregateID, _ sequences: ClosedRange<Int>, age: String = "0 seconds") async throws {
        try await run(Self.insert(aggregate, sequences, age: age))
    }

    static func insert(_ aggregate: AggregateID, _ sequences: ClosedRange<Int>, age: String = "0 seconds") -> String {
        """
        INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload, made_at)
        SELECT 'order', '\(uuid(aggregate))', seq, 'order.changed', '{"state": "changed"}', now() - interval '\(age)'
        FROM generate_series(\(sequences.lowerBound), \(sequences.upperBound)) AS seq
        """
    }

    static func uuid(_ aggregate: AggregateID) -> String {
        // PostgreSQL reads a UUID without hyphens too.
        let hex = aggregate.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return hex
    }

    static func aggregate() -> AggregateID { AggregateID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }

    static func subject(_ aggregate: AggregateID) -> String { "ord_" + "\(aggregate)".dropFirst(4) }

    // MARK: Who works on it

    func configuration(lease: Duration = .seconds(30), tries: Int = 2) throws -> EventConfiguration {
        let settings = try Settings.read(
            section: "booking",
            keys: EventConfiguration.settings,
            arguments: ["--webhook-private-targets", "true", "--webhook-first-pause", "50ms"],
            environment: [:]
        )
        var configuration = try EventConfiguration(settings)
        configuration.lease = lease
        configuration.triesMax = tries
        configuration.interval = .milliseconds(5)
        return configuration
    }

    func relay(_ owner: String = "relay", lease: Duration = .seconds(30)) throws -> EventRelay {
        EventRelay(
            events: events,
            streams: streams,
            owner: owner,
            configuration: try configuration(lease: lease),
            metrics: EventMetrics(metrics),
            logger: Self.logger
        )
    }

    func member(_ owner: String = "member", lease: Duration = .seconds(30)) throws -> EventMember {
        EventMember(
            group: group,
            events: events,
            streams: streams,
            owner: owner,
            configuration: try configuration(lease: lease),
            metrics: EventMetrics(metrics),
            logger: Self.logger
        )
    }

    /// Writes a line for each event; refuses those that are poison.
    var group: EventGroup {
        EventGroup(
            name: "test",
            wanted: { nil },
            effect: { events in
                [
                    Statement(
                        "poisonCheck",
                        """
                        SELECT 1 / (CASE WHEN EXISTS (
                            SELECT FROM poison JOIN unnest($1::text[], $2::bigint[]) AS event(subject, sequence)
                                USING (subject, sequence)
                        ) THEN 0 ELSE 1 END) AS sound
                        """,
                        [.texts(events.map(\.subject)), .ints(events.map(\.sequence))]
                    ),
                    Statement(
                        "effect",
                        """
                        INSERT INTO effect (id, subject, sequence)
                        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
                        """,
                        [.texts(events.map(\.id)), .texts(events.map(\.subject)), .ints(events.map(\.sequence))]
                    ),
                ]
            }
        )
    }

    /// Publishes everything that can be.
    func publishAll(_ relay: EventRelay) async throws {
        while try await relay.step() {}
    }

    func handleAll(_ member: EventMember) async throws {
        while try await member.step() {}
    }

    // MARK: What came of it

    /// The numbers of a subject's events in the order of their effects.
    func effects(of aggregate: AggregateID) async throws -> [Int] {
        try await rows("SELECT sequence FROM effect WHERE subject = '\(Self.subject(aggregate))' ORDER BY n")
    }

    func effectCount() async throws -> Int { try await count("SELECT count(*) FROM effect") }

    func count(_ sql: String) async throws -> Int {
        try #require(try await pool.execute(Statement(Self.name(sql), "SELECT (\(sql))::bigint AS n")).first).int("n")
    }

    private func rows(_ sql: String) async throws -> [Int] {
        try await pool.execute(Statement(Self.name(sql), sql)).rows.map { try $0.int("sequence") }
    }

    func run(_ sql: String) async throws { _ = try await pool.execute(Statement(Self.name(sql), sql)) }

    /// PostgreSQL looks at the first 63 bytes of a statement's name only.
    private static func name(_ sql: String) -> String { "test \(sql.hashValue)" }

    /// Entries of all streams, in the order of each.
    func published() async throws -> [PublishedEvent] {
        let all = (0..<EventPartition.count).map { HeldPartition(number: $0, position: .start, cut: .start) }
        return try await streams.read(all, limit: 100_000).flatMap { $0.map(\.event) }
    }

    func sequences(of aggregate: AggregateID) async throws -> [Int] {
        try await published().filter { $0.subject == Self.subject(aggregate) }.map(\.sequence)
    }

    /// A transaction of its own that stays open until it is told.
    func open() async throws -> PostgresConnection {
        let connection = PostgresConnection(configuration: postgres)
        try await connection.open()
        try await connection.script("BEGIN; SELECT pg_current_xact_id()")
        return connection
    }

    func commit(_ connection: PostgresConnection) async throws {
        try await connection.script("COMMIT")
        await connection.close()
    }
}
