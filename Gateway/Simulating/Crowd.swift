// The visitors of a simulation, in order of arrival.

package struct Member: Sendable, Equatable {
    package struct Traits: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let isBot = Traits(rawValue: 1)
        /// Claims when called.
        package static let shows = Traits(rawValue: 2)
        /// Claims only after its window, within the grace.
        package static let isLate = Traits(rawValue: 4)
        package static let buys = Traits(rawValue: 8)
        /// Its page is open when it is called, so that it is waited for.
        package static let isPresent = Traits(rawValue: 16)
    }

    /// After the opening of the sale; negative before it.
    package var arrivalMS: Int32
    /// From the pass to the payment.
    package var thinkMS: Int32
    /// After which it gives up waiting.
    package var patienceMS: Int32
    package var seats: UInt8
    package var traits: Traits

    package init(arrivalMS: Int32, thinkMS: Int32, patienceMS: Int32 = .max, seats: UInt8, traits: Traits) {
        self.arrivalMS = arrivalMS
        self.thinkMS = thinkMS
        self.patienceMS = patienceMS
        self.seats = seats
        self.traits = traits
    }
}

package struct Crowd: Sendable {
    static let thinkLeast = 5.0
    static let thinkMost = 86_400.0
    static let botThink = 5.0
    static let botSeatsLeast = 4.0
    /// How long after the first moment the last bot is there.
    static let botSpread = 2.0
    /// Of those who do not come: share whose page is still open.
    static let absentMindedShare = 0.3

    package private(set) var members: [Member]

    package init(_ members: [Member]) {
        self.members = members.sorted { $0.arrivalMS < $1.arrivalMS }
    }

    package init(_ plan: CrowdPlan, seed: UInt64) {
        var chance = Chance(seed: seed)
        var members: [Member] = []
        members.reserveCapacity(plan.visitors)
        for _ in 0..<plan.visitors { members.append(Self.member(plan, &chance)) }
        self.init(members)
    }

    static func member(_ plan: CrowdPlan, _ chance: inout Chance) -> Member {
        let isBot = chance.happens(plan.bots)
        var traits = Member.Traits()
        if isBot { traits.insert(.isBot) }
        if isBot || !chance.happens(plan.noShow) {
            traits.formUnion([.shows, .isPresent])
        } else {
            if chance.happens(plan.late) { traits.insert(.isLate) }
            if chance.happens(Self.absentMindedShare) { traits.insert(.isPresent) }
        }
        if isBot || chance.happens(plan.buys) { traits.insert(.buys) }
        let think = isBot ? Self.botThink : Self.thinkLeast + chance.exponential(mean: max(0, plan.think - thinkLeast))
        let seats = chance.whole(mean: isBot ? max(Self.botSeatsLeast, plan.seats) : plan.seats)
        return Member(
            arrivalMS: milliseconds(isBot ? botArrival(plan, &chance) : arrival(plan, &chance)),
            thinkMS: milliseconds(min(think, thinkMost)),
            patienceMS: isBot || plan.patience == 0 ? .max : milliseconds(chance.exponential(mean: plan.patience)),
            seats: UInt8(min(seats, Int(CrowdPlan.seatsMax))),
            traits: traits
        )
    }

    private static func botArrival(_ plan: CrowdPlan, _ chance: inout Chance) -> Double {
        (plan.curve == .prequeue && plan.early > 0 ? -plan.lead : 0) + chance.share() * botSpread
    }

    private static func arrival(_ plan: CrowdPlan, _ chance: inout Chance) -> Double {
        switch plan.curve {
        case .spike: return spike(plan.over, &chance)
        case .ramp: return plan.over * chance.share().squareRoot()
        case .steady: return plan.over * chance.share()
        case .prequeue:
            guard chance.happens(plan.early) else { return spike(plan.over, &chance) }
            // More and more until the opening.
            return -plan.lead * (1 - chance.share().squareRoot())
        }
    }

    /// Exponential with a quarter of the span as its mean, within the span.
    private static func spike(_ over: Double, _ chance: inout Chance) -> Double {
        for _ in 0..<64 {
            let time = chance.exponential(mean: over / 4)
            if time < over { return time }
        }
        return over * chance.share()
    }

    private static func milliseconds(_ seconds: Double) -> Int32 { Int32(min(seconds * 1000, 2_000_000_000)) }
}
