import Testing

@testable import Queueing

/// A whole room of the pure cores under a random schedule: joins, presence, claims, ends of passes, pauses, sold-out, a
/// leader that sleeps, a leader that changes.
private struct RandomRoom {
    var dice: Dice
    var admission: RoomPolicy.Admission
    var window: ClaimWindow
    var controller = AdmissionController()
    var ledger = CallLedger()
    var pace = GrantPace()
    var now = Moment(seconds: 1_000_000)
    var last: UInt64 = 0
    var live: [UInt64: Moment] = [:]
    var done: Set<UInt64> = []
    var stages: [PlaceStage] = [.waiting]
    var grants: [Moment] = []
    var standsSince: Moment?
    var seats: Int?

    init(seed: UInt64) {
        dice = Dice(seed)
        let perMinute = [6, 60, 600, 6000][dice.below(4)]
        admission = .init(
            perMinute: perMinute,
            activeMax: 1 + dice.below(50),
            burst: dice.happens(50) ? nil : 1 + dice.below(20),
            rampSeconds: dice.happens(50) ? 0 : 60,
            isAdaptive: true
        )
        window = ClaimWindow(windowSeconds: 5 + dice.below(30), graceSeconds: dice.below(60))
        seats = dice.happens(50) ? nil : dice.below(200)
    }

    var room: CallLedger.Room {
        CallLedger.Room(
            phase: .active,
            isStanding: standsSince != nil,
            isSoldOut: seats.map { $0 <= 0 } ?? false,
            admission: admission,
            window: window
        )
    }

    mutating func step() {
        now = now + .milliseconds(dice.happens(2) ? Int64(dice.below(20_000)) : Int64(dice.below(1500)))
        let ended = live.filter { $0.value <= now }.keys
        for rank in ended { end(rank) }
        for _ in 0..<dice.below(20) {
            last += 1
            stages.append(.waiting)
        }
        if dice.happens(3) { pauseOrGoOn() }
        if dice.happens(1) { controller = AdmissionController(resuming: controller.rate) }
        lead()
        for _ in 0..<dice.below(30) { claim(UInt64(dice.below(Int(last) + 3))) }
    }

    private mutating func pauseOrGoOn() {
        if let since = standsSince {
            ledger.goOn(window, stoodSince: since, at: now)
            standsSince = nil
        } else {
            standsSince = now
        }
    }

    private mutating func lead() {
        let forfeited = ledger.forfeitedThrough
        let tally = standsSince == nil ? ledger.settle(window, at: now) : CallLedger.Tally()
        for rank in stride(from: forfeited + 1, through: ledger.forfeitedThrough, by: 1) {
            stages[Int(rank)] = stages[Int(rank)].after(.windowEnded) ?? stages[Int(rank)]
            stages[Int(rank)] = stages[Int(rank)].after(.graceEnded) ?? stages[Int(rank)]
        }
        let cursor = controller.step(
            .init(
                admission: admission,
                isCalling: standsSince == nil,
                cursor: ledger.cursor,
                lastNumber: last,
                livePasses: live.count,
                undecided: tally.undecided,
                turnedUp: ledger.turnedUp.count,
                decidedCalls: tally.decidedCalls,
                decidedClaims: tally.decidedClaims,
                granted: grants.count,
                health: seats.map { AdmissionHealth(seatsLeft: $0, receivedAt: now) },
                expectsHealth: seats != nil
            ),
            at: now
        )
        let called = Int(cursor - ledger.cursor)
        for rank in ledger.cursor..<cursor { stages[Int(rank + 1)] = .called }
        ledger.advance(to: cursor, last: last, present: called == 0 ? 0 : dice.below(called + 1), at: now)
    }

    private mutating func claim(_ rank: UInt64) {
        let held: CallLedger.Held = live[rank] != nil ? .live : done.contains(rank) ? .ended : .nothing
        let answer = ledger.claim(
            rank,
            in: room,
            holding: held,
            livePasses: live.count,
            pace: &pace,
            atMicroseconds: now.milliseconds * 1000
        )
        guard answer == .granted(isNew: true) else { return }
        grants.append(now)
        live[rank] = now + .milliseconds(Int64(dice.below(60_000)))
        stages[Int(rank)] = .admitted
        if dice.happens(40) { seats = seats.map { max(0, $0 - 1 - dice.below(4)) } }
    }

    private mutating func end(_ rank: UInt64) {
        live[rank] = nil
        done.insert(rank)
        stages[Int(rank)] = .used
    }
}

