// What is kept so that it can be gone on with: answers for repeats, the provider's events, sessions called off.

import Foundation
package import Ordering
package import Postgres

package struct KeptAnswerDatabase: KeptAnswers {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func begin(
        scope: String,
        keyHash: [UInt8],
        fingerprint: [UInt8],
        lease: Duration
    ) async throws(StoreFailure) -> KeyedCall {
        let (scope, key) = (PostgresParameter.text(scope), PostgresParameter.bytes(keyHash))
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.keyExpire(scope, key),
                SQL.keyBegin(scope, key, .bytes(fingerprint), .int(Int(lease.milliseconds))),
                SQL.replay(scope, key),
            ])
            if results[1].rowCount == 1 { return .begun }
            guard let row = results[2].first else { return .running }
            guard try row.bytes("fingerprint") == fingerprint else { return .keyReused }
            let status = try row.int("status")
            return status == 0 ? .running : .replayed(status: status, body: try row.bytes("body"))
        }
    }

    package func finish(scope: String, keyHash: [UInt8], status: Int, body: [UInt8]) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.keyFinish(.text(scope), .bytes(keyHash), .int(status), .bytes(body)))
        }
    }

    package func keep(
        scope: String,
        keyHash: [UInt8],
        fingerprint: [UInt8],
        status: Int,
        body: [UInt8]
    ) async throws(StoreFailure) {
        let statement = SQL.keyKeep(.text(scope), .bytes(keyHash), .bytes(fingerprint), .int(status), .bytes(body))
        try await storing { () throws(PostgresFailure) in _ = try await pool.execute(statement) }
    }

    package func abandon(scope: String, keyHash: [UInt8]) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.keyAbandon(.text(scope), .bytes(keyHash)))
        }
    }
}

package struct ProviderEventDatabase: ProviderEventStore {
    private let pool: PostgresPool
    private let receipts: CommandBatch<Receipts.Command, Bool>

    /// At most `waitersMax` events wait for the next transaction.
    package init(pool: PostgresPool, waitersMax: Int = 8192) {
        self.pool = pool
        let receiving = Receipts(pool: pool)
        receipts = CommandBatch(waitersMax: waitersMax) { (events) throws(PostgresFailure) in
            try await receiving.carry(events)
        }
    }

    package func receive(_ id: String, body: [UInt8]) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await receipts.submit(Receipts.Command(id: id, body: body))
        }
    }

    package func markHandled(_ id: String) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in _ = try await pool.execute(SQL.eventHandled(.text(id))) }
    }

    package func due(limit: Int) async throws(StoreFailure) -> [(id: String, body: [UInt8], isOver: Bool)] {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(SQL.eventsForget())
            return try await pool.execute(SQL.eventsDue(.int(limit))).map { (row) throws(PostgresFailure) in
                (try row.text("id"), try row.bytes("body"), try row.bool("is_over"))
            }
        }
    }
}

package struct CancellationDatabase: CancellationStore {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func callOff(
        _ session: SessionID,
        reason: String,
        by account: AccountID
    ) async throws(StoreFailure) -> Bool {
        let id = PostgresParameter.uuid(session.uuid)
        return try await storing { () throws(PostgresFailure) in
            let results = try await pool.transaction([
                SQL.sessionCancel(id), SQL.cancellationStart(id, .uuid(account.uuid), .text(reason)),
                SQL.cancellationProgress(id),
            ])
            return results[2].first != nil
        }
    }

    package func progress(of session: SessionID) async throws(StoreFailure) -> CancellationProgress? {
        try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.execute(SQL.cancellationProgress(.uuid(session.uuid))).first else {
                return nil
            }
            return CancellationProgress(
                reason: try row.text("reason"),
                requestedAt: try row.moment("requested_at"),
                finishedAt: try row.optionalMoment("finished_at"),
                ordersTotal: try row.int("orders_total"),
                ordersWaiting: try row.int("waiting"),
                ordersFailed: try row.int("failed")
            )
        }
    }

    package func openJobs() async throws(StoreFailure) -> [(session: SessionID, reason: String)] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.cancellationsOpen()).map { (row) throws(PostgresFailure) in
                (try row.id("session_id"), try row.text("reason"))
            }
        }
    }

    package func orders(
        of session: SessionID,
        after seat: SeatNumber?,
        limit: Int
    ) async throws(StoreFailure) -> [CalledOffOrder] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(
                SQL.cancellationOrders(.uuid(session.uuid), .int(seat.map { Int($0) } ?? -1), .int(limit))
            ).map { (row) throws(PostgresFailure) in
                CalledOffOrder(
                    order: try row.id("order_id"),
                    account: try row.id("account_id"),
                    state: try row.state(),
                    seat: try row.seat()
                )
            }
        }
    }

    package func finish(_ session: SessionID) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.cancellationFinish(.uuid(session.uuid))).changedCount == 1
        }
    }
}
