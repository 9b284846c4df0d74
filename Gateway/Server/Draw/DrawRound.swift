// Which round of the beacon a lottery is drawn with: named by the policy and the seal, before it exists.
package import Queueing

package enum DrawRound {
    /// Between the opening of the sale, or a late seal, and the round.
    static let leadPeriods: Int64 = 2
    /// How long after its time a round may be missing before the next one is named.
    package static let patience: Duration = .seconds(30)
    /// From one named round to the next.
    static let step: UInt64 = 20
    /// Beyond these no round is named any more: the room waits for the last.
    static let namedMax = 150

    /// The first round at `sale_opens_at` and two periods; for a list that was sealed less than a period before that
    /// round, the first one two periods after the seal.
    package static func first(chain: BeaconChain, saleOpensAt: Moment, sealedAt: Moment?) -> UInt64 {
        let lead = Duration.seconds(leadPeriods * chain.periodSeconds)
        let round = chain.firstRound(from: saleOpensAt + lead)
        let latest = chain.moment(of: round) - .seconds(chain.periodSeconds)
        guard let sealedAt, latest < sealedAt else { return round }
        return chain.firstRound(from: sealedAt + lead)
    }

    /// The round in force: the last one that was named before its time, each later than the one before.
    package static func current(first: UInt64, named: [OrderRecord.NamedRound], chain: BeaconChain) -> UInt64 {
        named.reduce(first) { current, next in
            next.round > current && next.at < chain.moment(of: next.round) ? next.round : current
        }
    }

    /// The round to name when one cannot be had: every twentieth, the first that is still more than a period away.
    package static func next(after round: UInt64, chain: BeaconChain, at now: Moment) -> UInt64 {
        var next = round + step
        let soon = now + .seconds(chain.periodSeconds)
        if chain.moment(of: next) <= soon {
            let missed = chain.firstRound(from: soon) - next
            next += (missed + step) / step * step
        }
        return next
    }
}
