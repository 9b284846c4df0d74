/// An amount in the smallest unit of its currency.
package struct Money: Hashable, Sendable {
    package var amountMinor: Int64
    /// ISO 4217, upper case.
    package var currency: String

    package init(_ amountMinor: Int64, _ currency: String) {
        self.amountMinor = amountMinor
        self.currency = currency
    }
}

/// A point in time: milliseconds since 1970, UTC.
package struct Moment: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (left: Moment, right: Moment) -> Bool { left.milliseconds < right.milliseconds }

    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(milliseconds: moment.milliseconds + duration.milliseconds)
    }

    /// Time from `earlier` to `later`.
    package static func - (later: Moment, earlier: Moment) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }
}

extension Duration {
    package var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
