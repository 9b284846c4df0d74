/// So many requests a period, with a burst: the two numbers of the Generic Cell Rate Algorithm (ITU-T I.371).
package struct Rate: Sendable, Equatable {
    package static let countMax = 1_000_000

    package let count: Int
    package let periodSeconds: Int
    package let burst: Int

    /// - Parameters: all at least 1, at most a million; nil otherwise.
    package init?(_ count: Int, perSeconds period: Int = 60, burst: Int) {
        let range = 1...Self.countMax
        guard range.contains(count), range.contains(period), range.contains(burst) else { return nil }
        self.count = count
        self.periodSeconds = period
        self.burst = burst
    }

    /// `COUNT`, `COUNT/PERIOD` or `COUNT/PERIOD,BURST`, such as `240/1m,256`: without a period a minute, without a burst
    /// as many as the count.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let rate = parts.first else { return nil }
        let halves = rate.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), let count = Self.number(halves[0]),
            let period = halves.count == 2 ? Self.seconds(halves[1]) : 60,
            let burst = parts.count == 2 ? Self.number(parts[1]) : count
        else { return nil }
        self.init(count, perSeconds: period, burst: burst)
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    /// `5s`, `1m`, `2h`.
    package static func seconds(_ text: some StringProtocol) -> Int? {
        let unit: Int
        switch text.last {
        case "s": unit = 1
        case "m": unit = 60
        case "h": unit = 3600
        default: return nil
        }
        guard let number = number(text.dropLast()), (1...countMax).contains(number) else { return nil }
        return number * unit
    }

    /// Nanoseconds between two requests at the sustained rate, rounded up so that the rate is never exceeded.
    package var intervalNS: Int64 { (Int64(periodSeconds) * 1_000_000_000 + Int64(count) - 1) / Int64(count) }

    /// How far the theoretical arrival time may run ahead.
    package var toleranceNS: Int64 { intervalNS * Int64(burst) }
}
