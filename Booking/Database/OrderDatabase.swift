package import Ordering
package import Postgres

/// Orders, payments and tickets in PostgreSQL.
///
/// The steps that every purchase takes are combined: those that come at the same time share a transaction.
package final class OrderDatabase: OrderStore {
    /// How often one order may step back for orders of the same key, buyer or seats before it is refused.
    private static let stepsBackMax = 64

    let pool: PostgresPool
    private let creations: CommandBatch<OrderCreationCommand, OrderCreationResult>
    private let starts: CommandBatch<NewPayment, PaymentStart>
    private let confirmations: CommandBatch<Confirmation, ConfirmOutcome>
    private let captures: CommandBatch<Captures.Command, Bool>
    private let cancellations: CommandBatch<Cancellations.Command, Cancellation>
    let orderReads: CommandBatch<OrderID, Order?>
    let paymentReads: CommandBatch<PaymentID, Payment?>

    /// - Parameters:
    ///   - pool: connections under `BookingDatabase.tuned` settings.
    ///   - waitersMax: commands of one kind that may wait for the next transaction; beyond it the store is overloaded.
    package init(pool: PostgresPool, waitersMax: Int = 8192) {
        self.pool = pool
        let (creating, starting) = (OrderCreations(pool: pool), PaymentStarts(pool: pool))
        let (confirming, capturing) = (Confirmations(pool: pool), Captures(pool: pool))
        let cancelling = Cancellations(pool: pool)
        creations = CommandBatch(waitersMax: waitersMax) { (orders) throws(PostgresFailure) in
            try await creating.carry(orders)
        }
        starts = CommandBatch(waitersMax: waitersMax) { (payments) throws(PostgresFailure) in
            try await starting.carry(payments)
        }
        confirmations = CommandBatch(waitersMax: waitersMax) { (payments) throws(PostgresFailure) in
            try await confirming.carry(payments)
        }
        captures = CommandBatch(waitersMax: waitersMax) { (payments) throws(PostgresFailure) in
            try await capturing.carry(payments)
        }
        cancellations = CommandBatch(waitersMax: waitersMax) { (orders) throws(PostgresFailure) in
            try await cancelling.carry(orders)
        }
        let (reading, looking) = (OrderReads(pool: pool), PaymentReads(pool: pool))
        orderReads = CommandBatch(waitersMax: waitersMax) { (ids) throws(PostgresFailure) in
            try await reading.carry(ids)
        }
        paymentReads = CommandBatch(waitersMax: waitersMax) { (ids) throws(PostgresFailure) in
            try await looking.carry(ids)
        }
    }

    package func create(_ order: NewOrder) async throws(StoreFailure) -> OrderCreation {
        for attempt in 0..<Self.stepsBackMax {
            let command = OrderCreationCommand(order: order, stepsBackForSeats: attempt == 0)
            let result = try await storing { () throws(PostgresFailure) in try await creations.submit(command) }
            if case .decided(let creation) = result { return creation }
        }
        throw .overloaded
    }

    package func replay(
        scope: String,
        keyHash: [UInt8],
        fingerprint: [UInt8]
    ) async throws(StoreFailure) -> OrderCreation? {
        try await storing { () throws(PostgresFailure) in
            let result = try await pool.execute(SQL.replay(.text(scope), .bytes(keyHash)))
            guard let row = result.first else { return nil }
            guard try row.bytes("fingerprint") == fingerprint else { return .keyReused }
            return .replayed(status: try row.int("status"), body: try row.bytes("body"))
        }
    }

    package func beginPayment(_ payment: NewPayment) async throws(StoreFailure) -> PaymentStart {
        try await storing { () throws(PostgresFailure) in try await starts.submit(payment) }
    }

    package func confirm(_ confirmation: Confirmation) async throws(StoreFailure) -> ConfirmOutcome {
        try await storing { () throws(PostgresFailure) in try await confirmations.submit(confirmation) }
    }

    package func recordCaptured(_ payment: PaymentID, amount: Money) async throws(StoreFailure) {
        let command = Captures.Command(payment: payment, amount: amount)
        let isCaptured = try await storing { () throws(PostgresFailure) in try await captures.submit(command) }
        guard isCaptured else { throw .unavailable("payment \(payment) was not being captured") }
    }

    package func cancel(_ order: OrderID, by account: AccountID) async throws(StoreFailure) -> Cancellation {
        let command = Cancellations.Command(order: order, account: account)
        var found = try await storing { () throws(PostgresFailure) in try await cancellations.submit(command) }
        if found == .notCancellable(.processing) {
            if try await cancelWaiting(order, by: account) { return .cancelled }
            // It was decided in between: now it can be cancelled as any other.
            found = try await storing { () throws(PostgresFailure) in try await cancellations.submit(command) }
        }
        if found == .requested { try await requestCancel(order, by: account) }
        return found
    }
}
