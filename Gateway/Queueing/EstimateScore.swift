/// Whether what waiting people were told came true. A fixed table of probes: each is a rank, when it was asked about and
/// the answer; when the cursor passes it the answer is scored. Pure, bounded.
package struct EstimateScore: Sendable, Equatable {
    package static let probesMax = 512
    package static let scoredMax = 512
    package static let intervalStart: Duration = .seconds(1)
    package static let intervalMax: Duration = .seconds(64)

    private struct Probe: Sendable, Equatable {
        var rank: UInt64
        var askedAt: Moment
        var p50Seconds: Int
        var p90Seconds: Int
    }

    private struct Score: Sendable, Equatable {
        var isCovered: Bool
        var error: Double
    }

    private var probes: [Probe] = []
    private var scores: [Score] = []
    private var nextScore = 0
    private var interval = Self.intervalStart
    private var askedAt: Moment?
    private var turn: UInt64 = 0
    /// Estimates scored since the start.
    package private(set) var scoredCount = 0

    package init() {}

    package var openProbes: Int { probes.count }

    /// Share of the last scored estimates whose wait was at most the p90; nil before the first.
    package var p90Coverage: Double? {
        scores.isEmpty ? nil : Double(scores.count { $0.isCovered }) / Double(scores.count)
    }

    /// Median of |wait − p50| ÷ wait over the last scored estimates; nil before the first.
    package var medianRelativeError: Double? {
        guard !scores.isEmpty else { return nil }
        return scores.map(\.error).sorted()[scores.count / 2]
    }

    /// Scores the probes the cursor has passed, and asks about one more place of the line.
    package mutating func observe(cursor: UInt64, last: UInt64, _ basis: WaitEstimate.Basis, at now: Moment) {
        if probes.contains(where: { $0.rank <= cursor }) {
            for probe in probes where probe.rank <= cursor { score(probe, at: now) }
            probes.removeAll { $0.rank <= cursor }
        }
        guard last > cursor, askedAt.map({ now - $0 >= interval }) ?? true else { return }
        ask(cursor: cursor, waiting: last - cursor, basis, at: now)
    }

    private mutating func ask(cursor: UInt64, waiting: UInt64, _ basis: WaitEstimate.Basis, at now: Moment) {
        // Places near and far alike: multiples of the golden ratio fill the line evenly.
        turn &+= 1
        let share = Double((turn &* 0x9E37_79B9_7F4A_7C15) >> 11) * 0x1p-53
        let ahead = min(waiting - 1, UInt64(Double(waiting) * share))
        let estimate = WaitEstimate(ahead: ahead, basis, at: now)
        guard let p50 = estimate.p50Seconds, let p90 = estimate.p90Seconds else { return }
        askedAt = now
        if probes.count >= Self.probesMax { thinOut() }
        if probes.count < Self.probesMax / 8 { interval = max(interval / 2, Self.intervalStart) }
        probes.append(Probe(rank: cursor + ahead + 1, askedAt: now, p50Seconds: p50, p90Seconds: p90))
    }

    /// A full table loses every other probe, whatever its age, and asks half as often: long waits stay in it.
    private mutating func thinOut() {
        probes = probes.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        interval = min(interval * 2, Self.intervalMax)
    }

    private mutating func score(_ probe: Probe, at now: Moment) {
        // Estimates are whole seconds, rounded up, and the cursor moves once a second.
        let wait = max(1, (now - probe.askedAt).inSeconds)
        let error = (wait - Double(probe.p50Seconds)).magnitude
        let score = Score(isCovered: wait <= Double(probe.p90Seconds) + 1, error: max(0, error - 1) / wait)
        scoredCount += 1
        if scores.count < Self.scoredMax {
            scores.append(score)
        } else {
            scores[nextScore] = score
            nextScore = (nextScore + 1) % Self.scoredMax
        }
    }
}
