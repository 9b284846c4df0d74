/// So many requests a period, with a burst: the two numbers of the Generic Cell Rate Algorithm (ITU-T I.371).
package struct Rate: Sendable, Equatable {
    package let count: Int
    package let periodSeconds: Int
    package let burst: Int

    /// - Parameters: all at least 1, at most a million; nil otherwise.
    package init?(_ count: Int, perSeconds period: Int = 60, burst: Int) {
        let range = 1...1_000_000
        guard range.contains(count), range.contains(period), range.contains(burst) else { return nil }
        self.count = count
        self.periodSeconds = period
        self.burst = burst
    }

    /// Nanoseconds between two requests at the sustained rate, rounded up so that the rate is never exceeded.
    package var intervalNS: Int64 { (Int64(periodSeconds) * 1_000_000_000 + Int64(count) - 1) / Int64(count) }

    /// How far the theoretical arrival time may run ahead.
    package var toleranceNS: Int64 { intervalNS * Int64(burst) }
}

/// One client's state: the theoretical arrival time of its next request, in nanoseconds of a clock that only grows.
package struct Allowance: Sendable, Equatable {
    package enum Decision: Sendable, Equatable {
        /// `remaining` more may come at once; all of the burst is there again after `resetNS`.
        case allowed(remaining: Int, resetNS: Int64)
        case refused(retryAfterNS: Int64, resetNS: Int64)

        package var isAllowed: Bool {
            if case .allowed = self { true } else { false }
        }
    }

    package private(set) var arrivalNS: Int64

    package init(arrivalNS: Int64 = 0) {
        self.arrivalNS = arrivalNS
    }

    /// What `take` would say, without taking.
    package func ask(_ rate: Rate, at nowNS: Int64) -> Decision {
        var copy = self
        return copy.take(rate, at: nowNS)
    }

    package mutating func take(_ rate: Rate, at nowNS: Int64) -> Decision {
        let interval = rate.intervalNS
        let tolerance = rate.toleranceNS
        // A tightened rule must not lock a client out for longer than the rule itself could.
        let start = min(max(arrivalNS, nowNS), nowNS + tolerance)
        let next = start + interval
        guard next - nowNS <= tolerance else {
            return .refused(retryAfterNS: next - nowNS - tolerance, resetNS: start - nowNS)
        }
        arrivalNS = next
        return .allowed(remaining: Int((tolerance - (next - nowNS)) / interval), resetNS: next - nowNS)
    }
}
