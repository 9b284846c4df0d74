import Ordering
import UsherAPI

/// Runs a call to PostgreSQL and turns its failure into the answer a client gets.
@discardableResult
func answered<Value>(_ call: () async throws(StoreFailure) -> Value) async throws -> Value {
    do throws(StoreFailure) {
        return try await call()
    } catch {
        throw Refusal(error)
    }
}

extension Refusal {
    init(_ failure: StoreFailure) {
        switch failure {
        case .overloaded: self.init(.overloaded, "too many requests wait for the database; try again")
        case .unavailable: self.init(.storeUnavailable, "the database does not answer; nothing was changed; try again")
        case .unknownOutcome:
            self.init(.storeUnavailable, "the database did not answer in time; repeat with the same Idempotency-Key")
        }
    }

    init(_ failure: HoldFailure, layout: SessionLayout?) {
        switch failure {
        case .seatsTaken(let seats):
            self.init(.seatTaken, "somebody else has these seats; pick others")
            problem.unavailableSeats = layout.map { layout in seats.map { layout.name(of: $0) } }
        case .orphanSeats(let seats):
            self.init(.orphanSeat, "this would leave a single seat alone; pick it too, or others")
            problem.orphanSeats = layout.map { layout in seats.map { layout.name(of: $0) } }
        case .tooFewFree(let free):
            self.init(.notEnoughSeats, "so many seats are not free; ask for fewer, or with mode partial")
            problem.remaining = free
        case .coolingDown(let left):
            let seconds = Int(left.milliseconds / 1000) + 1
            self.init(.holdCoolDown, "too many holds were dropped; take seats again later", retryAfter: seconds)
        case .keptForWaiting:
            self.init(
                .keptForWaiting,
                "what has come back is offered to those on the waiting list first; try again",
                retryAfter: 1
            )
        case .extensionsSpent:
            self.init(.extensionsSpent, "this hold cannot be lengthened any more; order or release it")
        case .notTogether:
            self.init(.notEnoughAdjacent, "so many seats side by side are not free; ask without together")
        case .limitExceeded(let limit, let remaining):
            self.init(limit: limit, remaining: remaining)
        case .passBound: self.init(.passBound, "this pass is used by another account")
        case .notFound: self.init(.notFound, "there is no such hold of yours")
        case .expired: self.init(.holdExpired, "the hold has ended; take seats again")
        case .inventoryUnavailable: self.init(.inventoryUnavailable, "seats cannot be held right now; try again")
        }
    }

    init(limit: Int, remaining: Int) {
        self.init(.purchaseLimitExceeded, "at most \(limit) seats a buyer; \(remaining) left")
        problem.limit = limit
        problem.remaining = remaining
    }
}
