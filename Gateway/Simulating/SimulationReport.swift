// What a simulated sale came to: the JSON of `usher simulate --json` and of `POST /admin/v1/simulate`.
import Foundation
import Queueing

package struct SimulationReport: Codable, Sendable, Equatable {
    package struct Point: Codable, Sendable, Equatable {
        /// Seconds after the opening at which this span begins.
        package var atS: Int
        package var joined = 0
        package var called = 0
        package var admitted = 0
        package var sold = 0
        /// At the end of the span.
        package var waiting = 0
        package var live = 0

        init(atS: Int, waiting: Int = 0, live: Int = 0) {
            self.atS = atS
            self.waiting = waiting
            self.live = live
        }

        func with(_ next: Point) -> Point {
            var sum = next
            sum.atS = atS
            sum.joined += joined
            sum.called += called
            sum.admitted += admitted
            sum.sold += sold
            return sum
        }
    }

    /// Seconds.
    package struct Waits: Codable, Sendable, Equatable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var most: Double
        package var mean: Double

        init?(milliseconds sorted: [Int32]) {
            guard let last = sorted.last else { return nil }
            func at(_ share: Double) -> Double {
                Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
            }
            p50 = at(0.5)
            p90 = at(0.9)
            p99 = at(0.99)
            most = Double(last) / 1000
            mean = (Double(sorted.reduce(0) { $0 + Int64($1) }) / Double(sorted.count)).rounded() / 1000
        }
    }

    package struct Group: Codable, Sendable, Equatable {
        package var name: String
        package var visitors: Int
        package var admitted: Int
        package var seats: Int
        package var shareOfVisitors: Double
        package var shareOfAdmitted: Double
        package var shareOfSeats: Double
        package var waitS: Waits?
    }

    package struct Estimates: Codable, Sendable, Equatable {
        package var scored: Int
        package var p90Coverage: Double?
        package var medianRelativeError: Double?
    }

    package var ending: String
    package var endedAtS: Double
    package var seed: UInt64
    package var policyHash: String
    package var perMinute: Int
    package var activeMax: Int
    package var visitors: Int
    package var turnedAway: Int
    package var called: Int
    package var admitted: Int
    package var buyers: Int
    package var seats: Int?
    package var seatsSold: Int
    package var soldOutAtS: Double?
    package var waitingAtSoldOut: Int
    package var unlikelyToldAtS: Double?
    package var calledThoughUnlikely: Int
    package var noShows: Int
    package var noShowSeen: Double
    package var gaveUp: Int
    package var parked: Int
    package var claimedLate: Int
    package var forfeited: Int
    package var emptyHanded: Int
    package var claimsPutOff: Int
    package var claimsPutOffByCap: Int
    package var waitS: Waits?
    package var admittedPerMinuteMost: Int
    package var admittedPerMinuteMean: Double
    package var liveMost: Int
    package var capUseMean: Double
    package var estimates: Estimates
    package var groups: [Group]
    /// Share admitted of each tenth of the visitors in order of arrival.
    package var admittedByDecile: [Double]
    package var pointS: Int
    package var points: [Point]

    package var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        guard let bytes = try? encoder.encode(self) else { return Array("{}".utf8) }
        return Array(bytes)
    }

    package init(json bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(SimulationReport.self, from: Foundation.Data(bytes))
    }
}

extension SimulationReport {
    init(_ simulation: Simulation, ending: Simulation.Ending, endedAt: Int64) {
        let figures = simulation.figures
        let waits = figures.waitMS.filter { $0 >= 0 }.sorted()
        func seconds(_ time: Int64?) -> Double? { time.map { Double($0) / 1000 } }
        self.ending = ending.rawValue
        endedAtS = Double(endedAt) / 1000
        seed = simulation.scenario.seed
        policyHash = simulation.policy.hash
        perMinute = simulation.policy.admission.perMinute
        activeMax = simulation.policy.admission.activeMax
        visitors = simulation.crowd.members.count
        turnedAway = figures.turnedAway
        called = figures.called
        admitted = figures.admitted
        buyers = figures.buyers
        seats = simulation.scenario.seats
        seatsSold = simulation.stock.sold
        soldOutAtS = seconds(figures.soldOutAtMS)
        waitingAtSoldOut = figures.waitingAtSoldOut
        unlikelyToldAtS = seconds(figures.unlikelyAtMS)
        calledThoughUnlikely = figures.calledThoughUnlikely
        noShows = figures.called - figures.admitted - figures.refusedSoldOut - figures.turnedUpAtEnd(simulation.lives)
        noShowSeen = simulation.controller.noShow
        gaveUp = figures.gaveUp
        parked = figures.parked
        claimedLate = figures.claimedLate
        forfeited = simulation.lives.count { $0 == .forfeited }
        emptyHanded = figures.emptyHanded
        claimsPutOff = figures.claimsPutOff
        claimsPutOffByCap = figures.claimsPutOffByCap
        waitS = Waits(milliseconds: waits)
        admittedPerMinuteMost = figures.mostInAMinute
        admittedPerMinuteMean =
            figures.busySeconds > 0 ? Double(figures.admitted) * 60 / Double(figures.busySeconds) : 0
        liveMost = figures.liveMost
        capUseMean =
            figures.busySeconds > 0
            ? Double(figures.liveSum) / Double(figures.busySeconds) / Double(simulation.policy.admission.activeMax) : 0
        estimates = Estimates(
            scored: simulation.score.scoredCount,
            p90Coverage: simulation.score.p90Coverage,
            medianRelativeError: simulation.score.medianRelativeError
        )
        groups = Self.groups(simulation)
        admittedByDecile = Self.deciles(figures.waitMS)
        pointS = Int(figures.pointMS / 1000)
        points = figures.points
    }

    private static func groups(_ simulation: Simulation) -> [Group] {
        let figures = simulation.figures
        let all = Double(max(1, simulation.crowd.members.count))
        return [("human", false), ("bot", true)].compactMap { name, isBot in
            var group = Group(
                name: name,
                visitors: 0,
                admitted: 0,
                seats: 0,
                shareOfVisitors: 0,
                shareOfAdmitted: 0,
                shareOfSeats: 0
            )
            var waits: [Int32] = []
            for (index, member) in simulation.crowd.members.enumerated()
            where member.traits.contains(.isBot) == isBot {
                group.visitors += 1
                group.seats += Int(figures.seats[index])
                if figures.waitMS[index] >= 0 { waits.append(figures.waitMS[index]) }
            }
            guard group.visitors > 0 else { return nil }
            group.admitted = waits.count
            group.shareOfVisitors = Double(group.visitors) / all
            group.shareOfAdmitted = Double(group.admitted) / Double(max(1, figures.admitted))
            group.shareOfSeats = Double(group.seats) / Double(max(1, simulation.stock.sold))
            group.waitS = Waits(milliseconds: waits.sorted())
            return group
        }
    }

    private static func deciles(_ waits: [Int32]) -> [Double] {
        (0..<10).map { tenth in
            let range = (waits.count * tenth / 10)..<(waits.count * (tenth + 1) / 10)
            guard !range.isEmpty else { return 0 }
            return Double(waits[range].count { $0 >= 0 }) / Double(range.count)
        }
    }
}

extension SimulationFigures {
    /// Called, came, and still wait for room when the run ends.
    fileprivate func turnedUpAtEnd(_ lives: [PlaceStage]) -> Int {
        lives.count { $0 == .turnedUp || $0 == .called }
    }
}
