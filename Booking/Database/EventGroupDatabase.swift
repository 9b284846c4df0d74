// Consumer groups: who reads which partition, how far the group has come, and effects that happen once.

package import Events
import Foundation
package import Ordering
package import Postgres

/// What became of events that were handed over.
package enum EventOutcome: Sendable, Equatable {
    /// Effects, inbox rows and positions are committed.
    case done
    /// One of them had its effect before; nothing was changed.
    case repeated
    /// The effect itself was refused; nothing was changed.
    case refused(String)
}

extension EventDatabase {
    /// Makes a new group known; it starts with the oldest event that is kept.
    package func begin(group: String) async throws(StoreFailure) { try await run([SQL.groupBegin(.text(group))]) }

    /// A sign of life. Gives back what is beyond a fair share of the partitions and takes what is free.
    package func beat(
        group: String,
        owner: String,
        lease: Duration,
        passing isPassing: Bool
    ) async throws(StoreFailure) -> GroupShare {
        let (group, owner) = (PostgresParameter.text(group), PostgresParameter.text(owner))
        let lease = PostgresParameter.int(Int(lease.milliseconds))
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.groupMember(group, owner, lease), SQL.groupYield(group, owner), SQL.groupTake(group, owner, lease),
                isPassing ? SQL.groupPass(group, owner) : SQL.groupFollow(group, owner),
                SQL.groupPartitions(group, owner), SQL.relayState(), SQL.parkedSubjects(group),
            ])
            guard let relay = results[5].first else { throw .unreadable("no relay row") }
            return GroupShare(
                partitions: try results[4].map { (row) throws(PostgresFailure) in try HeldPartition(row) },
                relay: try RelayState(relay),
                parkedSubjects: Set(try results[6].map { (row) throws(PostgresFailure) in try row.text("subject") })
            )
        }
    }

    /// Gives all partitions back at once.
    package func leave(group: String, owner: String) async throws(StoreFailure) {
        try await run([
            SQL.groupDrop(.text(group), .text(owner)), SQL.groupLeave(.text(group), .text(owner)),
        ])
    }

    /// One transaction: the events are marked as received, their effect happens, the group's positions move. The inbox'
    /// key makes it happen once, whoever else tries: a member that lost its lease changes nothing.
    package func handle(
        _ events: [PublishedEvent],
        effect: [Statement],
        group: String,
        owner: String,
        moved: [HeldPartition]
    ) async throws(StoreFailure) -> EventOutcome {
        var statements: [Statement] = []
        if !events.isEmpty {
            statements.append(SQL.inboxReceive(.text(group), .texts(events.map(\.id))))
            statements += effect
        }
        if !moved.isEmpty { statements.append(Self.moving(moved, group: group, owner: owner)) }
        guard !statements.isEmpty else { return .done }
        return try await outcome(of: statements)
    }

    /// Those that have had their effect.
    package func seen(_ events: [PublishedEvent], group: String) async throws(StoreFailure) -> Set<String> {
        try await storing { () throws(PostgresFailure) in
            let result = try await pool.execute(SQL.inboxSeen(.text(group), .texts(events.map(\.id))))
            return Set(try result.map { (row) throws(PostgresFailure) in try row.text("event_id") })
        }
    }

    private static func moving(_ moved: [HeldPartition], group: String, owner: String) -> Statement {
        SQL.groupMoved(
            .text(group),
            .text(owner),
            .ints(moved.map(\.number)),
            .ints(moved.map(\.position.encoded)),
            .texts(moved.map { "\($0.cut.transaction)" }),
            .ints(moved.map(\.cut.number))
        )
    }

    private func outcome(of statements: [Statement]) async throws(StoreFailure) -> EventOutcome {
        do throws(PostgresFailure) {
            _ = try await pool.transaction(statements)
            return .done
        } catch {
            if error.constraint == "inbox_pkey" { return .repeated }
            if case .refused(_, let message, _) = error, !error.isConflictWithOthers { return .refused(message) }
            let failure = error
            return try await storing { () throws(PostgresFailure) in throw failure }
        }
    }

    /// How far each group is behind what is published, counted up to `countMax`.
    package func lags(countMax: Int) async throws(StoreFailure) -> [GroupLag] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.groupLag(.int(countMax))).map { (row) throws(PostgresFailure) in
                GroupLag(
                    group: try row.text("group_name"),
                    count: try row.int("waiting"),
                    oldest: .milliseconds(try row.int("oldest_ms"))
                )
            }
        }
    }

    // MARK: Parked events

    /// Puts events aside, so that others can go on; they count as received.
    package func park(_ parked: [ParkedEvent], group: String) async throws(StoreFailure) -> EventOutcome {
        guard !parked.isEmpty else { return .done }
        return try await outcome(of: [
            SQL.inboxReceive(.text(group), .texts(parked.map(\.event.id))),
            SQL.parkedInsert(
                .text(group),
                .texts(parked.map(\.event.id)),
                .ints(parked.map(\.partition)),
                .texts(parked.map(\.event.subject)),
                .ints(parked.map(\.event.sequence)),
                .texts(parked.map(\.event.type)),
                .texts(parked.map(\.event.body)),
                .ints(parked.map(\.attempts)),
                .texts(parked.map { String($0.reason.prefix(ParkedEvent.reasonBytesMax)) })
            ),
        ])
    }

    /// Parked events whose turn it is again, in order.
    package func dueParked(
        group: String,
        partitions: [Int],
        limit: Int
    ) async throws(StoreFailure) -> [ParkedEvent] {
        try await storing { () throws(PostgresFailure) in
            let statement = SQL.parkedDue(.text(group), .ints(partitions), .int(limit))
            return try await pool.execute(statement).map { (row) throws(PostgresFailure) in try ParkedEvent(row) }
        }
    }

    /// The effect of a parked event, at last; its row goes. Each try has a name of its own in the inbox, so that of two
    /// members that try at once only one succeeds.
    package func handleParked(_ parked: ParkedEvent, effect: [Statement]) async throws(StoreFailure) -> EventOutcome {
        let group = PostgresParameter.text(parked.group)
        let turn = "retry \(parked.attempts) of \(parked.event.id)"
        return try await outcome(
            of: [SQL.inboxReceive(group, .texts([turn]))] + effect
                + [SQL.parkedDelete(group, .text(parked.event.id))]
        )
    }

    package func recordParkedFailure(_ parked: ParkedEvent, reason: String) async throws(StoreFailure) {
        let reason = String(reason.prefix(ParkedEvent.reasonBytesMax))
        try await run([SQL.parkedFailed(.text(parked.group), .text(parked.event.id), .text(reason))])
    }

    /// Oldest first, of all groups.
    package func parked(limit: Int) async throws(StoreFailure) -> [ParkedEvent] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.parkedList(.int(limit))).map { (row) throws(PostgresFailure) in
                try ParkedEvent(row)
            }
        }
    }

    package func parkedCount() async throws(StoreFailure) -> Int {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.parkedCount()).first?.int("parked") ?? 0
        }
    }

    /// - Returns: whether there is such an event.
    package func retryParked(group: String, event: String) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.parkedRetry(.text(group), .text(event))).rowCount == 1
        }
    }

    /// Gives an event up; those behind it go on.
    package func skipParked(group: String, event: String) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.parkedDelete(.text(group), .text(event))).rowCount == 1
        }
    }
}

extension HeldPartition {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            number: try row.int("number"),
            position: StreamPosition(encoded: try row.int("position")),
            cut: OutboxPlace(transaction: try row.int("cut_xid"), number: try row.int("cut_pos"))
        )
    }
}

extension ParkedEvent {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            group: try row.text("group_name"),
            partition: try row.int("partition"),
            event: PublishedEvent(
                id: try row.text("event_id"),
                subject: try row.text("subject"),
                sequence: try row.int("sequence"),
                type: try row.text("type"),
                body: try row.text("body")
            ),
            attempts: try row.int("attempts"),
            reason: try row.text("reason"),
            isToBeRetried: try row.bool("retry"),
            parkedAt: Int64(try row.milliseconds("parked_at"))
        )
    }
}
