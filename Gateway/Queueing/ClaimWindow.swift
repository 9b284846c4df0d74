/// How long a called place may be claimed: within the window it is called, within the grace after it parked.
package struct ClaimWindow: Sendable, Equatable {
    package enum Standing: Sendable, Equatable {
        case open(until: Moment)
        case parked(until: Moment)
        case over
    }

    package var windowSeconds: Int
    package var graceSeconds: Int
    /// How often a called visitor may ask for one window more (WCAG 2.2.1: ten times, unless there is a reason).
    package var extensionsMax: Int

    package static let standardExtensionsMax = 10

    package init(windowSeconds: Int, graceSeconds: Int, extensionsMax: Int = Self.standardExtensionsMax) {
        self.windowSeconds = windowSeconds
        self.graceSeconds = graceSeconds
        self.extensionsMax = extensionsMax
    }

    package var window: Duration { .seconds(windowSeconds) }
    package var whole: Duration { .seconds(windowSeconds + graceSeconds) }

    package func standing(calledAt: Moment, at now: Moment) -> Standing {
        let end = calledAt + window
        if now < end { return .open(until: end) }
        let last = calledAt + whole
        return now < last ? .parked(until: last) : .over
    }
}
