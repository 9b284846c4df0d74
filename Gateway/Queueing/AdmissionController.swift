/// Decides each second how far the serving cursor moves. Pure: the simulator runs the same code.
///
/// Room for = min(pace, cap − live passes − called and undecided, booking's credit, seats that can still be had), divided by
/// (1 − observed no-show). It widens who is *called*; who is *admitted* is decided by the claim, under pace and cap.
/// The formulas are in docs/admission.md.
package struct AdmissionController: Sendable, Equatable {
    package struct Input: Sendable {
        package var admission: RoomPolicy.Admission
        /// Whether the phase and the override let people be called.
        package var isCalling: Bool
        package var cursor: UInt64
        package var lastNumber: UInt64
        package var livePasses: Int
        /// Called, present, inside the window or turned up, and without a pass.
        package var undecided: Int
        /// Of these, the ones who asked for a pass and found no room.
        package var turnedUp: Int
        /// Calls whose window ended since the last step, and how many of them came.
        package var decidedCalls: Int
        package var decidedClaims: Int
        /// Passes ever granted; nil when nobody counts them.
        package var granted: Int?
        /// The last report there is, however old; nil when the room protects nothing or none ever came.
        package var health: AdmissionHealth?
        /// Whether reports are to be expected.
        package var expectsHealth: Bool

        package init(
            admission: RoomPolicy.Admission,
            isCalling: Bool,
            cursor: UInt64,
            lastNumber: UInt64,
            livePasses: Int,
            undecided: Int,
            turnedUp: Int = 0,
            decidedCalls: Int = 0,
            decidedClaims: Int = 0,
            granted: Int? = nil,
            health: AdmissionHealth? = nil,
            expectsHealth: Bool = false
        ) {
            self.admission = admission
            self.isCalling = isCalling
            self.cursor = cursor
            self.lastNumber = lastNumber
            self.livePasses = livePasses
            self.undecided = undecided
            self.turnedUp = turnedUp
            self.decidedCalls = decidedCalls
            self.decidedClaims = decidedClaims
            self.granted = granted
            self.health = health
            self.expectsHealth = expectsHealth
        }
    }

    package static let noShowMax = 0.6
    /// How many decided calls weigh as much as all that was seen before.
    package static let noShowMemory = 50.0
    package static let creditLeast = 0.05
    package static let creditCut = 0.7
    package static let creditGain = 0.02
    package static let cutPause: Duration = .seconds(5)
    /// So many seconds of pace may stand before a door that is open; those beyond it are let in before more are called.
    package static let crowdSeconds = 3.0
    package static let seatsMargin = 1.5
    package static let rateHalfLife = 15.0
    /// What is expected is smoothed over so many seconds, or over so many calls if they take longer.
    package static let expectedHalfLife = 30.0
    package static let expectedCalls = 10.0
    package static let expectedHalfLifeMax = 600.0
    /// How long a visitor is taken to stay inside until the first ones have come out.
    package static let stayAssumed = 180.0
    /// A leader that slept does not make up for it.
    package static let elapsedMax = 2.0

    /// Share of called people who do not come, smoothed.
    package private(set) var noShow = 0.0
    /// Share of the pace that booking can bear.
    package private(set) var credit = 1.0
    package private(set) var rate = CallingRate()
    /// How far down the line the seats will last.
    package private(set) var stock: StockOutlook
    private var owed = 0.0
    private var smoothed = 0.0
    private var callingSince: Moment?
    private var firstCallAt: Moment?
    private var steppedAt: Moment?
    private var cutAt: Moment?

    package init() { stock = StockOutlook() }

    /// A new leader goes on where the one before it was: the rate and who was told that it is unlikely.
    package init(resuming rate: CallingRate, reachable: UInt64? = nil) {
        self.rate = rate
        smoothed = rate.expected
        stock = StockOutlook(resuming: reachable)
    }

    /// Smoothed moves of the cursor, places per minute.
    package var ratePerMinute: Double { rate.realised }

    /// What the line is told about its chances: nothing new, or from which rank on they are small, or that all is gone.
    package func outlook(of line: Input, last: UInt64) -> RoomSnapshot.Outlook {
        if line.health?.isSoldOut == true { return .gone }
        guard let reachable = stock.reachable, reachable < last, line.health != nil else { return .open }
        return .unlikely(beyond: reachable)
    }

    /// - Returns: the new cursor, never below the old one.
    package mutating func step(_ input: Input, at now: Moment) -> UInt64 {
        let elapsed = steppedAt.map { min(max(0, (now - $0).inSeconds), Self.elapsedMax) } ?? 1
        steppedAt = now
        observeNoShow(input)
        observeHealth(input, at: now)
        observeStock(input)
        let calls = callCount(input, elapsed: elapsed, at: now)
        smoothRate(calls: calls, elapsed: elapsed, input, at: now)
        return input.cursor + UInt64(calls)
    }

    private mutating func callCount(_ input: Input, elapsed: Double, at now: Moment) -> Int {
        guard input.isCalling, input.health?.isSoldOut != true else {
            owed = 0
            if !input.isCalling { callingSince = nil }
            return 0
        }
        let pace = Double(input.admission.perMinute) / 60 * rampShare(input.admission, at: now) * credit
        // What was not used may be caught up for one second, not more: the cap would otherwise be met by a crowd.
        owed = min(owed + pace * elapsed, max(1, pace * (elapsed + 1)))
        let free = Double(max(0, input.admission.activeMax - input.livePasses - input.undecided))
        let seats = input.health.map { seatsRoom($0, input) } ?? .infinity
        let crowd = Double(input.turnedUp) - Self.crowdSeconds * Double(input.admission.perMinute) / 60
        let room = min(owed - max(0, crowd), free, seats)
        let wanted = Int((room / (1 - noShow) + 1e-9).rounded(.down))
        let waiting = input.lastNumber > input.cursor ? input.lastNumber - input.cursor : 0
        let calls = Int(min(UInt64(max(0, wanted)), waiting))
        owed = max(0, owed - Double(calls) * (1 - noShow))
        return calls
    }

    /// Visitors the free seats may be enough for, half as many again as expected, less half of those who are inside or
    /// may still claim. One a step is called as long as a seat is free: people who only look must not stop the sale.
    private func seatsRoom(_ health: AdmissionHealth, _ input: Input) -> Double {
        guard health.seatsFree > 0 else { return 0 }
        let inside = Double(input.livePasses + input.undecided) * StockOutlook.insideShare
        let enoughFor = Double(health.seatsFree) / stock.seatsPerVisitor * Self.seatsMargin - inside
        return max(1, min(Double(health.seatsFree), enoughFor))
    }

    /// The ramp begins with the first step that may call. A leader that takes over begins where the rate had come to.
    private mutating func rampShare(_ admission: RoomPolicy.Admission, at now: Moment) -> Double {
        let ramp = Ramp(seconds: admission.rampSeconds)
        guard let since = callingSince else {
            let reached = min(1, rate.realised / Double(admission.perMinute))
            let done = reached > Ramp.start && ramp.slope > 0 ? (reached - Ramp.start) / ramp.slope : 0
            callingSince = now - .milliseconds(Int64(done * 1000))
            return ramp.share(after: done)
        }
        return ramp.share(after: (now - since).inSeconds)
    }

    private mutating func observeNoShow(_ input: Input) {
        guard input.decidedCalls > 0 else { return }
        let missed = 1 - Double(min(input.decidedClaims, input.decidedCalls)) / Double(input.decidedCalls)
        let weight = Double(input.decidedCalls) / (Double(input.decidedCalls) + Self.noShowMemory)
        noShow = min(Self.noShowMax, noShow + (missed - noShow) * weight)
    }

    private mutating func observeStock(_ input: Input) {
        guard let health = input.health else { return }
        stock.observe(
            .init(
                seatsLeft: health.seatsLeft,
                livePasses: input.livePasses,
                undecided: input.undecided,
                granted: input.granted,
                cursor: input.cursor,
                noShow: noShow
            )
        )
    }

    /// Multiplicative decrease under strain, at most once in `cutPause`; additive increase otherwise. No fresh report: the
    /// lower of what is and what was stays.
    private mutating func observeHealth(_ input: Input, at now: Moment) {
        guard input.admission.isAdaptive, input.expectsHealth else {
            credit = 1
            return
        }
        guard let health = input.health, health.isFresh(at: now) else { return }
        if health.isStrained {
            guard cutAt.map({ now - $0 >= Self.cutPause }) ?? true else { return }
            credit = max(Self.creditLeast, credit * Self.creditCut)
            cutAt = now
        } else {
            credit = min(1, credit + Self.creditGain)
        }
    }

    private mutating func smoothRate(calls: Int, elapsed: Double, _ input: Input, at now: Moment) {
        // An empty line says nothing about how fast a full one moves.
        guard elapsed > 0, input.lastNumber > input.cursor || calls > 0 else { return }
        let seen = Double(calls) * 60 / elapsed
        // A first value is taken as it is; later ones by exponential smoothing.
        let weight = rate.realised == 0 ? 1 : 1 - pow2(-elapsed / Self.rateHalfLife)
        rate.realised += (seen - rate.realised) * weight
        guard input.isCalling, input.health?.isSoldOut != true, callingSince != nil else { return }
        let share = rampShare(input.admission, at: now)
        let pace = Double(input.admission.perMinute)
        let before = smoothed > 0 ? smoothed : pace
        let spread = min(max(Self.expectedHalfLife, Self.expectedCalls * 60 / before), Self.expectedHalfLifeMax)
        smoothed = before + (seen / share - before) * (1 - pow2(-elapsed / spread))
        rate.expected = min(smoothed, rateUnderCap(input, at: now))
        rate.rampDelay = Ramp(seconds: input.admission.rampSeconds).delay(at: share)
    }

    /// Nobody knows how long people stay until some have come out; until then the cap is taken to fill up. A rate that is
    /// held down by the cap later on is seen, and needs no guess.
    private mutating func rateUnderCap(_ input: Input, at now: Moment) -> Double {
        let first = firstCallAt ?? now
        firstCallAt = first
        guard (now - first).inSeconds < 2 * Self.stayAssumed else { return .infinity }
        return Double(input.admission.activeMax) * 60 / Self.stayAssumed / (1 - noShow)
    }

    /// 2^x for −1 ≤ x ≤ 0 by its Taylor series: no C library in a core.
    private func pow2(_ exponent: Double) -> Double {
        let x = exponent * 0.693_147_180_559_945_3
        return 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5))))
    }
}
