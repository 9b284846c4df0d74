// A sale in simulated time: the production controller, ledger, pace, phases and estimates, with made-up visitors.
import Queueing

package struct Simulation {
    /// The controller's interval in production.
    static let tickMS: Int64 = 1000
    /// Beacon and draw after the opening of a lottery: two periods and the relay's answer.
    static let drawMS: Int64 = 8000
    static let botReactionMS: Int64 = 200
    /// Of a buyer's thinking time, what goes by before seats are picked.
    static let pickShare = 0.3
    static let reportEveryTicks = 256

    let scenario: Scenario
    let policy: RoomPolicy
    let crowd: Crowd
    let times: SimulatedSchedule
    var chance: Chance
    var phase = Phase.scheduled
    var cohort = 0
    var order: LineOrder
    var ledger = CallLedger()
    var pace = GrantPace()
    var controller = AdmissionController()
    var score = EstimateScore()
    var events = EventQueue()
    var stock: SeatStock
    var figures: SimulationFigures
    var lives: [PlaceStage]
    var heldSeats: [UInt8]
    var livePasses = 0
    var outlook = RoomSnapshot.Outlook.open
    var unlikelyFrom = UInt64.max
    private var next = 0
    private var tieWindow: Int64 = .min

    package init(_ scenario: Scenario, _ crowd: Crowd) {
        self.scenario = scenario
        self.crowd = crowd
        policy = scenario.policy
        chance = Chance(seed: scenario.seed &+ 1)
        times = SimulatedSchedule(policy.schedule, firstArrivalMS: Int64(crowd.members.first?.arrivalMS ?? 0))
        order = LineOrder(count: crowd.members.count, seed: scenario.seed)
        stock = SeatStock(scenario.seats)
        figures = SimulationFigures(visitors: crowd.members.count)
        lives = [PlaceStage](repeating: .waiting, count: crowd.members.count)
        heldSeats = [UInt8](repeating: 0, count: crowd.members.count)
    }

    package enum Ending: String, Sendable {
        /// Everybody was served or told.
        case complete
        case hours
        /// The caller did not want to go on.
        case stopped
    }

    /// - Parameter goesOn: asked now and then with the simulated seconds; false ends the run.
    /// - Returns: what the sale came to, up to where it ended.
    package mutating func run(goesOn: (_ seconds: Int64, _ admitted: Int) -> Bool = { _, _ in true })
        -> SimulationReport
    {
        var ending = Ending.hours
        var now = times.start.milliseconds / Self.tickMS * Self.tickMS
        let end = now + Int64(scenario.hours * 3_600_000)
        var tick = 0
        while now <= end {
            step(at: now)
            if isOver(at: now) {
                ending = .complete
                break
            }
            tick += 1
            if tick % Self.reportEveryTicks == 0, !goesOn((now - opening) / 1000, figures.admitted) {
                ending = .stopped
                break
            }
            now += Self.tickMS
        }
        return SimulationReport(self, ending: ending, endedAt: now - opening)
    }

    var opening: Int64 { SimulatedSchedule.opening.milliseconds }

    private mutating func step(at now: Int64) {
        movePhase(at: now)
        arrive(until: now)
        while let event = events.next(before: now + 1) {
            switch event.kind {
            case .claim: claim(event.member, at: event.at)
            case .hold: pick(event.member, at: event.at)
            case .pay: pay(event.member, at: event.at)
            case .end: endPass(of: event.member)
            }
        }
        lead(at: now)
        figures.sample(ledger, order.joined, livePasses, at: now - opening)
    }

    /// Nobody is left who could still come, claim or buy.
    private func isOver(at now: Int64) -> Bool {
        guard next == crowd.members.count || phase == .draining || phase == .closed, now > opening else { return false }
        let isWaitedFor = ledger.cursor < UInt64(order.joined) && outlook != .gone && phase != .closed
        return !isWaitedFor && livePasses == 0 && events.isEmpty
            && (outlook == .gone || ledger.forfeitedThrough == ledger.cursor)
    }

    private mutating func arrive(until now: Int64) {
        let hasTies = policy.order == .firstCome && policy.tieWindowMS > 0
        while next < crowd.members.count {
            let at = opening + Int64(crowd.members[next].arrivalMS)
            guard at <= now else { break }
            next += 1
            // Before the list opens, and after it has closed, nobody gets a place.
            guard phase.admitsJoins else {
                lives[next - 1] = .left
                figures.turnedAway += 1
                continue
            }
            if hasTies { closeTies(before: at) }
            order.join(next - 1)
            figures.join(at: at - opening)
        }
        if hasTies {
            closeTies(before: now)
        } else if policy.order == .firstCome || phase == .active {
            order.rankByArrival()
        }
    }

    private mutating func closeTies(before time: Int64) {
        let window = time / Int64(policy.tieWindowMS)
        guard window > tieWindow else { return }
        tieWindow = window
        order.breakTie()
    }

    private mutating func movePhase(at now: Int64) {
        let isWaitedFor = ledger.cursor < UInt64(order.joined) && outlook != .gone
        let moment = Moment(milliseconds: now)
        let isEmpty = !isWaitedFor && livePasses == 0 && now > opening
        while let due = phase.due(times.schedule, order: policy.order, isEmpty: isEmpty, at: moment) {
            phase = due
            if due == .sealed { cohort = order.joined }
        }
        if phase == .sealed, now >= opening + Self.drawMS {
            order.draw(through: cohort)
            phase = .drawn
        }
    }
}
