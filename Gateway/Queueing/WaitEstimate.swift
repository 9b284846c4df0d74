/// How long a place will wait, from the people ahead and the rate at which they are really called.
package struct WaitEstimate: Sendable, Equatable {
    package enum Reason: String, Sendable {
        case paused
        case notOpen = "not_open"
        case soldOut = "sold_out"
        case noRate = "no_rate"
        /// The place has no rank yet.
        case assigning
    }

    package var p50Seconds: Int?
    package var p90Seconds: Int?
    /// Why there is no number.
    package var reason: Reason?

    /// What all estimates of a room have in common.
    package struct Basis: Sendable, Equatable {
        /// Why there is no number, for anybody.
        var reason: Reason?
        /// Nil once people are called.
        var opensAt: Moment?
        var perMinute: Double
        var ramp: Ramp
        /// What the rest of the ramp still costs, seconds.
        var rampDelay: Double

        package init(_ room: RoomSnapshot) {
            self.init(
                phase: room.phase,
                policy: room.policy,
                rate: room.rate,
                outlook: room.outlook,
                isPaused: room.isPaused
            )
        }

        package init(
            phase: Phase,
            policy: RoomPolicy,
            rate: CallingRate,
            outlook: RoomSnapshot.Outlook,
            isPaused: Bool
        ) {
            // Before the first call there is no realised rate: the policy's pace stands in.
            let isSeen = rate.expected > 0
            perMinute = isSeen ? rate.expected : Double(policy.admission.perMinute)
            ramp = Ramp(seconds: policy.admission.rampSeconds)
            rampDelay = isSeen ? rate.rampDelay : ramp.delay(at: Ramp.start)
            if outlook == .gone {
                reason = .soldOut
            } else if isPaused {
                reason = .paused
            } else if !phase.callsPeople {
                opensAt = phase == .closed ? nil : policy.schedule.saleOpensAt
                reason = opensAt == nil ? .notOpen : nil
            }
        }
    }

    /// `ahead` people are called before this place; 0 once it is called.
    package init(ahead: UInt64, _ basis: Basis, at now: Moment) {
        if let reason = basis.reason {
            self.init(reason: reason)
        } else {
            let untilOpen = basis.opensAt.map { max(0, ($0 - now).inSeconds) } ?? 0
            self.init(
                ahead: ahead,
                perMinute: basis.perMinute,
                untilOpen: untilOpen,
                ramp: basis.ramp,
                rampDelay: basis.rampDelay
            )
        }
    }

    package init(ahead: UInt64, in room: RoomSnapshot, at now: Moment) {
        self.init(ahead: ahead, Basis(room), at: now)
    }

    /// The p90 adds the spread of a Poisson count (1.2816 standard deviations) and a quarter for rate changes.
    package init(
        ahead: UInt64,
        perMinute: Double,
        untilOpen: Double = 0,
        ramp: Ramp = Ramp(seconds: 0),
        rampDelay: Double = 0
    ) {
        guard perMinute > 0 else {
            self.init(reason: .noRate)
            return
        }
        let count = Double(ahead)
        let seconds = ramp.time(toCall: count * 60 / perMinute, delay: rampDelay)
        let spread = 1.2816 * count.squareRoot() * 60 / perMinute
        self.init(p50: Self.whole(untilOpen + seconds), p90: Self.whole(untilOpen + seconds * 1.25 + spread))
    }

    /// Of a place without rank.
    package init(assigningIn basis: Basis) {
        self.init(reason: basis.reason ?? .assigning)
    }

    private init(p50: Int? = nil, p90: Int? = nil, reason: Reason? = nil) {
        p50Seconds = p50
        p90Seconds = p90
        self.reason = reason
    }

    private static let secondsMax = 31_536_000.0

    private static func whole(_ seconds: Double) -> Int { Int(min(seconds, secondsMax).rounded(.up)) }
}

/// When the next poll should come: a twentieth of the wait, 2 to 60 s, spread by a fifth so that polls do not march in step.
package enum PollDelay {
    package static let least = 2.0
    package static let most = 60.0
    package static let spread = 0.2

    /// Tenths of a second; `chance` is evenly from 0 to 1.
    package static func tenths(p50Seconds: Int?, chance: Double) -> Int {
        let plain = p50Seconds.map { min(max(Double($0) / 20, least), most) } ?? 10
        return Int((plain * (1 - spread + 2 * spread * chance) * 10).rounded())
    }

    /// The chance of one place in one snapshot: evenly spread over the numbers, another one at each pull, and the same
    /// at every gateway (SplitMix64).
    package static func chance(number: UInt64, asOf: Moment) -> Double {
        let seed = UInt64(bitPattern: asOf.milliseconds) &* 0xd134_2543_de82_ef95
        var z = (seed ^ number) &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