struct RoomPropertyTests {
    private static let seeds = Array(UInt64(1)...60)
    private static let steps = 400

    @Test(arguments: seeds)
    func `invariant 3: cursor, decided and forfeited never go down, and keep their order`(seed: UInt64) {
        var room = RandomRoom(seed: seed)
        var before = (cursor: UInt64(0), decided: UInt64(0), forfeited: UInt64(0))
        for _ in 0..<Self.steps {
            room.step()
            let ledger = room.ledger
            #expect(ledger.cursor >= before.cursor && ledger.cursor <= room.last)
            #expect(ledger.decidedThrough >= before.decided && ledger.decidedThrough <= ledger.cursor)
            #expect(ledger.forfeitedThrough >= before.forfeited)
            #expect(ledger.forfeitedThrough <= ledger.decidedThrough)
            let marks = ledger.moves.map(\.upTo)
            #expect(marks == marks.sorted() && Set(marks).count == marks.count)
            before = (ledger.cursor, ledger.decidedThrough, ledger.forfeitedThrough)
        }
    }

    @Test(arguments: seeds)
    func `invariant 4: grants of any interval stay within its pace and the burst`(seed: UInt64) {
        var room = RandomRoom(seed: seed)
        for _ in 0..<Self.steps { room.step() }
        let intervalUS = Double((60_000_000 + room.admission.perMinute - 1) / room.admission.perMinute)
        for (first, start) in room.grants.enumerated() {
            for index in stride(from: first, to: min(first + 200, room.grants.count), by: 1) {
                let elapsed = Double((room.grants[index] - start).wholeMilliseconds) * 1000
                // A grant in the first moment, the burst, and one each interval.
                let allowed = Double(room.admission.burstAllowed) + elapsed / intervalUS
                #expect(Double(index - first + 1) <= allowed + 1e-6, "grants \(first)...\(index)")
            }
        }
    }

    @Test(arguments: seeds)
    func `invariant 5: live passes stay within the cap at every moment`(seed: UInt64) {
        var room = RandomRoom(seed: seed)
        for _ in 0..<Self.steps {
            room.step()
            #expect(room.live.count <= room.admission.activeMax)
        }
    }

    @Test(arguments: seeds)
    func `invariant 6: a place is granted once, and nobody before it is called`(seed: UInt64) {
        var room = RandomRoom(seed: seed)
        var granted = 0
        for _ in 0..<Self.steps {
            room.step()
            #expect(room.live.keys.allSatisfy { $0 >= 1 && $0 <= room.ledger.cursor })
            #expect(Set(room.live.keys).isDisjoint(with: room.done))
            granted = room.live.count + room.done.count
        }
        #expect(granted == room.grants.count)
    }

    @Test(arguments: seeds)
    func `the observed no-show and the credit stay in their bounds`(seed: UInt64) {
        var room = RandomRoom(seed: seed)
        for _ in 0..<Self.steps {
            room.step()
            #expect((0...AdmissionController.noShowMax).contains(room.controller.noShow))
            #expect((AdmissionController.creditLeast...1).contains(room.controller.credit))
            #expect(room.controller.rate.realised.isFinite && room.controller.rate.expected >= 0)
            #expect(room.ledger.turnedUp.count <= CallLedger.turnedUpMax)
        }
    }

    @Test func `attack 17: early, zero, huge and repeated claims get nothing`() {
        var ledger = CallLedger()
        var pace = GrantPace()
        let admission = RoomPolicy.Admission(
            perMinute: RoomPolicy.perMinuteMax,
            activeMax: 10,
            burst: nil,
            rampSeconds: 0,
            isAdaptive: true
        )
        let room = CallLedger.Room(
            phase: .active,
            admission: admission,
            window: ClaimWindow(windowSeconds: 60, graceSeconds: 0)
        )
        let now = Moment(seconds: 100)
        func claim(_ rank: UInt64) -> CallLedger.Answer {
            ledger.claim(rank, in: room, holding: .nothing, livePasses: 0, pace: &pace, atMicroseconds: 100_000_000)
        }
        #expect(claim(1) == .notNow(.notCalled, milliseconds: 1000))
        ledger.advance(to: 5, last: 8, present: 5, at: now)
        #expect(claim(6) == .notNow(.notCalled, milliseconds: 1000))
        #expect(claim(.max) == .notNow(.notCalled, milliseconds: 1000))
        #expect(claim(0) == .never(.late))
        #expect(claim(5) == .granted(isNew: true))
        // The cursor never passes the last place, and a lower wish changes nothing.
        ledger.advance(to: 100, last: 8, present: 0, at: now)
        #expect(ledger.cursor == 8)
        ledger.advance(to: 2, last: 8, present: 0, at: now)
        #expect(ledger.cursor == 8)
        // A store that lost its newest places has a cursor beyond them: nobody is called, nothing overflows.
        var controller = AdmissionController()
        for (cursor, last) in [(UInt64(9), UInt64(3)), (.max, 3), (.max - 1, .max)] {
            let input = AdmissionController.Input(
                admission: admission,
                isCalling: true,
                cursor: cursor,
                lastNumber: last,
                livePasses: 0,
                undecided: 0
            )
            #expect(controller.step(input, at: now) >= cursor)
        }
    }

