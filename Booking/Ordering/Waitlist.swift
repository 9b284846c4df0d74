// Parties that wait for seats, and what is offered to them.

/// Where a party stands, and the only moves.
package enum WaitlistState: String, Sendable, CaseIterable {
    case waiting, offered, purchased, declined, cancelled
    case offerExpired = "offer_expired"

    package enum Event: String, Sendable, CaseIterable {
        case offered, bought, declined, offerEnded, cancelled
    }

    /// The state after `event`, or `nil` when the move is illegal.
    package func after(_ event: Event) -> WaitlistState? {
        switch (self, event) {
        case (.waiting, .offered): .offered
        case (.waiting, .cancelled), (.offered, .cancelled): .cancelled
        case (.offered, .bought): .purchased
        case (.offered, .declined): .declined
        case (.offered, .offerEnded): .offerExpired
        default: nil
        }
    }

    package var isFinal: Bool { Event.allCases.allSatisfy { after($0) == nil } }
}

/// What a party would take.
package struct PartyWish: Sendable, Hashable {
    package var size: Int
    /// Names of price areas; none means any.
    package var areas: [String]
    /// Together or not at all.
    package var isTogether: Bool
    package var isAccessible: Bool

    package init(size: Int, areas: [String], isTogether: Bool, isAccessible: Bool) {
        self.size = size
        self.areas = areas
        self.isTogether = isTogether
        self.isAccessible = isAccessible
    }

    /// What to try, one after the other: numbered seats, then places of each area.
    package func selections(in layout: SessionLayout) -> [SeatSelection] {
        let wanted = layout.sections.indices.filter { areas.isEmpty || areas.contains(layout.sections[$0].area) }
        let seated = wanted.filter { layout.sections[$0].kind == .seats }
        var selections: [SeatSelection] = []
        if !seated.isEmpty {
            let best = BestSeats(
                quantity: size,
                sections: areas.isEmpty ? [] : seated,
                isTogether: isTogether,
                isAccessible: isAccessible
            )
            selections.append(.best(best))
        }
        guard !isAccessible else { return selections }
        for section in wanted where layout.sections[section].kind == .area {
            selections.append(.areas([AreaWish(section: section, quantity: size)]))
        }
        return selections
    }
}

package struct WaitlistEntry: Sendable, Equatable {
    package var id: WaitlistID
    package var session: SessionID
    package var account: AccountID
    package var wish: PartyWish
    package var state: WaitlistState
    /// The hold that keeps the seats, of the last offer.
    package var hold: HoldID?
    package var offeredUntil: Moment?
    package var createdAt: Moment

    package init(
        id: WaitlistID,
        session: SessionID,
        account: AccountID,
        wish: PartyWish,
        state: WaitlistState,
        hold: HoldID?,
        offeredUntil: Moment?,
        createdAt: Moment
    ) {
        self.id = id
        self.session = session
        self.account = account
        self.wish = wish
        self.state = state
        self.hold = hold
        self.offeredUntil = offeredUntil
        self.createdAt = createdAt
    }
}

/// Port to the waiting lists. Every method is one transaction that moves states by compare-and-set.
package protocol WaitlistStore: Sendable {
    /// Puts a party on the list; a buyer who is on it keeps the place. The entry's id, and whether it is new.
    func join(_ id: WaitlistID, _ session: SessionID, by account: AccountID, _ wish: PartyWish)
        async throws(StoreFailure) -> (id: WaitlistID, isNew: Bool)
    func entry(_ id: WaitlistID) async throws(StoreFailure) -> WaitlistEntry?
    /// Who waits, in the order of service of each session.
    func waiting(limit: Int) async throws(StoreFailure) -> [WaitlistEntry]
    /// waiting → offered; `false` when the party does not wait any more.
    func offer(_ id: WaitlistID, hold: HoldID, until: Moment) async throws(StoreFailure) -> Bool
    func lengthenOffer(_ id: WaitlistID, until: Moment) async throws(StoreFailure) -> Bool
    /// By the buyer: offered → declined, or either → cancelled; `false` when that is not possible.
    func end(_ id: WaitlistID, by account: AccountID, as state: WaitlistState) async throws(StoreFailure) -> Bool
    /// Offers whose time is over become purchased or expired, unless an order of theirs is under way; how many.
    func settleOffers(limit: Int) async throws(StoreFailure) -> Int
}
