import Testing

@testable import Queueing

struct StockOutlookTests {
    private func input(seats: Int, live: Int = 0, granted: Int = 0, cursor: UInt64 = 0, noShow: Double = 0)
        -> StockOutlook.Input
    {
        .init(seatsLeft: seats, livePasses: live, undecided: 0, granted: granted, cursor: cursor, noShow: noShow)
    }

    @Test func `before anybody bought few seats are taken to serve many`() {
        var stock = StockOutlook()
        stock.observe(input(seats: 400))
        // 400 ÷ 0.25 × 1.25 ÷ (1 − 0.5)
        #expect(stock.reachable == 4000)
    }

    @Test func `what visitors really take moves the bound`() {
        var stock = StockOutlook()
        stock.observe(input(seats: 10_000))
        for step in 1...49 {
            stock.observe(input(seats: 10_000 - 200 * step, granted: 100 * step, cursor: UInt64(100 * step)))
        }
        #expect(abs(stock.seatsPerVisitor - 2) < 0.1)
        // The last 200 seats serve 100 visitors, a quarter more for the margin, on twice as many ranks.
        #expect(stock.reachable.map { (5100...5250).contains($0) } ?? false)
    }

    @Test func `who was told is not told otherwise for a few seats more`() {
        var stock = StockOutlook()
        stock.observe(input(seats: 1000))
        stock.observe(input(seats: 990, granted: 40, cursor: 40))
        let told = stock.reachable
        #expect(told.map { $0 < 10_000 } ?? false)
        for seats in [991, 990, 992] {
            stock.observe(input(seats: seats, granted: 40, cursor: 40))
            #expect(stock.reachable == told)
        }
    }

    @Test func `hope is given back on evidence alone`() {
        var fresh = StockOutlook(resuming: 100)
        fresh.observe(input(seats: 100_000))
        #expect(fresh.reachable == 100)
        fresh.observe(input(seats: 99_990, granted: 40, cursor: 40))
        #expect(fresh.reachable.map { $0 > 10_000 } ?? false)
    }

    @Test func `seats that come back count again, and no number overflows`() {
        var stock = StockOutlook()
        stock.observe(input(seats: 10))
        stock.observe(input(seats: 0, granted: 10, cursor: 10))
        stock.observe(input(seats: .max, granted: .max, cursor: .max))
        stock.observe(input(seats: 1, live: .max / 4, granted: 0, cursor: .max))
        #expect(stock.reachable == .max)
        #expect(stock.seatsPerVisitor.isFinite && stock.seatsPerVisitor > 0)
    }

    @Test func `seats that come back after the sell-out are reckoned anew`() {
        var stock = StockOutlook(resuming: 100)
        stock.observe(input(seats: 0, cursor: 50))
        #expect(stock.reachable == nil)
        stock.observe(input(seats: 100, cursor: 50))
        #expect(stock.reachable == 1050)
    }

    @Test(arguments: Array(UInt64(1)...40))
    func `the bound is never below the cursor`(seed: UInt64) {
        var dice = Dice(seed)
        var stock = StockOutlook()
        var seats = dice.below(5000)
        var granted = 0
        var cursor: UInt64 = 0
        for _ in 0..<300 {
            cursor += UInt64(dice.below(50))
            granted += dice.below(30)
            seats = max(0, seats - dice.below(60) + dice.below(10))
            stock.observe(input(seats: seats, live: dice.below(200), granted: granted, cursor: cursor))
            #expect(stock.reachable.map { $0 >= cursor } ?? (seats == 0))
        }
    }

    @Test func `an outlook is kept as text and told by rank`() {
        for outlook in [RoomSnapshot.Outlook.open, .gone, .away, .unlikely(beyond: 41)] {
            #expect(RoomSnapshot.Outlook(rawValue: outlook.rawValue) == outlook)
        }
        #expect(RoomSnapshot.Outlook(rawValue: "unlikely:") == nil)
        #expect(RoomSnapshot.Outlook(rawValue: "unlikely:-1") == nil)
        let outlook = RoomSnapshot.Outlook.unlikely(beyond: 41)
        #expect(outlook.name(ofWaiting: 41) == "open")
        #expect(outlook.name(ofWaiting: 42) == "unlikely")
        #expect(outlook.name(ofWaiting: nil) == "open")
    }
}

