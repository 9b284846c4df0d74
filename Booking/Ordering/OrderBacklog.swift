/// An order that was accepted and waits until somebody decides whether its seats can be had.
package struct WaitingOrder: Sendable, Equatable {
    package var id: OrderID
    package var session: SessionID
    package var account: AccountID
    package var seats: [SeatNumber]

    package init(id: OrderID, session: SessionID, account: AccountID, seats: [SeatNumber]) {
        self.id = id
        self.session = session
        self.account = account
        self.seats = seats
    }
}

extension WaitingOrder {
    private struct Buyer: Hashable {
        let session: SessionID
        let account: AccountID
    }

    private struct Seat: Hashable {
        let session: SessionID
        let number: SeatNumber
    }

    /// Those of the orders, oldest first, that can be decided in one step: each buyer of a session once, and no seat
    /// that an older order wants, as that one may fail. The oldest is always among them.
    package static func decidableTogether(_ waiting: [WaitingOrder]) -> [WaitingOrder] {
        var buyers: Set<Buyer> = []
        var seats: Set<Seat> = []
        return waiting.filter { order in
            let wanted = order.seats.map { Seat(session: order.session, number: $0) }
            let isFirst = !wanted.contains(where: seats.contains)
            // An order that stays behind is still before those after it.
            seats.formUnion(wanted)
            return buyers.insert(Buyer(session: order.session, account: order.account)).inserted && isFirst
        }
    }
}

/// What became of the orders of one step.
package struct BacklogStep: Sendable, Equatable {
    /// They have their seats and wait for their payment.
    package var created: Int
    package var failed: Int

    package init(created: Int, failed: Int) {
        self.created = created
        self.failed = failed
    }
}

package struct BacklogSize: Sendable, Equatable {
    package var count: Int
    /// For how long the oldest has waited.
    package var oldest: Duration

    package init(count: Int, oldest: Duration) {
        self.count = count
        self.oldest = oldest
    }
}

/// Port to the orders that are accepted first and decided later. The backlog is durable: what was accepted is decided,
/// whatever dies in between.
package protocol OrderBacklog: Sendable {
    /// Writes the order down as `processing`, with its key and the answer; `backlogFull` when too many wait.
    func accept(_ order: NewOrder) async throws(StoreFailure) -> OrderCreation
    /// Those that have waited longest, oldest first.
    func waiting(limit: Int) async throws(StoreFailure) -> [WaitingOrder]
    /// processing → pending with all its seats claimed, or → failed with the reason: for each order by itself. An order
    /// that was decided or cancelled in the meantime is passed over.
    func decide(_ orders: [WaitingOrder]) async throws(StoreFailure) -> BacklogStep
    func size() async throws(StoreFailure) -> BacklogSize
}
