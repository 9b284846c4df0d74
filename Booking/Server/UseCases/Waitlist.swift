import Ordering
import UsherAPI

/// Parties that wait for seats: on the list, off it, and what is offered to them.
struct Waitlist: Sendable {
    let store: any WaitlistStore
    let holds: any HoldStore
    let catalogue: CatalogueCache
    let clock: Clock
    let holdLifetime: Duration

    func join(
        _ request: WaitlistRequest,
        _ session: Session,
        by account: AccountID
    ) async throws -> (reply: WaitlistReply, isNew: Bool) {
        guard session.state == .onSale || session.state == .paused else { throw Refusal(notSelling: session.state) }
        let wish = try wish(request, session)
        let (id, isNew) = try await answered { () async throws(StoreFailure) in
            try await store.join(clock.makeID(), session.id, by: account, wish)
        }
        return (try await reply(for: try await entry(id, of: account)), isNew)
    }

    /// Somebody else's entry looks like none at all.
    func entry(_ id: WaitlistID, of account: AccountID) async throws -> WaitlistEntry {
        let found = try await answered { () async throws(StoreFailure) in try await store.entry(id) }
        guard let found, found.account == account else { throw Refusal(.notFound) }
        return found
    }

    /// The kept seats become a hold like any other, with the time of a new one.
    func accept(_ id: WaitlistID, by account: AccountID) async throws -> Hold {
        let entry = try await entry(id, of: account)
        guard entry.state == .offered, let offered = entry.hold else { throw Self.conflict(entry) }
        guard let session = catalogue.session(entry.session) else { throw Refusal(.notFound) }
        let hold: Hold
        do throws(HoldFailure) {
            hold = try await holds.touch(
                offered,
                in: entry.session,
                by: account,
                atLeast: holdLifetime,
                epoch: session.epoch
            )
        } catch {
            switch error {
            case .notFound, .expired: throw Refusal(.offerExpired, "the offered seats are not kept any more")
            default: throw Refusal(error, layout: catalogue.layout(entry.session))
            }
        }
        try await answered { () async throws(StoreFailure) in
            _ = try await store.lengthenOffer(id, until: hold.deadline)
        }
        return hold
    }

    func decline(_ id: WaitlistID, by account: AccountID) async throws {
        try await end(id, by: account, as: .declined)
    }

    func cancel(_ id: WaitlistID, by account: AccountID) async throws {
        try await end(id, by: account, as: .cancelled)
    }

    func reply(for entry: WaitlistEntry) async throws -> WaitlistReply {
        var offer: WaitlistReply.Offer?
        if entry.state == .offered, let id = entry.hold, let layout = catalogue.layout(entry.session),
            let hold = try? await holds.hold(id, in: entry.session)
        {
            offer = .init(
                holdID: "\(id)",
                seats: hold.seats.map { layout.name(of: $0) },
                expiresAt: hold.deadline.text
            )
        }
        return WaitlistReply(
            id: "\(entry.id)",
            sessionID: "\(entry.session)",
            partySize: entry.wish.size,
            areas: entry.wish.areas,
            together: entry.wish.isTogether,
            accessible: entry.wish.isAccessible,
            state: entry.state.rawValue,
            createdAt: entry.createdAt.text,
            offer: offer
        )
    }

    private func end(_ id: WaitlistID, by account: AccountID, as state: WaitlistState) async throws {
        let entry = try await entry(id, of: account)
        let isEnded = try await answered { () async throws(StoreFailure) in
            try await store.end(id, by: account, as: state)
        }
        guard isEnded else {
            if entry.state == state { return }
            throw Self.conflict(try await self.entry(id, of: account))
        }
        // A hold that an order has been made of stays with the order.
        if let hold = entry.hold { try? await holds.release(hold, in: entry.session, by: account) }
    }

    private static func conflict(_ entry: WaitlistEntry) -> Refusal {
        entry.state == .offerExpired
            ? Refusal(.offerExpired, "the offer has ended")
            : Refusal(.invalidTransition, "the entry is \(entry.state.rawValue)")
    }

    private func wish(_ request: WaitlistRequest, _ session: Session) throws -> PartyWish {
        guard let layout = catalogue.layout(session.id) else { throw Refusal(.inventoryUnavailable) }
        let sizeMax = min(session.limitPerBuyer, SeatWish.seatsMax)
        guard (1...sizeMax).contains(request.partySize) else {
            throw Refusal(.validationFailed, "\"party_size\" is a number from 1 to \(sizeMax)")
        }
        let areas = Set(request.areas ?? []).sorted()
        let known = Set(layout.sections.map(\.area))
        if let strange = areas.first(where: { !known.contains($0) }) {
            throw Refusal(.validationFailed, "there is no area \"\(strange.prefix(40))\" in this session")
        }
        return PartyWish(
            size: request.partySize,
            areas: areas,
            isTogether: request.together ?? false,
            isAccessible: request.accessible ?? false
        )
    }
}
