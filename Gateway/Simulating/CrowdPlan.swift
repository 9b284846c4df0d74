// Who comes and when, in one line of text: `spike,visitors=100000,over=60,bots=0.1`.

/// What is wrong with a description of a crowd or a scenario.
package struct ScenarioFlaw: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

package struct CrowdPlan: Sendable, Equatable {
    package enum Curve: String, Sendable, CaseIterable {
        /// Most at once when the sale opens, then fewer and fewer.
        case spike
        /// More and more until the end.
        case ramp
        case steady
        /// A share waits before the sale opens, the others come as in a spike.
        case prequeue
    }

    package static let visitorsMax = 5_000_000
    package static let secondsMax = 172_800.0
    package static let seatsMax = 20.0

    package var curve = Curve.spike
    package var visitors = 10_000
    /// Seconds after the opening within which all have come.
    package var over = 300.0
    /// Share that comes before the opening (prequeue), and how many seconds before it the first come.
    package var early = 0.7
    package var lead = 600.0
    /// Share of bots: they come first, always claim at once, think for five seconds and want four seats or more.
    package var bots = 0.0
    /// Share that does not claim when called; of these, the share that comes after the window, within the grace.
    package var noShow = 0.1
    package var late = 0.2
    /// Mean seconds a visitor waits before giving up; 0: for ever.
    package var patience = 0.0
    /// Mean seconds from the pass to the payment.
    package var think = 90.0
    /// Share of those with a pass who buy, and their seats on average.
    package var buys = 0.8
    package var seats = 2.0

    package init() {}

    package static let help = """
        spike | ramp | steady | prequeue, then any of: visitors=10000, over=300 (seconds within which all have come), \
        early=0.7 and lead=600 (prequeue: share that comes before the opening, seconds before it), bots=0, no_show=0.1, \
        late=0.2 (of the no-shows: claim in the grace), patience=0 (mean seconds before giving up; 0 never), \
        think=90 (mean seconds from pass to payment), buys=0.8 (share of passes), seats=2 (mean of a buyer)
        """

    package init(_ text: String) throws(ScenarioFlaw) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " } }
        guard let first = parts.first, let curve = Curve(rawValue: first) else {
            throw ScenarioFlaw("arrivals: must begin with spike, ramp, steady or prequeue")
        }
        self.curve = curve
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, let value = Double(pair[1]), value.isFinite else {
                throw ScenarioFlaw("arrivals: `\(part.prefix(40))` is not name=number")
            }
            try set(String(pair[0]), value)
        }
    }

    private mutating func set(_ name: String, _ value: Double) throws(ScenarioFlaw) {
        func inside(_ range: ClosedRange<Double>) throws(ScenarioFlaw) -> Double {
            guard range.contains(value) else {
                throw ScenarioFlaw(
                    "arrivals: \(name) is from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
                )
            }
            return value
        }
        switch name {
        case "visitors": visitors = Int(try inside(1...Double(Self.visitorsMax)))
        case "over": over = try inside(1...Self.secondsMax)
        case "early": early = try inside(0...1)
        case "lead": lead = try inside(1...Self.secondsMax)
        case "bots": bots = try inside(0...1)
        case "no_show": noShow = try inside(0...1)
        case "late": late = try inside(0...1)
        case "patience": patience = try inside(0...Self.secondsMax)
        case "think": think = try inside(1...86_400)
        case "buys": buys = try inside(0...1)
        case "seats": seats = try inside(1...Self.seatsMax)
        default: throw ScenarioFlaw("arrivals: there is no `\(name.prefix(40))`")
        }
    }

    private static func plain(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(value)
    }
}
