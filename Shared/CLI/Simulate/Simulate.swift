// `usher simulate`: plays a sale in simulated time, before anybody has to stand in it.
import ArgumentParser
import Foundation
import Queueing
import Simulating

struct Simulate: ParsableCommand {
    static let fileBytesMax = 256 << 20

    static let configuration = CommandConfiguration(
        abstract: "Plays a sale in simulated time: waits, pace, no-shows, who gets the seats.",
        discussion: """
            The controller, the claim windows, the pace, the cap and the phases are the gateway's own code; only the \
            visitors are made up. The sale opens at zero; a policy's schedule is moved to that.

            ARRIVALS is one of \(CrowdPlan.help)
            or a file of recorded arrivals whose name ends in .csv: a head line with arrived_s (seconds after the opening) \
            and, if wanted, group (human, bot), claims (yes, no, late), think_s, seats (0: buys nothing), then one line a \
            visitor, by any order; what has no column is drawn as --crowd says.

            Example: usher simulate --policy policy.json --seats 20000 --arrivals prequeue,visitors=100000,bots=0.1 --svg sale.svg

            Exit codes: 0 done, 2 the policy or the arrivals cannot be used, 1 a file cannot be written, 64 bad usage.
            """
    )

    @Option(help: ArgumentHelp("The room's policy, as PUT to /admin/v1/rooms.", valueName: "file"))
    var policy: String
    @Option(help: "The crowd: a description or a .csv file.")
    var arrivals: String
    @Option(help: "For a .csv file: the description from which absent columns are drawn.")
    var crowd = "steady"
    @Option(help: "Seats there are to sell; without it the sale never ends.")
    var seats: Int?
    @Option(help: "The same seed gives the same sale.")
    var seed: UInt64 = 1
    @Option(help: "Simulated hours after which the run ends.")
    var hours = 24.0
    @Option(help: ArgumentHelp("When booking is under strain, in seconds after the opening.", valueName: "from-to"))
    var strain: String?
    @Option(help: ArgumentHelp("Write the whole report as JSON; - for the standard output.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Write a picture of the sale.", valueName: "file"))
    var svg: String?
    @Flag(help: "Say nothing while it runs.")
    var quiet = false

    func validate() throws {
        if let seats, !(0...Scenario.seatsMax).contains(seats) {
            throw ValidationError("--seats is from 0 to \(Scenario.seatsMax)")
        }
        guard hours > 0, hours <= Scenario.hoursMax else {
            throw ValidationError("--hours is above 0 and at most \(Int(Scenario.hoursMax))")
        }
    }

    func run() throws {
        let scenario: Scenario
        let people: Crowd
        do {
            (scenario, people) = try prepare()
        } catch {
            complain("usher simulate: \(error)")
            throw ExitCode(2)
        }
        var simulation = Simulation(scenario, people)
        var said = ContinuousClock.now
        let report = simulation.run { seconds, admitted in
            if !quiet, ContinuousClock.now - said > .seconds(1) {
                said = .now
                complain("simulated \(seconds) s after the opening, \(admitted) admitted")
            }
            return true
        }
        do {
            if let svg { try Data(report.svg.utf8).write(to: URL(filePath: svg)) }
            if let json, json != "-" { try Data(report.json).write(to: URL(filePath: json)) }
        } catch {
            complain("usher simulate: \(error.localizedDescription)")
            throw ExitCode.failure
        }
        Terminal.say(json == "-" ? String(decoding: report.json, as: UTF8.self) : report.table)
    }

    private func prepare() throws -> (Scenario, Crowd) {
        let rules: RoomPolicy
        do {
            rules = try RoomPolicy(json: try read(policy))
        } catch let flaw as PolicyFlaw {
            throw ScenarioFlaw("\(policy): \(flaw)")
        }
        var scenario = Scenario(policy: rules, seats: seats, seed: seed)
        scenario.hours = hours
        scenario.strain = try strain.map { text throws(ScenarioFlaw) in try Scenario.strain(text) }
        guard arrivals.hasSuffix(".csv") else { return (scenario, Crowd(try CrowdPlan(arrivals), seed: seed)) }
        let plan = try CrowdPlan(crowd)
        do {
            return (scenario, try CrowdReader.read(try read(arrivals), plan: plan, seed: seed))
        } catch let flaw as ScenarioFlaw {
            throw ScenarioFlaw("\(arrivals): \(flaw)")
        }
    }

    private func read(_ path: String) throws -> [UInt8] {
        let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        guard let size, let bytes = FileManager.default.contents(atPath: path) else {
            throw ScenarioFlaw("\(path): cannot be read")
        }
        guard size <= Self.fileBytesMax else {
            throw ScenarioFlaw("\(path): has more than \(Self.fileBytesMax) bytes")
        }
        return Array(bytes)
    }

    private func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
