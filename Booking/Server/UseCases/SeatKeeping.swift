import Logging
import Ordering
import UsherAPI

/// Seats taken out of the sale by staff, and given back to it. PostgreSQL first, which decides; then Redis, and when that
/// fails the comparison of both will do it.
struct SeatKeeping: Sendable {
    let store: any CatalogueStore
    let holds: any HoldStore
    let clock: Clock
    let logger: Logger

    /// Seats of one request.
    static let seatsMax = 1_000
    static let reasonLengthMax = 200
    static let historyMax = 500

    func act(
        _ request: SeatActionRequest,
        on session: Session,
        _ layout: SessionLayout,
        by account: AccountID
    ) async throws -> SeatActionReply {
        let action = SeatAction(
            id: clock.makeID(),
            session: session.id,
            account: account,
            seats: try seats(request, layout),
            reason: try reason(request)
        )
        let changed: [SeatNumber]
        switch request.action {
        case "block":
            changed = try await answered { () async throws(StoreFailure) in try await store.block(action) }
            await show(.block, changed, in: session.id)
        case "unblock":
            changed = try await answered { () async throws(StoreFailure) in try await store.unblock(action) }
            await show(.unblock, changed, in: session.id)
        default: throw Refusal(.validationFailed, "\"action\" is \"block\" or \"unblock\"")
        }
        let unchanged = Set(action.seats).subtracting(changed).sorted()
        return SeatActionReply(
            changed: changed.map { layout.name(of: $0) },
            unchanged: unchanged.map { layout.name(of: $0) }
        )
    }

    func history(of name: String, in session: Session, _ layout: SessionLayout) async throws -> [SeatEventReply] {
        guard let seat = layout.seat(named: name) else { throw Refusal(.notFound) }
        let events = try await answered { () async throws(StoreFailure) in
            try await store.history(of: seat, in: session.id, limit: Self.historyMax)
        }
        return events.map { event in
            SeatEventReply(
                at: event.at.text,
                event: event.what,
                orderID: event.order.map { "\($0)" },
                accountID: event.account.map { "\($0)" },
                reason: event.reason
            )
        }
    }

    private func show(_ change: ForcedChange, _ seats: [SeatNumber], in session: SessionID) async {
        guard !seats.isEmpty else { return }
        do throws(HoldFailure) {
            _ = try await holds.force(change, seats, in: session)
        } catch {
            logger.warning("seats not shown", metadata: ["session.id": "\(session)", "error": "\(error)"])
        }
    }

    private func seats(_ request: SeatActionRequest, _ layout: SessionLayout) throws -> [SeatNumber] {
        guard (1...Self.seatsMax).contains(request.seats.count) else {
            throw Refusal(.validationFailed, "\"seats\" names 1 to \(Self.seatsMax) seats")
        }
        let seats = try request.seats.map { name in
            guard let seat = layout.seat(named: name) else {
                throw Refusal(.validationFailed, "there is no seat \"\(name.prefix(40))\" in this session")
            }
            return seat
        }
        return Set(seats).sorted()
    }

    private func reason(_ request: SeatActionRequest) throws -> String {
        let reason = request.reason ?? ""
        guard reason.utf8.count <= Self.reasonLengthMax, !reason.utf8.contains(0) else {
            throw Refusal(.validationFailed, "\"reason\" has at most \(Self.reasonLengthMax) bytes, and no NUL")
        }
        return reason
    }
}
