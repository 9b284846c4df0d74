/// How fast the line moves: as it was seen, and as it is expected to go on.
package struct CallingRate: Sendable, Equatable {
    /// Smoothed moves of the cursor, places per minute: what visitors are shown.
    package var realised: Double
    /// The same without the ramp's share: the rate once the ramp is over. Zero before the first call.
    package var expected: Double
    /// What the rest of the ramp costs somebody behind it, seconds.
    package var rampDelay: Double

    package init(realised: Double = 0, expected: Double? = nil, rampDelay: Double = 0) {
        self.realised = realised
        self.expected = expected ?? realised
        self.rampDelay = rampDelay
    }

    /// `realised expected delay`, or the first of them alone.
    package init?(text: some StringProtocol) {
        let parts = text.split(separator: " ").map { Double($0) }
        guard let first = parts.first, let realised = first, parts.count == 1 || parts.count == 3 else { return nil }
        let values = parts.compactMap { $0 }
        guard values.count == parts.count, values.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return nil }
        self.init(
            realised: realised,
            expected: parts.count == 3 ? values[1] : nil,
            rampDelay: parts.count == 3 ? values[2] : 0
        )
    }

    package var text: String { "\(realised) \(expected) \(rampDelay)" }
}

/// The start of a sale: a tenth of the pace, rising in a straight line to all of it.
package struct Ramp: Sendable, Equatable {
    package static let start = 0.1

    package var seconds: Double

    package init(seconds: Int) {
        self.seconds = Double(seconds)
    }

    /// Share of the pace `elapsed` seconds after the first call.
    package func share(after elapsed: Double) -> Double {
        guard seconds > 0 else { return 1 }
        return min(1, Self.start + slope * max(0, elapsed))
    }

    /// Rise of the share in a second.
    package var slope: Double { seconds > 0 ? (1 - Self.start) / seconds : 0 }

    /// What is still lost when the share is this: the area between the ramp and the full pace.
    package func delay(at share: Double) -> Double {
        guard slope > 0, share < 1 else { return 0 }
        return (1 - share) * (1 - share) / (2 * slope)
    }

    /// Seconds until as much was called as the full pace calls in `fullSeconds`, when `delay` of the ramp is to come.
    package func time(toCall fullSeconds: Double, delay: Double) -> Double {
        guard slope > 0, delay > 0 else { return fullSeconds }
        let share = max(Self.start, 1 - (2 * slope * delay).squareRoot())
        // share·t + slope·t²/2 calls until the ramp is over.
        let t = ((share * share + 2 * slope * fullSeconds).squareRoot() - share) / slope
        return t <= (1 - share) / slope ? t : fullSeconds + delay
    }
}
