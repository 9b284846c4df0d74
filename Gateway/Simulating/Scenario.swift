package import Queueing

/// One run: a policy, a stock of seats, a crowd.
package struct Scenario: Sendable {
    package static let seatsMax = 10_000_000
    package static let hoursMax = 168.0

    package var policy: RoomPolicy
    /// Seats there are to sell; nil: never sold out.
    package var seats: Int?
    package var seed: UInt64
    /// Simulated time after which the run ends whatever waits.
    package var hours = 24.0
    /// When booking is under strain, in seconds after the opening.
    package var strain: ClosedRange<Double>?

    package init(policy: RoomPolicy, seats: Int? = nil, seed: UInt64 = 1) {
        self.policy = policy
        self.seats = seats
        self.seed = seed
    }

    /// `600-900`
    package static func strain(_ text: String) throws(ScenarioFlaw) -> ClosedRange<Double> {
        let parts = text.split(separator: "-").map { Double($0) }
        guard parts.count == 2, let from = parts[0], let to = parts[1], from <= to, to <= CrowdPlan.secondsMax else {
            throw ScenarioFlaw("strain: must be FROM-TO, in seconds after the opening")
        }
        return from...to
    }
}

/// The policy's schedule moved so that the sale opens at one moment.
struct SimulatedSchedule {
    /// Room for any crowd that comes early; a multiple of a day.
    static let opening = Moment(seconds: 1_728_000)

    let schedule: RoomPolicy.Schedule
    let start: Moment

    init(_ real: RoomPolicy.Schedule, firstArrivalMS: Int64) {
        let first = min(Self.opening, Self.opening + .milliseconds(firstArrivalMS))
        let opens = real.saleOpensAt
        func moved(_ moment: Moment?) -> Moment? {
            guard let opens, let moment else { return nil }
            return Self.opening + (moment - opens)
        }
        var schedule = real
        schedule.joinOpensAt = moved(real.joinOpensAt) ?? first
        schedule.saleOpensAt = Self.opening
        schedule.closesAt = moved(real.closesAt)
        self.schedule = schedule
        start = first
    }
}