struct CallingRateTests {
    @Test func `a rate is kept as text, and an older text is read`() {
        let rate = CallingRate(realised: 59.5, expected: 600, rampDelay: 26.25)
        #expect(CallingRate(text: rate.text) == rate)
        #expect(CallingRate(text: "12.5") == CallingRate(realised: 12.5))
        for text in ["", "x", "1 2", "1 2 3 4", "nan", "-1", "1 inf 0"] { #expect(CallingRate(text: text) == nil) }
    }

    @Test func `the ramp calls what its area says`() {
        let ramp = Ramp(seconds: 60)
        #expect(ramp.share(after: 0) == 0.1)
        #expect(ramp.share(after: 60) == 1)
        #expect(abs(ramp.delay(at: 0.1) - 27) < 1e-9)
        // 33 s of full pace is what 60 s of the ramp call.
        #expect(abs(ramp.time(toCall: 33, delay: 27) - 60) < 1e-6)
        #expect(ramp.time(toCall: 100, delay: 27) == 127)
        #expect(abs(ramp.time(toCall: 1, delay: 27) - 20 / 3) < 1e-6)
        #expect(ramp.time(toCall: 5, delay: 0) == 5)
        #expect(Ramp(seconds: 0).time(toCall: 5, delay: 10) == 5)
    }
}

struct EstimateScoreTests {
    private func basis(perMinute: Double) throws -> WaitEstimate.Basis {
        let policy = try RoomPolicy(json: Array(#"{"admission":{"ramp_seconds":0}}"#.utf8))
        return WaitEstimate.Basis(
            phase: .active,
            policy: policy,
            rate: CallingRate(realised: perMinute),
            outlook: .open,
            isPaused: false
        )
    }

    /// A line that moves at `real` places a minute, told about as if it moved at `told`.
    private func score(told: Double, real: UInt64, seconds: Int64 = 4000) throws -> EstimateScore {
        var score = EstimateScore()
        let basis = try basis(perMinute: told)
        for second in 0..<seconds {
            let cursor = UInt64(second) * real / 60
            score.observe(cursor: cursor, last: cursor + 5000, basis, at: Moment(seconds: second))
        }
        return score
    }

    @Test func `true estimates are covered, false ones are not`() throws {
        let good = try score(told: 600, real: 600)
        #expect(good.p90Coverage.map { $0 > 0.98 } ?? false)
        #expect(good.medianRelativeError.map { $0 < 0.02 } ?? false)
        let bad = try score(told: 600, real: 300)
        #expect(bad.p90Coverage.map { $0 < 0.05 } ?? false)
        #expect(bad.medianRelativeError.map { (0.45...0.55).contains($0) } ?? false)
    }

    @Test func `the table stays within its bound and keeps long waits`() throws {
        let slow = try score(told: 60, real: 60, seconds: 20_000)
        #expect(slow.openProbes <= EstimateScore.probesMax)
        #expect(slow.scoredCount > 100)
        #expect(slow.p90Coverage.map { $0 > 0.95 } ?? false)
    }

    @Test func `without a number there is nothing to score`() throws {
        var score = EstimateScore()
        let policy = try RoomPolicy(json: Array("{}".utf8))
        let basis = WaitEstimate.Basis(
            phase: .active,
            policy: policy,
            rate: CallingRate(realised: 60),
            outlook: .open,
            isPaused: true
        )
        for second in 0..<100 { score.observe(cursor: 0, last: 100, basis, at: Moment(seconds: Int64(second))) }
        #expect(score.openProbes == 0 && score.p90Coverage == nil && score.medianRelativeError == nil)
    }
}
