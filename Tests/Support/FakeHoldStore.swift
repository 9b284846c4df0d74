import Foundation
package import Ordering

/// A `HoldStore` in memory for tests of what lies above it. It passes the same contract suite as the real one.
package actor FakeHoldStore: HoldStore {
    private var sessions: [SessionID: FakeSeats] = [:]
    private var outage: String?
    private let clock: @Sendable () -> Moment

    package init(clock: @escaping @Sendable () -> Moment = FakeHoldStore.systemTime) {
        self.clock = clock
    }

    package static let systemTime: @Sendable () -> Moment = {
        Moment(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// With a reason every call is `inventoryUnavailable`, as when Redis is away; `nil` ends that.
    package func setOutage(_ reason: String?) { outage = reason }

    /// Loses everything, as a Redis without its file.
    package func wipe() { sessions = [:] }

    package func place(_ hold: NewHold) async throws(HoldFailure) -> Hold {
        try change(hold.session, epoch: hold.epoch) { seats throws(HoldFailure) in try seats.place(hold) }
    }

    package func hold(_ id: HoldID, in session: SessionID) async throws(HoldFailure) -> Hold {
        try change(session) { seats throws(HoldFailure) in try seats.liveHold(id) }
    }

    package func touch(
        _ id: HoldID,
        in session: SessionID,
        by account: AccountID,
        atLeast: Duration,
        epoch: Int64
    ) async throws(HoldFailure) -> Hold {
        try change(session, epoch: epoch) { seats throws(HoldFailure) in
            try seats.touch(id, by: account, atLeast: atLeast)
        }
    }

    package func extend(_ id: HoldID, in session: SessionID, by account: AccountID, _ rule: HoldExtension)
        async throws(HoldFailure) -> Hold
    {
        try change(session, epoch: rule.epoch) { seats throws(HoldFailure) in try seats.extend(id, by: account, rule) }
    }

    package func force(_ change: ForcedChange, _ seats: [SeatNumber], in session: SessionID)
        async throws(HoldFailure) -> Int
    {
        try self.change(session) { own throws(HoldFailure) in own.force(change, seats) }
    }

    package func keepForWaiting(_ session: SessionID, lasting: Duration, servedThrough sequence: Int64?)
        async throws(HoldFailure) -> Int64
    {
        try change(session) { seats throws(HoldFailure) in seats.keep(lasting, sequence) }
    }

    package func standing(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatStanding {
        try change(session) { seats throws(HoldFailure) in seats.standing }
    }

    package func release(_ id: HoldID, in session: SessionID, by account: AccountID) async throws(HoldFailure) {
        try change(session) { seats throws(HoldFailure) in try seats.release(id, by: account) }
    }

    package func project(_ projections: [SeatProjection]) async -> [HoldFailure?] {
        projections.map { projection in
            do throws(HoldFailure) {
                try change(projection.session) { seats throws(HoldFailure) in seats.settle(projection) }
                return nil
            } catch {
                return error
            }
        }
    }

    package func sweep(_ session: SessionID, limit: Int) async throws(HoldFailure) -> Int {
        try checkOutage()
        guard var seats = sessions[session] else { throw .inventoryUnavailable("the session is not loaded") }
        seats.now = clock()
        let count = seats.drain(limit)
        sessions[session] = seats
        return count
    }

    package func letters(of session: SessionID, sections: Int) async throws(HoldFailure) -> SeatLetters {
        let letters = try change(session) { seats throws(HoldFailure) in seats.letters }
        guard letters.sections.count == sections else {
            throw .inventoryUnavailable("the session has other sections")
        }
        return letters
    }

    package func changes(
        of session: SessionID,
        after sequence: Int64,
        limit: Int
    ) async throws(HoldFailure) -> SeatChanges {
        let (epoch, log) = try change(session) { seats throws(HoldFailure) in (seats.epoch, seats.log) }
        return SeatChanges(epoch: epoch, changes: Array(log.filter { $0.sequence > sequence }.prefix(limit)))
    }

    package func counts(of session: SessionID) async throws(HoldFailure) -> SeatCounts {
        try change(session) { seats throws(HoldFailure) in seats.counts }
    }

    package func epochs(of sessions: [SessionID]) async throws(HoldFailure) -> [Int64?] {
        try checkOutage()
        return sessions.map { self.sessions[$0]?.epoch }
    }

    package func load(_ inventory: SessionInventory) async throws(HoldFailure) {
        try checkOutage()
        if let known = sessions[inventory.session] {
            guard known.epoch <= inventory.epoch else { throw .inventoryUnavailable("a later epoch is loaded") }
            guard known.epoch < inventory.epoch else { return }
        }
        sessions[inventory.session] = FakeSeats(
            inventory,
            passes: sessions[inventory.session]?.passes ?? [:],
            gone: sessions[inventory.session]?.gone ?? []
        )
    }

    private func checkOutage() throws(HoldFailure) {
        if let outage { throw .inventoryUnavailable(outage) }
    }

    private func change<Outcome>(
        _ session: SessionID,
        epoch: Int64? = nil,
        _ body: (inout FakeSeats) throws(HoldFailure) -> Outcome
    ) throws(HoldFailure) -> Outcome {
        try checkOutage()
        guard var seats = sessions[session] else { throw .inventoryUnavailable("the session is not loaded") }
        guard epoch == nil || epoch == seats.epoch else {
            throw .inventoryUnavailable("the session has another epoch")
        }
        seats.now = clock()
        seats.drain(FakeSeats.dueMax)
        sessions[session] = seats
        // A refusal keeps what was drained and nothing else.
        let outcome = try body(&seats)
        sessions[session] = seats
        return outcome
    }
}
