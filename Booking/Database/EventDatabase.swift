// The outbox as the relay reads it, and how far it has come.

package import Events
import Foundation
package import Ordering
package import Postgres

package struct EventDatabase: Sendable {
    let pool: PostgresPool

    /// - Parameter pool: connections under `BookingDatabase.tuned` settings.
    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: The relay

    /// The state to go on from, or `nil` while another process has the lease. Its batch number is larger than `atLeast`, a
    /// number that was seen in Redis.
    package func takeRelay(
        owner: String,
        lease: Duration,
        atLeast: Int = 0
    ) async throws(StoreFailure) -> RelayState? {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.relayTake(.text(owner), .int(Int(lease.milliseconds)), .int(atLeast))
            guard let row = try await pool.execute(statement).first else { return nil }
            return try RelayState(row)
        }
    }

    /// - Returns: whether the lease is still ours.
    package func keepRelay(owner: String, batch: Int, lease: Duration) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.relayKeep(.text(owner), .int(batch), .int(Int(lease.milliseconds)))
            return try await pool.execute(statement).rowCount == 1
        }
    }

    /// Records a batch as published.
    /// - Returns: the number of the next batch; `nil` when somebody else publishes now.
    package func advanceRelay(
        owner: String,
        batch: Int,
        to place: OutboxPlace,
        tails: [StreamPosition],
        lease: Duration
    ) async throws(StoreFailure) -> Int? {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.relayAdvance(
                .text(owner),
                .int(batch),
                .text("\(place.transaction)"),
                .int(place.number),
                .ints(tails.map(\.encoded)),
                .int(Int(lease.milliseconds))
            )
            return try await pool.execute(statement).first?.int("batch")
        }
    }

    package func releaseRelay(owner: String) async throws(StoreFailure) {
        try await run([SQL.relayRelease(.text(owner))])
    }

    package func relayState() async throws(StoreFailure) -> RelayState {
        try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.execute(SQL.relayState()).first else { throw .unreadable("no relay row") }
            return try RelayState(row)
        }
    }

    /// The next events that nothing can come before any more, those of an aggregate in order.
    package func unpublished(after place: OutboxPlace, limit: Int) async throws(StoreFailure) -> OutboxPage {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.outboxPage(.text("\(place.transaction)"), .int(place.number), .int(limit))
            return try await page(try await pool.execute(statement), after: place)
        }
    }

    /// Published events of one partition.
    package func published(
        in partition: Int,
        after place: OutboxPlace,
        upTo end: OutboxPlace,
        limit: Int
    ) async throws(StoreFailure) -> OutboxPage {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.outboxPartition(
                .text("\(place.transaction)"),
                .int(place.number),
                .text("\(end.transaction)"),
                .int(end.number),
                .int(partition),
                .int(limit)
            )
            return try await page(try await pool.execute(statement), after: place)
        }
    }

    /// After a restore into another cluster, whose transactions count from anew, everything is published again.
    package func adopt() async throws(StoreFailure) {
        try await run([SQL.relayAdopt(), SQL.partitionAdopt(), SQL.outboxAdopt()])
    }

    /// - Returns: how many events wait, counted up to `countMax`, and the age of the oldest.
    package func waiting(countMax: Int) async throws(StoreFailure) -> (count: Int, oldest: Duration) {
        let place = try await relayState().place
        return try await storing { () throws(PostgresFailure) in
            let statement = SQL.outboxWaiting(.text("\(place.transaction)"), .int(place.number), .int(countMax))
            guard let row = try await pool.execute(statement).first else { return (0, .zero) }
            return (try row.int("waiting"), .milliseconds(try row.int("oldest_ms")))
        }
    }

    // MARK: Cleaning

    /// Removes a piece of what is older than asked for.
    /// - Returns: whether there may be more.
    package func clean(_ times: RetentionTimes, limit: Int) async throws(StoreFailure) -> Bool {
        let outbox = PostgresParameter.int(Int(times.outbox.milliseconds))
        let statements = [
            SQL.outboxClean(outbox, .int(limit)),
            SQL.inboxClean(.int(Int(times.inbox.milliseconds)), .int(limit)),
            SQL.webhookClean(.int(Int(times.deliveries.milliseconds)), .int(limit)),
            SQL.memberClean(),
            SQL.outboxCleaned(outbox),
        ]
        return try await storing { () throws(PostgresFailure) in
            try await pool.transaction(statements).prefix(3).contains { $0.changedCount == limit }
        }
    }

    // MARK: Reading

    /// Puts before an event what its aggregate had before it, and everything in the order of its numbers: an aggregate's
    /// events are written one after the other under its lock, so their numbers are in its order.
    private func page(_ result: QueryResult, after start: OutboxPlace) async throws(PostgresFailure) -> OutboxPage {
        var page = OutboxPage(events: [], end: start)
        var early: [OutboxEvent] = []
        for row in result.rows {
            let event = try OutboxEvent(row)
            page.events.append(event)
            page.end = event.place
            if try row.bool("is_early") { early.append(event) }
        }
        guard !early.isEmpty else {
            page.events.sort { $0.place.number < $1.place.number }
            return page
        }
        var known = Set(page.events.map(\.id))
        for event in early {
            let statement = SQL.outboxBefore(
                .uuid(event.aggregate.uuid),
                .int(event.sequence),
                .text("\(start.transaction)"),
                .int(start.number)
            )
            for row in try await pool.execute(statement).rows {
                let before = try OutboxEvent(row)
                if known.insert(before.id).inserted { page.events.append(before) }
            }
        }
        page.events.sort { $0.place.number < $1.place.number }
        return page
    }

    func run(_ statements: [Statement]) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in _ = try await pool.transaction(statements) }
    }
}

/// Events in the order in which they may be told. `end` is where to go on; a few may be of beyond it and come again.
package struct OutboxPage: Sendable {
    package var events: [OutboxEvent]
    package var end: OutboxPlace
}

/// How long things are kept.
package struct RetentionTimes: Sendable {
    package var outbox: Duration
    /// Longer than the outbox: what can still be told again must still be known.
    package var inbox: Duration
    package var deliveries: Duration

    package init(outbox: Duration, inbox: Duration, deliveries: Duration) {
        self.outbox = outbox
        self.inbox = inbox
        self.deliveries = deliveries
    }
}

extension RelayState {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            place: OutboxPlace(transaction: try row.int("xid"), number: try row.int("pos")),
            batch: try row.int("batch"),
            tails: try row.ints("tails").map { StreamPosition(encoded: $0) }
        )
    }
}

extension OutboxEvent {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            aggregateType: try row.text("aggregatetype"),
            aggregate: try row.id("aggregateid"),
            sequence: try row.int("seq"),
            name: try row.text("type"),
            payload: try row.text("payload"),
            madeAt: try row.moment("made_at"),
            place: OutboxPlace(transaction: try row.int("xid"), number: try row.int("pos"))
        )
    }
}
