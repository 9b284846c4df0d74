// What a run of `buy` did, and what it cost this process.
import Foundation
import Glibc
import Histogram
import NIOCore

struct BuyReport: Codable, Sendable {
    struct StepFigures: Codable, Sendable {
        var step: String
        var count: Int
        var p50MS: Double
        var p99MS: Double
        var maxMS: Double
    }

    var flow: String
    /// From the first request to the last answer.
    var seconds: Double
    var orders: Int
    var seats: Int
    var requests: Int
    /// Answers that were no success, by step and status.
    var refused: [String: Int]
    var lostConnections: Int
    /// Buyers who never came to an end.
    var unfinished: Int
    var seatsSoldTwice: [String]
    var cpuSeconds: Double
    var steps: [StepFigures]

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Counted on the event loop of the run.
struct BuyTally {
    private var latencies: [Histogram<UInt64>] = BuyStep.allCases.map { _ in .init() }
    private var sold: Set<String> = []
    private var soldTwice: Set<String> = []
    private var refused: [String: Int] = [:]
    private let started = NIODeadline.now()
    private let cpuBefore = Self.cpuSeconds
    private var ended = NIODeadline.now()
    private(set) var orders = 0
    private var requests = 0
    var lostConnections = 0
    var unfinished = 0

    mutating func answered(_ step: BuyStep, after time: TimeAmount, status: Int) {
        requests += 1
        ended = .now()
        if status >= 300 { refused["\(step.rawValue) \(status)", default: 0] += 1 }
        guard let index = BuyStep.allCases.firstIndex(of: step) else { return }
        latencies[index].record(UInt64(max(0, time.nanoseconds / 1000)))
    }

    mutating func bought(_ seats: [String]) {
        orders += 1
        for seat in seats where !sold.insert(seat).inserted { soldTwice.insert(seat) }
    }

    func report(_ flow: BuyFlow) -> BuyReport {
        let steps = zip(BuyStep.allCases, latencies).filter { $0.1.totalCount > 0 }
        return BuyReport(
            flow: flow.rawValue,
            seconds: Double((ended - started).nanoseconds) / 1e9,
            orders: orders,
            seats: sold.count,
            requests: requests,
            refused: refused,
            lostConnections: lostConnections,
            unfinished: unfinished,
            seatsSoldTwice: soldTwice.sorted(),
            cpuSeconds: Self.cpuSeconds - cpuBefore,
            steps: steps.map { .init($0, $1) }
        )
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

extension BuyReport.StepFigures {
    fileprivate init(_ step: BuyStep, _ histogram: Histogram<UInt64>) {
        self.init(
            step: step.rawValue,
            count: Int(histogram.totalCount),
            p50MS: Double(histogram.valueAtPercentile(50)) / 1000,
            p99MS: Double(histogram.valueAtPercentile(99)) / 1000,
            maxMS: Double(histogram.maxRecorded) / 1000
        )
    }
}
