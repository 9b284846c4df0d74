// The result of a run: figures, and which promises they break.
import Foundation
import Histogram

struct Report: Codable, Sendable, Equatable {
    struct StepFigures: Codable, Sendable, Equatable {
        var step: String
        var count: Int
        var p50MS: Double
        var p99MS: Double
        var maxMS: Double
    }

    var session: String
    var room: String
    var visitors: Int
    var seconds: Double
    var arrived: Int
    var joined: Int
    var admitted: Int
    /// Most passes given within any sixty seconds.
    var admittedPerMinuteMax: Int
    var orders: Int
    var seatsSold: Int
    var toldSoldOutWaiting: Int
    var toldSoldOutInShop: Int
    var abandoned: [String: Int]
    var gaveUpPicking: Int
    var declined: Int
    /// Visitors ended by an answer no working sale gives: `step: code`.
    var turnedAway: [String: Int]
    /// Visitors still there at the end: `step`.
    var unfinished: [String: Int]
    /// All answers that were not a success, the expected ones too.
    var refusedByCode: [String: Int]
    var lostConnections: Int
    var requests: Int
    var inversions: Int
    var numbersGivenTwice: Int
    var seatsSoldTwice: [String]
    var steps: [StepFigures]
    var arrivalLagP99MS: Double
    var brokenPromises: [String]

    var toldSoldOut: Int { toldSoldOutWaiting + toldSoldOutInShop }
}

extension Report {
    init(_ state: Scoreboard.State, visitors: Int, session: String, room: String, lasting time: Duration) {
        self.session = session
        self.room = room
        self.visitors = visitors
        seconds = time.seconds
        arrived = state.arrived
        joined = state.joins.count
        admitted = state.admissions.count
        admittedPerMinuteMax = Self.mostWithin(.seconds(60), of: state.admissions)
        (orders, seatsSold, toldSoldOutWaiting, toldSoldOutInShop, gaveUpPicking, declined) = (0, 0, 0, 0, 0, 0)
        (abandoned, turnedAway, unfinished) = ([:], [:], [:])
        refusedByCode = state.refusals
        lostConnections = state.lostConnections
        requests = state.requests
        inversions = Inversions.count(state.joins)
        numbersGivenTwice = Inversions.repeatedNumbers(state.joins)
        steps = Step.allCases.compactMap { step in state.latencies[step].map { StepFigures(step, $0) } }
        arrivalLagP99MS = Double(state.arrivalLag.valueAtPercentile(99)) / 1000
        (seatsSoldTwice, brokenPromises) = ([], [])
        count(state.endings)
        brokenPromises = broken(endings: state.endings.count)
    }

    private mutating func count(_ endings: [Ending]) {
        var owners: [String: Set<String>] = [:]
        for ending in endings {
            switch ending {
            case .sold(let seats, let order):
                orders += 1
                seatsSold += seats.count
                for seat in seats { owners[seat, default: []].insert(order) }
            case .toldSoldOut(let step):
                if [.join, .poll, .claim].contains(step) { toldSoldOutWaiting += 1 } else { toldSoldOutInShop += 1 }
            case .abandoned(let point): abandoned[point.rawValue, default: 0] += 1
            case .gaveUpPicking: gaveUpPicking += 1
            case .declined: declined += 1
            case .refused(let step, let code): turnedAway["\(step.rawValue): \(code)", default: 0] += 1
            case .unfinished(let step): unfinished[step.rawValue, default: 0] += 1
            }
        }
        seatsSoldTwice = owners.filter { $0.value.count > 1 }.keys.sorted()
    }

    private func broken(endings: Int) -> [String] {
        var broken: [String] = []
        if inversions > 0 { broken.append("first come, first served: \(inversions) inversions") }
        if numbersGivenTwice > 0 { broken.append("one number, one visitor: \(numbersGivenTwice) numbers given twice") }
        if !seatsSoldTwice.isEmpty {
            let seats = seatsSoldTwice.prefix(5).joined(separator: ", ")
            broken.append("one seat, one buyer: \(seatsSoldTwice.count) seats sold twice (\(seats))")
        }
        let left = unfinished.values.reduce(0, +) + visitors - endings
        if left > 0 { broken.append("everybody is told how it ended: \(left) visitors were not") }
        let away = turnedAway.values.reduce(0, +)
        if away > 0 {
            broken.append("only documented answers: \(away) visitors were turned away (\(Self.list(turnedAway)))")
        }
        return broken
    }

    static func mostWithin(_ window: Duration, of times: [Duration]) -> Int {
        let times = times.sorted()
        var (first, most) = (0, 0)
        for (last, time) in times.enumerated() {
            while time - times[first] >= window { first += 1 }
            most = max(most, last - first + 1)
        }
        return most
    }

    static func list(_ counts: [String: Int]) -> String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(
            separator: ", "
        )
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}

extension Report.StepFigures {
    init(_ step: Step, _ histogram: Histogram<UInt64>) {
        self.init(
            step: step.rawValue,
            count: Int(histogram.totalCount),
            p50MS: Double(histogram.valueAtPercentile(50)) / 1000,
            p99MS: Double(histogram.valueAtPercentile(99)) / 1000,
            maxMS: Double(histogram.maxRecorded) / 1000
        )
    }
}
