import Testing

@testable import Queueing

/// A room in the small: people come when called or do not, stay a while, and go.
private struct Simulation {
    var controller = AdmissionController()
    var admission: RoomPolicy.Admission
    var cursor: UInt64 = 0
    var lastNumber: UInt64 = 1_000_000
    var live = 0
    var undecided = 0
    var health: AdmissionHealth?
    var second: Int64 = 0

    init(perMinute: Int = 600, activeMax: Int = 1000, ramp: Int = 0) {
        admission = .init(perMinute: perMinute, activeMax: activeMax, burst: nil, rampSeconds: ramp, isAdaptive: true)
    }

    mutating func step(isCalling: Bool = true, decidedCalls: Int = 0, decidedClaims: Int = 0) -> Int {
        let before = cursor
        cursor = controller.step(
            .init(
                admission: admission,
                isCalling: isCalling,
                cursor: cursor,
                lastNumber: lastNumber,
                livePasses: live,
                undecided: undecided,
                decidedCalls: decidedCalls,
                decidedClaims: decidedClaims,
                health: health,
                expectsHealth: health != nil
            ),
            at: Moment(seconds: second)
        )
        second += 1
        return Int(cursor - before)
    }
}

struct AdmissionControllerTests {
    @Test func `the pace is kept over a minute`() {
        var simulation = Simulation(perMinute: 610)
        let calls = (0..<60).reduce(0) { sum, _ in sum + simulation.step() }
        #expect((600...611).contains(calls))
    }

    @Test func `a slow pace calls one now and then`() {
        var simulation = Simulation(perMinute: 6)
        let calls = (0..<600).reduce(0) { sum, _ in sum + simulation.step() }
        #expect((59...61).contains(calls))
    }

    @Test func `the cap counts live passes and those who may still come`() {
        var simulation = Simulation(perMinute: 6000, activeMax: 100)
        simulation.live = 60
        simulation.undecided = 35
        #expect(simulation.step() == 5)
        simulation.undecided = 45
        #expect(simulation.step() == 0)
    }

    @Test func `nobody is called beyond the last place`() {
        var simulation = Simulation()
        simulation.lastNumber = 3
        #expect(simulation.step() == 3)
        #expect(simulation.step() == 0)
        #expect(simulation.cursor == 3)
    }

    @Test func `nobody is called when nothing is left to buy`() {
        var simulation = Simulation()
        simulation.health = AdmissionHealth(seatsLeft: 0, receivedAt: Moment(seconds: 0))
        #expect((0..<20).allSatisfy { _ in simulation.step() == 0 })
    }

    @Test func `no more are called at once than seats can still be had`() {
        var simulation = Simulation()
        simulation.health = AdmissionHealth(seatsLeft: 4, receivedAt: Moment(seconds: 0))
        #expect(simulation.step() == 4)
    }

    @Test func `a pause stops the calling and leaves nothing to catch up`() {
        var simulation = Simulation(perMinute: 600)
        _ = simulation.step()
        for _ in 0..<30 { #expect(simulation.step(isCalling: false) == 0) }
        #expect(simulation.step() <= 10)
    }

    @Test func `the ramp starts at a tenth and ends at the pace`() {
        var simulation = Simulation(perMinute: 6000, activeMax: 1_000_000, ramp: 60)
        let first = simulation.step()
        #expect(first == 10)
        let middle = (0..<30).map { _ in simulation.step() }
        #expect(middle == middle.sorted())
        for _ in 0..<40 { _ = simulation.step() }
        #expect((99...101).contains(simulation.step()))
    }

    @Test func `people who do not come are made up for, within a bound`() {
        var simulation = Simulation(perMinute: 600, activeMax: 1_000_000)
        for _ in 0..<200 { _ = simulation.step(decidedCalls: 10, decidedClaims: 7) }
        #expect(abs(simulation.controller.noShow - 0.3) < 0.01)
        let calls = (0..<60).reduce(0) { sum, _ in sum + simulation.step(decidedCalls: 10, decidedClaims: 7) }
        #expect((840...870).contains(calls))
        for _ in 0..<500 { _ = simulation.step(decidedCalls: 10, decidedClaims: 0) }
        #expect(simulation.controller.noShow == AdmissionController.noShowMax)
    }

    @Test func `strain cuts the pace and health brings it back slowly`() {
        var simulation = Simulation(perMinute: 6000, activeMax: 1_000_000)
        simulation.health = AdmissionHealth(seatsLeft: 10_000, holdP99MS: 5000, receivedAt: Moment(seconds: 0))
        _ = simulation.step()
        #expect(simulation.controller.credit == 0.7)
        let credits = (0..<10).map { _ in
            simulation.health?.receivedAt = Moment(seconds: simulation.second)
            simulation.health?.holdP99MS = 1
            _ = simulation.step()
            return simulation.controller.credit
        }
        #expect(credits == credits.sorted())
        #expect(credits.last.map { $0 > 0.85 && $0 < 0.95 } ?? false)
    }

    @Test func `a stale report keeps the lower pace`() {
        var simulation = Simulation(perMinute: 6000, activeMax: 1_000_000)
        simulation.health = AdmissionHealth(seatsLeft: 10_000, holdP99MS: 5000, receivedAt: Moment(seconds: 0))
        for _ in 0..<100 { _ = simulation.step() }
        let credit = simulation.controller.credit
        #expect(credit < 1)
        for _ in 0..<100 { _ = simulation.step() }
        #expect(simulation.controller.credit == credit)
    }

    @Test func `the cursor never goes back and the rate follows it`() {
        var simulation = Simulation(perMinute: 600)
        var last: UInt64 = 0
        for second in 0..<300 {
            simulation.live = second % 7 == 0 ? 5000 : 10
            _ = simulation.step()
            #expect(simulation.cursor >= last)
            last = simulation.cursor
        }
        #expect((450...620).contains(simulation.controller.ratePerMinute))
    }

    @Test func `a leader that slept does not make up for it`() {
        var simulation = Simulation(perMinute: 600)
        _ = simulation.step()
        simulation.second += 3600
        #expect(simulation.step() <= 31)
    }
}
