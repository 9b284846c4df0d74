/// Where a room is in its life.
package enum Phase: String, Sendable, CaseIterable {
    case draft, scheduled, prequeue, sealed, drawn, active, draining, closed

    /// Whether a place can be taken now.
    package var admitsJoins: Bool {
        switch self {
        case .prequeue, .sealed, .drawn, .active: true
        case .draft, .scheduled, .draining, .closed: false
        }
    }

    /// Whether people are being called and may claim.
    package var callsPeople: Bool {
        switch self {
        case .active, .draining: true
        case .draft, .scheduled, .prequeue, .sealed, .drawn, .closed: false
        }
    }

    /// The whole table of changes. A sealed list cannot be opened again, and a closed room stays closed.
    package func mayBecome(_ next: Phase, order: RoomPolicy.OrderMethod) -> Bool {
        switch (self, next) {
        case (.draft, .scheduled), (.draft, .prequeue), (.draft, .closed): true
        case (.scheduled, .draft), (.scheduled, .prequeue), (.scheduled, .closed): true
        case (.draft, .active), (.scheduled, .active), (.prequeue, .active): order == .firstCome
        case (.prequeue, .sealed), (.sealed, .drawn), (.drawn, .active): order == .lottery
        case (.prequeue, .closed), (.sealed, .closed), (.drawn, .closed): true
        case (.active, .draining), (.active, .closed): true
        case (.draining, .active), (.draining, .closed): true
        default: false
        }
    }

    /// How long after the close of the sale a draining room may last.
    package static let drainingMax: Duration = .seconds(3600)

    /// The phase the clock asks for, if another than this one. Empty means: nobody waits, is called or holds a pass.
    package func due(
        _ schedule: RoomPolicy.Schedule,
        order: RoomPolicy.OrderMethod = .firstCome,
        isEmpty: Bool,
        at now: Moment
    ) -> Phase? {
        func passed(_ moment: Moment?) -> Bool { moment.map { $0 <= now } ?? false }
        switch self {
        case .scheduled:
            // Without a time to join, a room that sells may be joined; a lottery passes through its pre-queue.
            if passed(schedule.saleOpensAt) { return order == .lottery ? .prequeue : .active }
            return passed(schedule.joinOpensAt) ? .prequeue : nil
        case .prequeue:
            guard passed(schedule.saleOpensAt) else { return nil }
            return order == .lottery ? .sealed : .active
        case .active:
            return passed(schedule.closesAt) ? .draining : nil
        case .draining:
            return isEmpty || passed(schedule.closesAt.map { $0 + Self.drainingMax }) ? .closed : nil
        case .sealed, .drawn:
            // The leader draws, then opens; a sale that closed meanwhile is over.
            if passed(schedule.closesAt) { return .closed }
            return self == .drawn && passed(schedule.saleOpensAt) ? .active : nil
        case .draft, .closed:
            return nil
        }
    }
}

/// What an admin has put over the phase.
package enum Override: Sendable, Equatable {
    case none
    /// Nobody is called, claims wait; places and passes stay good.
    case paused
    /// The room is out of the way: its paths need no pass.
    case passthrough
    /// Nobody gets in, not even with a pass.
    case reject
    /// As passthrough, until a time that was said beforehand.
    case failOpen(until: Moment)

    package static let failOpenMax: Duration = .seconds(3600)

    /// `none`, `paused`, `passthrough`, `reject`, `fail_open:<milliseconds>`.
    package init?(text: some StringProtocol) {
        switch text {
        case "none": self = .none
        case "paused": self = .paused
        case "passthrough": self = .passthrough
        case "reject": self = .reject
        default:
            guard text.hasPrefix("fail_open:"), let until = Int64(text.dropFirst("fail_open:".count)) else {
                return nil
            }
            self = .failOpen(until: Moment(milliseconds: until))
        }
    }

    package var text: String {
        switch self {
        case .none: "none"
        case .paused: "paused"
        case .passthrough: "passthrough"
        case .reject: "reject"
        case .failOpen(let until): "fail_open:\(until.milliseconds)"
        }
    }

    package func letsEveryoneThrough(at now: Moment) -> Bool {
        switch self {
        case .passthrough: true
        case .failOpen(let until): now < until
        case .none, .paused, .reject: false
        }
    }

    package var stopsCalling: Bool { self == .paused || self == .reject }
}