    @Test(arguments: [0, 30, 100])
    func `attack 20: ten thousand abandoned places at the front stop the line for no longer than a window`(
        presentPercent: Int
    ) {
        var ledger = CallLedger()
        var controller = AdmissionController()
        let admission = RoomPolicy.Admission(
            perMinute: 6000,
            activeMax: 500,
            burst: nil,
            rampSeconds: 0,
            isAdaptive: true
        )
        let window = ClaimWindow(windowSeconds: 60, graceSeconds: 300)
        let abandoned: UInt64 = 10_000
        var longestStop = 0
        var stop = 0
        var second: Int64 = 0
        while ledger.cursor < abandoned, second < 10_000 {
            let now = Moment(seconds: second)
            let tally = ledger.settle(window, at: now)
            let wanted = controller.step(
                .init(
                    admission: admission,
                    isCalling: true,
                    cursor: ledger.cursor,
                    lastNumber: 20_000,
                    livePasses: 0,
                    undecided: tally.undecided,
                    decidedCalls: tally.decidedCalls,
                    decidedClaims: tally.decidedClaims
                ),
                at: now
            )
            let called = Int(wanted - ledger.cursor)
            stop = called == 0 ? stop + 1 : 0
            longestStop = max(longestStop, stop)
            ledger.advance(to: wanted, last: 20_000, present: called * presentPercent / 100, at: now)
            second += 1
        }
        #expect(ledger.cursor >= abandoned)
        #expect(longestStop <= window.windowSeconds)
        // Even if every page is open: 500 a window. Absent ones cost no wait at all.
        #expect(second <= (presentPercent == 0 ? 120 : 1200))
    }
}

struct PlaceStageTests {
    private static let table: [(PlaceStage, PlaceStage.Event, PlaceStage)] = [
        (.waiting, .wasCalled, .called), (.waiting, .gaveUp, .left),
        (.called, .foundNoRoom, .turnedUp), (.called, .wasGranted, .admitted), (.called, .windowEnded, .parked),
        (.called, .gaveUp, .left),
        (.turnedUp, .foundNoRoom, .turnedUp), (.turnedUp, .wasGranted, .admitted), (.turnedUp, .fellSilent, .parked),
        (.turnedUp, .gaveUp, .left),
        (.parked, .foundNoRoom, .turnedUp), (.parked, .wasGranted, .admitted), (.parked, .graceEnded, .forfeited),
        (.parked, .gaveUp, .left),
        (.forfeited, .gaveUp, .left),
        (.admitted, .passEnded, .used), (.admitted, .gaveUp, .used),
    ]

    @Test func `the table of changes is complete: what is not in it cannot be`() {
        for stage in PlaceStage.allCases {
            for event in PlaceStage.Event.allCases {
                let expected = Self.table.first { $0.0 == stage && $0.1 == event }?.2
                #expect(stage.after(event) == expected, "\(stage) after \(event)")
            }
        }
    }

    @Test func `nothing comes after the end, and every stage can be reached`() {
        var reached: Set<PlaceStage> = [.waiting]
        for _ in PlaceStage.allCases {
            for stage in reached { reached.formUnion(PlaceStage.Event.allCases.compactMap { stage.after($0) }) }
        }
        #expect(reached == Set(PlaceStage.allCases))
        for stage in [PlaceStage.used, .left] {
            #expect(PlaceStage.Event.allCases.allSatisfy { stage.after($0) == nil })
        }
        let mayStillBeAdmitted = PlaceStage.allCases.filter { $0.after(.wasGranted) != nil }
        #expect(Set(mayStillBeAdmitted) == [.called, .turnedUp, .parked])
    }
}
