// What is counted while a simulation runs, and its course over time in a bounded number of steps.
import Queueing

struct SimulationFigures {
    static let pointsMax = 720
    static let notAdmitted: Int32 = -1

    var admitted = 0
    var called = 0
    var buyers = 0
    var gaveUp = 0
    var parked = 0
    var claimedLate = 0
    var claimsPutOff = 0
    var claimsPutOffByCap = 0
    var refusedSoldOut = 0
    var emptyHanded = 0
    var turnedAway = 0
    var waitingAtSoldOut = 0
    var calledThoughUnlikely = 0
    var soldOutAtMS: Int64?
    var unlikelyAtMS: Int64?
    var liveMost = 0
    /// Of the seconds in which somebody waited: how many, and the sum of live passes.
    var busySeconds = 0
    var liveSum = 0
    /// By member: from the arrival, or the opening when that is later, to the pass.
    private(set) var waitMS: [Int32]
    private(set) var seats: [UInt8]
    private(set) var points: [SimulationReport.Point] = []
    private(set) var pointMS: Int64 = 10_000
    private var seconds = SecondsOfPace()

    init(visitors: Int) {
        waitMS = [Int32](repeating: Self.notAdmitted, count: visitors)
        seats = [UInt8](repeating: 0, count: visitors)
    }

    /// Most passes granted in any 60 seconds.
    var mostInAMinute: Int { seconds.most }

    mutating func join(at time: Int64) { point(at: time) { $0.joined += 1 } }

    mutating func call(_ count: Int, at time: Int64) {
        called += count
        point(at: time) { $0.called += count }
    }

    mutating func admit(_ member: Int, waited: Int64, at time: Int64) {
        admitted += 1
        waitMS[member] = Int32(clamping: max(0, waited))
        seconds.add(at: time)
        point(at: time) { $0.admitted += 1 }
    }

    mutating func buy(_ member: Int, seats count: Int, at time: Int64) {
        buyers += 1
        seats[member] = UInt8(count)
        point(at: time) { $0.sold += count }
    }

    mutating func sample(_ ledger: CallLedger, _ joined: Int, _ live: Int, at time: Int64) {
        let waiting = joined - Int(ledger.cursor)
        liveMost = max(liveMost, live)
        if waiting > 0, time >= 0 {
            busySeconds += 1
            liveSum += live
        }
        point(at: time) {
            $0.waiting = waiting
            $0.live = live
        }
    }

    private mutating func point(at time: Int64, _ change: (inout SimulationReport.Point) -> Void) {
        if points.isEmpty { points.append(.init(atS: Int(time.dividedFloor(by: pointMS) * pointMS / 1000))) }
        while time >= Int64(points[points.count - 1].atS) * 1000 + pointMS {
            if points.count >= Self.pointsMax { widen() }
            guard time >= Int64(points[points.count - 1].atS) * 1000 + pointMS else { break }
            var fresh = points[points.count - 1]
            fresh = .init(atS: fresh.atS + Int(pointMS / 1000), waiting: fresh.waiting, live: fresh.live)
            points.append(fresh)
        }
        // What happened a moment before the last point began is counted in it.
        change(&points[points.count - 1])
    }

    /// Twice the span for each point, half of the points.
    private mutating func widen() {
        pointMS *= 2
        points = stride(from: 0, to: points.count, by: 2).map { index in
            index + 1 < points.count ? points[index].with(points[index + 1]) : points[index]
        }
    }
}

/// Passes of each of the last 60 seconds.
private struct SecondsOfPace {
    private var counts = [Int](repeating: 0, count: 60)
    private var second: Int64 = .min
    private var sum = 0
    private(set) var most = 0

    mutating func add(at milliseconds: Int64) {
        let now = milliseconds.dividedFloor(by: 1000)
        if second == .min { second = now }
        if now - second >= 60 {
            counts = [Int](repeating: 0, count: 60)
            sum = 0
        } else if now > second {
            for passed in (second + 1)...now {
                let index = Int(((passed % 60) + 60) % 60)
                sum -= counts[index]
                counts[index] = 0
            }
        }
        second = max(second, now)
        counts[Int(((second % 60) + 60) % 60)] += 1
        sum += 1
        most = max(most, sum)
    }
}

extension Int64 {
    func dividedFloor(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
