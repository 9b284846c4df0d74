/// Port to the seats in Redis. Each call is one atomic function there and checks everything before it writes.
package protocol HoldStore: Sendable {
    /// Chooses the seats and takes them, in one step: all or none, but what there is of a partial wish.
    func place(_ hold: NewHold) async throws(HoldFailure) -> Hold

    /// Reads a live hold; `notFound` when there is none (never was, released, or expired).
    func hold(_ id: HoldID, in session: SessionID) async throws(HoldFailure) -> Hold

    /// Before an order is made of it: refuses an expired hold and guarantees that `atLeast` is left.
    func touch(_ id: HoldID, in session: SessionID, by account: AccountID, atLeast: Duration, epoch: Int64)
        async throws(HoldFailure) -> Hold

    /// More time for a buyer who has not ordered yet; `extensionsSpent` when there is none to be had.
    func extend(_ id: HoldID, in session: SessionID, by account: AccountID, _ rule: HoldExtension)
        async throws(HoldFailure) -> Hold

    /// Gives the seats of an active hold back. A hold that is gone is fine; one of another account is `notFound`, and
    /// a pinned one is left alone (`expired`).
    func release(_ id: HoldID, in session: SessionID, by account: AccountID) async throws(HoldFailure)

    /// Makes Redis show what PostgreSQL decided, in the order given, each step idempotent. A hold that Redis has lost
    /// is made again from the projection's facts. The answer has one element per projection; `nil` is success.
    func project(_ projections: [SeatProjection]) async -> [HoldFailure?]

    /// Frees due holds of a session, at most `limit`; how many it freed.
    func sweep(_ session: SessionID, limit: Int) async throws(HoldFailure) -> Int

    func letters(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatLetters
    /// What the log of changes has after `sequence`, at most `limit`; a gap means that the log has forgotten some.
    func changes(of session: SessionID, after sequence: Int64, limit: Int) async throws(HoldFailure) -> SeatChanges
    func counts(of session: SessionID) async throws(HoldFailure) -> SeatCounts

    /// The epoch Redis has for each session, in order; `nil` where it has none.
    func epochs(of sessions: [SessionID]) async throws(HoldFailure) -> [Int64?]

    /// Changes seats whatever the holds say; how many were left alone as they are something else by now. A hold that
    /// loses a seat loses all of them.
    func force(_ change: ForcedChange, _ seats: [SeatNumber], in session: SessionID) async throws(HoldFailure) -> Int
    /// For so long, seats freed after `servedThrough` can only be had by offers; the present sequence.
    func keepForWaiting(_ session: SessionID, lasting: Duration, servedThrough sequence: Int64?)
        async throws(HoldFailure) -> Int64
    /// Letters and ordered seats of one moment, for the comparison with PostgreSQL.
    func standing(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatStanding

    /// Builds the session anew and publishes its epoch last, which opens it for holds.
    func load(_ inventory: SessionInventory) async throws(HoldFailure)
}
