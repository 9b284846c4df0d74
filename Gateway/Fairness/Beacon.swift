// The public beacon a lottery is drawn with, and the rule that names its round before anybody can know its value.

/// drand's quicknet: a round every three seconds, each an unchained signature over its number.
package enum Quicknet {
    package static let chain = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
    package static let genesisMilliseconds: Int64 = 1_692_803_367_000
    package static let periodMilliseconds: Int64 = 3000
    package static let signatureLength = 48

    package static func milliseconds(of round: UInt64) -> Int64 {
        genesisMilliseconds + Int64(clamping: round &- 1) * periodMilliseconds
    }

    /// The first round that comes at this time or later.
    package static func firstRound(from milliseconds: Int64) -> UInt64 {
        let since = milliseconds - genesisMilliseconds
        guard since > 0 else { return 1 }
        return UInt64((since + periodMilliseconds - 1) / periodMilliseconds) + 1
    }
}

package enum NamedRound {
    static let leadPeriods: Int64 = 2
    static let patienceMilliseconds: Int64 = 30_000
    static let step: UInt64 = 20

    /// The round named by the opening of the sale; by the seal, when that came later than a period before the round.
    package static func first(saleOpensAt: Int64, sealedAt: Int64) -> UInt64 {
        let lead = leadPeriods * Quicknet.periodMilliseconds
        let round = Quicknet.firstRound(from: saleOpensAt + lead)
        guard sealedAt > Quicknet.milliseconds(of: round) - Quicknet.periodMilliseconds else { return round }
        return Quicknet.firstRound(from: sealedAt + lead)
    }

    /// The round in force after the rounds that were named since; nil when one was named against the rule: not a
    /// multiple of twenty later, not half a minute after the one before was due, or not before its own time.
    static func inForce(first: UInt64, named: [BundleHeader.Named]) -> UInt64? {
        var current = first
        for next in named where next.round != current {
            guard next.round > current, (next.round - current) % step == 0,
                next.at >= Quicknet.milliseconds(of: current) + patienceMilliseconds,
                next.at < Quicknet.milliseconds(of: next.round)
            else { return nil }
            current = next.round
        }
        return current
    }
}
