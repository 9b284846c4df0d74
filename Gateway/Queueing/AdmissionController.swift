/// Decides each second how far the serving cursor moves. Pure: the simulator runs the same code.
///
/// Room for = min(pace, cap − live passes − called and undecided, booking's credit, seats that can still be had), divided by
/// (1 − observed no-show). It widens who is *called*; who is *admitted* is decided by the claim, under pace and cap.
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
        /// Calls whose window ended since the last step, and how many of them were claimed.
        package var decidedCalls: Int
        package var decidedClaims: Int
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
            decidedCalls: Int = 0,
            decidedClaims: Int = 0,
            health: AdmissionHealth? = nil,
            expectsHealth: Bool = false
        ) {
            self.admission = admission
            self.isCalling = isCalling
            self.cursor = cursor
            self.lastNumber = lastNumber
            self.livePasses = livePasses
            self.undecided = undecided
            self.decidedCalls = decidedCalls
            self.decidedClaims = decidedClaims
            self.health = health
            self.expectsHealth = expectsHealth
        }
    }

    package static let noShowMax = 0.6
    /// Weight of one decided window in the observed no-show.
    package static let noShowWeight = 0.1
    package static let rampStart = 0.1
    package static let creditLeast = 0.05
    package static let creditCut = 0.7
    package static let creditGain = 0.02
    package static let cutPause: Duration = .seconds(5)
    package static let rateHalfLife = 15.0
    /// A leader that slept does not make up for it.
    package static let elapsedMax = 2.0

    /// Share of called people who do not come, smoothed.
    package private(set) var noShow = 0.0
    /// Share of the pace that booking can bear.
    package private(set) var credit = 1.0
    /// Smoothed moves of the cursor, places per minute.
    package private(set) var ratePerMinute = 0.0
    private var owed = 0.0
    private var callingSince: Moment?
    private var steppedAt: Moment?
    private var cutAt: Moment?

    package init() {}

    /// - Returns: the new cursor, never below the old one.
    package mutating func step(_ input: Input, at now: Moment) -> UInt64 {
        let elapsed = steppedAt.map { min(max(0, (now - $0).inSeconds), Self.elapsedMax) } ?? 1
        steppedAt = now
        observeNoShow(input)
        observeHealth(input, at: now)
        let calls = callCount(input, elapsed: elapsed, at: now)
        smoothRate(calls: calls, elapsed: elapsed, isWaiting: input.lastNumber > input.cursor)
        return input.cursor + UInt64(calls)
    }

    private mutating func callCount(_ input: Input, elapsed: Double, at now: Moment) -> Int {
        guard input.isCalling, input.health?.isSoldOut != true else {
            owed = 0
            if !input.isCalling { callingSince = nil }
            return 0
        }
        let since = callingSince ?? now
        callingSince = since
        let pace = Double(input.admission.perMinute) / 60 * ramp(input.admission, since: since, at: now) * credit
        // What was not used may be caught up for one second, not more: the cap would otherwise be met by a crowd.
        owed = min(owed + pace * elapsed, max(1, pace * (elapsed + 1)))
        let free = Double(max(0, input.admission.activeMax - input.livePasses - input.undecided))
        let seats = input.health.map { Double($0.seatsLeft) } ?? .infinity
        let room = min(owed, free, seats)
        let wanted = Int((room / (1 - noShow) + 1e-9).rounded(.down))
        let waiting = input.lastNumber > input.cursor ? input.lastNumber - input.cursor : 0
        let calls = Int(min(UInt64(max(0, wanted)), waiting))
        owed = max(0, owed - Double(calls) * (1 - noShow))
        return calls
    }

    private func ramp(_ admission: RoomPolicy.Admission, since: Moment, at now: Moment) -> Double {
        guard admission.rampSeconds > 0 else { return 1 }
        let share = (now - since).inSeconds / Double(admission.rampSeconds)
        return min(1, Self.rampStart + (1 - Self.rampStart) * max(0, share))
    }

    private mutating func observeNoShow(_ input: Input) {
        guard input.decidedCalls > 0 else { return }
        let missed = 1 - Double(min(input.decidedClaims, input.decidedCalls)) / Double(input.decidedCalls)
        noShow = min(Self.noShowMax, noShow + (missed - noShow) * Self.noShowWeight)
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

    private mutating func smoothRate(calls: Int, elapsed: Double, isWaiting: Bool) {
        // An empty line says nothing about how fast a full one moves.
        guard elapsed > 0, isWaiting || calls > 0 else { return }
        let now = Double(calls) * 60 / elapsed
        // A first value is taken as it is; later ones by exponential smoothing.
        let weight = ratePerMinute == 0 ? 1 : 1 - pow2(-elapsed / Self.rateHalfLife)
        ratePerMinute += (now - ratePerMinute) * weight
    }

    /// 2^x for −1 ≤ x ≤ 0 by its Taylor series: no C library in a core.
    private func pow2(_ exponent: Double) -> Double {
        let x = exponent * 0.693_147_180_559_945_3
        return 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5))))
    }
}
