import Foundation
import Queueing
import Testing

@testable import Simulating

private func policy(_ text: String = "{}") throws -> RoomPolicy { try RoomPolicy(json: Array(text.utf8)) }

private func run(_ document: String, _ arrivals: String, seats: Int? = nil, seed: UInt64 = 7) throws -> SimulationReport
{
    let scenario = Scenario(policy: try policy(document), seats: seats, seed: seed)
    var simulation = Simulation(scenario, Crowd(try CrowdPlan(arrivals), seed: seed))
    return simulation.run()
}

private let lottery = #"{"order":{"method":"lottery"},"schedule":{"sale_opens_at":"2027-03-01T10:00:00Z"}}"#

struct SimulationTests {
    @Test func `the same seed gives the same sale, another one another`() throws {
        let crowd = "spike,visitors=3000,bots=0.1,no_show=0.2,patience=600"
        #expect(try run("{}", crowd, seats: 2000) == run("{}", crowd, seats: 2000))
        #expect(try run("{}", crowd, seats: 2000) != run("{}", crowd, seats: 2000, seed: 8))
    }

    @Test(arguments: [
        ("{}", "spike,visitors=4000"),
        (#"{"admission":{"per_minute":1200,"active_max":100}}"#, "ramp,visitors=4000,think=60,no_show=0.4"),
        (#"{"admission":{"per_minute":60,"active_max":5,"burst":10}}"#, "steady,visitors=300,patience=300"),
        (#"{"order":{"method":"first_come","tie_window_ms":1000}}"#, "spike,visitors=4000,bots=0.3,late=1"),
        (lottery, "prequeue,visitors=4000,bots=0.2,no_show=0.3"),
    ])
    func `pace and cap hold, and nobody is counted twice`(document: String, arrivals: String) throws {
        for seats in [nil, 1500] {
            let report = try run(document, arrivals, seats: seats)
            let burst = try policy(document).admission.burstAllowed
            #expect(report.ending == "complete")
            #expect(report.liveMost <= report.activeMax)
            #expect(report.admittedPerMinuteMost <= report.perMinute + burst)
            #expect(report.seatsSold <= seats ?? .max)
            #expect(report.admitted <= report.called && report.called <= report.visitors)
            #expect(report.groups.reduce(0) { $0 + $1.visitors } == report.visitors)
            #expect(report.groups.reduce(0) { $0 + $1.seats } == report.seatsSold)
            #expect(report.points.reduce(0) { $0 + $1.admitted } == report.admitted)
            #expect(report.points.reduce(0) { $0 + $1.sold } == report.seatsSold)
            #expect(report.points.reduce(0) { $0 + $1.joined } + report.turnedAway == report.visitors)
        }
    }

    @Test func `whoever comes is admitted when there is room for all`() throws {
        let report = try run("{}", "spike,visitors=2000,no_show=0")
        #expect(report.admitted == 2000 && report.noShows == 0 && report.forfeited == 0)
        #expect(report.admittedByDecile == [Double](repeating: 1, count: 10))
    }

    @Test func `at 30 percent no-shows the pace is still used`() throws {
        let document = #"{"admission":{"per_minute":600,"active_max":100000,"ramp_seconds":0}}"#
        let report = try run(document, "spike,visitors=20000,over=60,no_show=0.3,late=0")
        #expect(abs(report.noShowSeen - 0.3) < 0.05)
        #expect(report.admittedPerMinuteMean > 560)
        // Those called too early find room before their window ends.
        #expect(report.forfeited <= report.noShows)
        #expect(abs(Double(report.noShows) / Double(report.called) - 0.3) < 0.02)
    }

    @Test func `first come serves the first, a lottery serves all alike`() throws {
        let pace = #""admission":{"per_minute":6000,"active_max":100000}"#
        let line = try run("{\(pace)}", "prequeue,visitors=20000,early=1,no_show=0", seats: 5000)
        let drawn = try run(lottery.dropLast() + ",\(pace)}", "prequeue,visitors=20000,early=1,no_show=0", seats: 5000)
        #expect(line.admittedByDecile[0] > 0.95 && line.admittedByDecile[9] < 0.05)
        let mean = drawn.admittedByDecile.reduce(0, +) / 10
        #expect(drawn.admittedByDecile.allSatisfy { abs($0 - mean) < 0.05 })
        #expect(drawn.admitted > 2000)
    }

    @Test func `the tail is told early, and at sell-out the line is told and drains`() throws {
        let document = #"{"admission":{"per_minute":6000,"active_max":2000}}"#
        let report = try run(document, "spike,visitors=50000,think=60", seats: 5000)
        let soldOut = try #require(report.soldOutAtS)
        let told = try #require(report.unlikelyToldAtS)
        #expect(told < soldOut / 2)
        #expect(report.seatsSold == 5000 && report.ending == "complete")
        // Of tens of thousands who were told, hardly anybody was called after all.
        #expect(report.waitingAtSoldOut > 40_000 && report.calledThoughUnlikely < 500)
        #expect(report.emptyHanded < report.admitted / 10)
    }

    @Test func `strain slows the admissions down`() throws {
        let plan = try CrowdPlan("spike,visitors=20000,over=60")
        var scenario = Scenario(policy: try policy(#"{"admission":{"per_minute":1200,"active_max":100000}}"#))
        var calm = Simulation(scenario, Crowd(plan, seed: 1))
        scenario.strain = 120...600
        var strained = Simulation(scenario, Crowd(plan, seed: 1))
        func admitted(_ report: SimulationReport) -> Int {
            report.points.filter { (180..<600).contains($0.atS) }.reduce(0) { $0 + $1.admitted }
        }
        #expect(admitted(strained.run()) < admitted(calm.run()) / 2)
    }

    @Test func `estimates are covered by the p90 on an ordinary sale`() throws {
        let report = try run("{}", "spike,visitors=10000")
        #expect(report.estimates.scored > 100)
        #expect(report.estimates.p90Coverage.map { $0 >= 0.9 } ?? false)
        #expect(report.estimates.medianRelativeError.map { $0 < 0.2 } ?? false)
    }

    @Test func `a run that is stopped or out of hours says so`() throws {
        let crowd = Crowd(try CrowdPlan("spike,visitors=20000"), seed: 1)
        var scenario = Scenario(policy: try policy())
        var stopped = Simulation(scenario, crowd)
        #expect(stopped.run { _, _ in false }.ending == "stopped")
        scenario.hours = 0.1
        var short = Simulation(scenario, crowd)
        let report = short.run()
        #expect(report.ending == "hours" && report.admitted > 0)
    }

    @Test func `a report is the same after a way through JSON, and its picture is well-formed`() throws {
        let report = try run("{}", "prequeue,visitors=2000,bots=0.1", seats: 900)
        #expect(try SimulationReport(json: report.json) == report)
        let parser = XMLChecker()
        #expect(parser.accepts(report.svg))
        for word in ["Waiting in line", "Admitted a minute", "Inside", "minutes after the opening", "sold out"] {
            #expect(report.svg.contains(word))
        }
        for word in ["visitors", "no-shows", "wait of the admitted", "sold out", "bot", "human"] {
            #expect(report.table.contains(word))
        }
    }

    @Test func `points stay bounded however long a sale lasts`() throws {
        let document = #"{"admission":{"per_minute":1,"active_max":5}}"#
        let report = try run(document, "steady,visitors=600,over=600,no_show=0")
        #expect(report.points.count <= SimulationFigures.pointsMax)
        #expect(report.points.reduce(0) { $0 + $1.admitted } == report.admitted)
        #expect(report.admitted == 600)
    }
}

/// Tags open and close in order: enough for a picture made of a few elements.
private struct XMLChecker {
    func accepts(_ text: String) -> Bool {
        var open: [Substring] = []
        for part in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            let name = tag.prefix { $0 != " " && $0 != "/" }
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return false }
            } else if !tag.hasSuffix("/") {
                open.append(name)
            }
        }
        return open.isEmpty && !text.contains("nan") && !text.contains("inf\"")
    }
}

struct CrowdTests {
    @Test(arguments: [
        ("", "arrivals: must begin with spike, ramp, steady or prequeue"),
        ("flood", "arrivals: must begin with spike, ramp, steady or prequeue"),
        ("spike,visitors", "arrivals: `visitors` is not name=number"),
        ("spike,visitors=0", "arrivals: visitors is from 1 to 5000000"),
        ("spike,bots=2", "arrivals: bots is from 0 to 1"),
        ("spike,bots=nan", "arrivals: `bots=nan` is not name=number"),
        ("spike,colour=1", "arrivals: there is no `colour`"),
    ])
    func `a bad description is refused by name`(text: String, flaw: String) {
        #expect(throws: ScenarioFlaw(flaw)) { try CrowdPlan(text) }
    }

    @Test(arguments: [
        ("", "line 1: no columns are named"),
        ("group\nbot\n", "line 1: there is no column arrived_s"),
        ("arrived_s,shoe\n1,2\n", "line 1: `shoe` is none of arrived_s, group, claims, think_s, seats"),
        ("arrived_s,arrived_s\n1,2\n", "line 1: a column is named twice"),
        ("arrived_s\n", "there are no visitors"),
        ("arrived_s\n1\nx\n", "line 3: `x` is no arrived_s"),
        ("arrived_s,group\n1,human\n2\n", "line 3: has 1 fields, the columns are 2"),
        ("arrived_s,group\n1,alien\n", "line 2: `alien` is no group"),
        ("arrived_s,seats\n1,21\n", "line 2: `21` is no seats"),
        ("arrived_s\n1e300\n", "line 2: `1e300` is no arrived_s"),
        ("arrived_s\n1\n2\n3\n4\n", "there are more than 3 visitors"),
    ])
    func `a bad file is refused by line`(text: String, flaw: String) {
        #expect(throws: ScenarioFlaw(flaw)) {
            try CrowdReader.read(Array(text.utf8), plan: CrowdPlan(), seed: 1, visitorsMax: 3)
        }
    }

    @Test func `recorded arrivals are taken as they are`() throws {
        let text =
            "arrived_s,group,claims,think_s,seats\r\n2.5,human,no,10,0\r\n-60,bot,yes,1,4\r\n0,human,late,20,2\r\n"
        let members = try CrowdReader.read(Array(text.utf8), plan: CrowdPlan(), seed: 1).members
        #expect(members.map(\.arrivalMS) == [-60_000, 0, 2500])
        #expect(members.map { $0.traits.contains(.isBot) } == [true, false, false])
        #expect(members.map { $0.traits.contains(.shows) } == [true, false, false])
        #expect(members.map { $0.traits.contains(.isLate) } == [false, true, false])
        #expect(members.map { $0.traits.contains(.buys) } == [true, true, false])
        #expect(members.map(\.seats) == [4, 2, 0])
    }

    @Test(arguments: CrowdPlan.Curve.allCases)
    func `a crowd comes in its span with its shares`(curve: CrowdPlan.Curve) throws {
        let text = "\(curve.rawValue),visitors=20000,over=100,early=0.5,lead=200,bots=0.2,no_show=0.25,seats=2.5"
        let members = Crowd(try CrowdPlan(text), seed: 3).members
        #expect(members.count == 20_000)
        let first: Int32 = curve == .prequeue ? -200_000 : 0
        #expect(members.allSatisfy { (first...100_000).contains($0.arrivalMS) })
        #expect(zip(members, members.dropFirst()).allSatisfy { $0.arrivalMS <= $1.arrivalMS })
        let bots = members.count { $0.traits.contains(.isBot) }
        #expect((3800...4200).contains(bots))
        let absent = members.count { !$0.traits.contains(.shows) }
        #expect((3700...4300).contains(absent))
        let humans = members.filter { !$0.traits.contains(.isBot) }
        let seats = humans.reduce(0.0) { $0 + Double($1.seats) } / Double(humans.count)
        #expect((2.4...2.6).contains(seats))
    }

    @Test func `events come in order of time, then of member`() {
        var queue = EventQueue()
        var chance = Chance(seed: 5)
        for index in 0..<1000 {
            queue.add(.claim, index, at: Int64(chance.next() % 500))
        }
        var last = (at: Int64(-1), member: -1)
        var count = 0
        while let event = queue.next(before: 300) {
            #expect(event.at > last.at || event.at == last.at && event.member > last.member)
            last = (event.at, event.member)
            count += 1
        }
        #expect(last.at < 300 && count > 400 && !queue.isEmpty)
    }
}
