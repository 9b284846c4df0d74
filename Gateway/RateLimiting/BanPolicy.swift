/// When an address is shut out, and for how long. The length grows with each ban and falls back with calm.
package struct BanPolicy: Sendable, Equatable {
    package static let lengthsMax = 8
    package static let lengthSecondsMax = 86_400
    package static let addressesMax = 1 << 20

    /// More refusals by the limits of an address than this begin a ban.
    package let after: Rate
    /// Seconds of the first ban, the second …; the last one stays.
    package let lengths: [Int]
    /// One level is forgotten for each of these that passes without a ban.
    package let calmSeconds: Int
    /// Counts and reports, bans nobody.
    package let isShadow: Bool

    /// Nil unless there are 1 to 8 lengths, none shorter than the one before, each at most a day, and calm of 1 s to a week.
    package init?(after: Rate, lengths: [Int], calmSeconds: Int, isShadow: Bool = false) {
        guard (1...Self.lengthsMax).contains(lengths.count), lengths == lengths.sorted(),
            lengths.allSatisfy({ (1...Self.lengthSecondsMax).contains($0) }), (1...604_800).contains(calmSeconds)
        else { return nil }
        self.after = after
        self.lengths = lengths
        self.calmSeconds = calmSeconds
        self.isShadow = isShadow
    }

    /// Levels count from 1; 0 is an address without a past.
    package func lengthNS(level: Int) -> Int64 {
        Int64(lengths[min(max(level, 1), lengths.count) - 1]) * 1_000_000_000
    }

    /// What is left of a level after the calm since its ban ended.
    package func level(after level: Int, endedNS: Int64, atNS nowNS: Int64) -> Int {
        guard nowNS > endedNS else { return level }
        return max(0, level - Int(clamping: (nowNS - endedNS) / (Int64(calmSeconds) * 1_000_000_000)))
    }

    /// How long after its end a ban of this level matters to the next one.
    package func memoryNS(level: Int) -> Int64 { Int64(level) * Int64(calmSeconds) * 1_000_000_000 }
}

/// A ban that began at this gateway and is to be told to the others.
package struct FreshBan: Sendable, Equatable {
    package var key: LimitKey
    package var level: Int
    package var lengthNS: Int64
    package var memoryNS: Int64
    /// The rule whose refusal was one too many.
    package var rule: UInt8
}
