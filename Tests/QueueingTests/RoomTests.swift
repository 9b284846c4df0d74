import Testing

@testable import Queueing

func room(
    _ policy: String = "{}",
    phase: Phase = .active,
    override: Override = .none,
    pausedAt: Moment? = nil,
    cursor: UInt64 = 0,
    lastNumber: UInt64 = 100,
    calls: CallMarks = CallMarks(),
    turnedUp: Set<UInt64> = [],
    rate: Double = 0,
    outlook: RoomSnapshot.Outlook = .open,
    isDegraded: Bool = false,
    asOf: Moment = Moment(seconds: 1000)
) throws -> RoomSnapshot {
    let policy = try RoomPolicy(json: Array(policy.utf8))
    let name = try #require(RoomName("sale"))
    return RoomSnapshot(
        name: name,
        policy: policy,
        policyHash: policy.hash,
        version: 1,
        phase: phase,
        override: override,
        pausedAt: pausedAt,
        cursor: cursor,
        lastNumber: lastNumber,
        calls: calls,
        turnedUp: turnedUp,
        ratePerMinute: rate,
        outlook: outlook,
        isDegraded: isDegraded,
        asOf: asOf
    )
}

struct PhaseTests {
    @Test func `the table of changes is complete and has no surprise`() {
        let firstCome: [Phase: Set<Phase>] = [
            .draft: [.scheduled, .prequeue, .active, .closed],
            .scheduled: [.draft, .prequeue, .active, .closed],
            .prequeue: [.active, .closed],
            .sealed: [.closed],
            .drawn: [.closed],
            .active: [.draining, .closed],
            .draining: [.active, .closed],
            .closed: [],
        ]
        let lottery: [Phase: Set<Phase>] = [
            .draft: [.scheduled, .prequeue, .closed],
            .scheduled: [.draft, .prequeue, .closed],
            .prequeue: [.sealed, .closed],
            .sealed: [.drawn, .closed],
            .drawn: [.active, .closed],
            .active: [.draining, .closed],
            .draining: [.active, .closed],
            .closed: [],
        ]
        for from in Phase.allCases {
            for to in Phase.allCases {
                #expect(
                    from.mayBecome(to, order: .firstCome) == (firstCome[from]?.contains(to) ?? false),
                    "\(from) → \(to)"
                )
                #expect(
                    from.mayBecome(to, order: .lottery) == (lottery[from]?.contains(to) ?? false),
                    "\(from) → \(to)"
                )
            }
        }
    }

    @Test func `the clock moves a room through its schedule`() {
        let schedule = RoomPolicy.Schedule(
            joinOpensAt: Moment(seconds: 10),
            saleOpensAt: Moment(seconds: 20),
            closesAt: Moment(seconds: 30)
        )
        let cases: [(Phase, Int64, Bool, Phase?)] = [
            (.scheduled, 9, false, nil), (.scheduled, 10, false, .prequeue), (.scheduled, 20, false, .active),
            (.prequeue, 19, false, nil), (.prequeue, 20, false, .active),
            (.active, 29, false, nil), (.active, 30, false, .draining),
            (.draining, 31, false, nil), (.draining, 31, true, .closed), (.draining, 3630, false, .closed),
            (.draft, 99, true, nil), (.closed, 99, true, nil),
        ]
        for (phase, seconds, isEmpty, due) in cases {
            #expect(
                phase.due(schedule, isEmpty: isEmpty, at: Moment(seconds: seconds)) == due,
                "\(phase) at \(seconds)"
            )
        }
    }

    @Test func `the clock seals a lottery where it would open another sale, and opens it once drawn`() {
        let schedule = RoomPolicy.Schedule(
            joinOpensAt: Moment(seconds: 10),
            saleOpensAt: Moment(seconds: 20),
            closesAt: Moment(seconds: 30)
        )
        let cases: [(Phase, Int64, Phase?)] = [
            (.scheduled, 10, .prequeue), (.scheduled, 20, .prequeue), (.prequeue, 19, nil), (.prequeue, 20, .sealed),
            (.sealed, 29, nil), (.sealed, 30, .closed), (.drawn, 19, nil), (.drawn, 20, .active), (.drawn, 30, .closed),
            (.active, 30, .draining),
        ]
        for (phase, seconds, due) in cases {
            let moved = phase.due(schedule, order: .lottery, isEmpty: false, at: Moment(seconds: seconds))
            #expect(moved == due, "\(phase) at \(seconds)")
        }
    }

    @Test func `without a schedule the clock moves nothing but an empty draining room`() {
        let schedule = RoomPolicy.Schedule()
        for phase in Phase.allCases {
            let due = phase.due(schedule, isEmpty: true, at: Moment(seconds: 1_000_000))
            #expect(due == (phase == .draining ? .closed : nil))
        }
    }

    @Test(arguments: [Override.none, .paused, .passthrough, .reject, .failOpen(until: Moment(milliseconds: 5))])
    func `an override reads back from its text`(override: Override) {
        #expect(Override(text: override.text) == override)
    }

    @Test func `fail-open ends by itself`() {
        let override = Override.failOpen(until: Moment(seconds: 10))
        #expect(override.letsEveryoneThrough(at: Moment(seconds: 9)))
        #expect(!override.letsEveryoneThrough(at: Moment(seconds: 10)))
    }
}

struct PlaceStateTests {
    static let policy = #"{"claim":{"window_seconds":120,"grace_seconds":300}}"#
    static let calls = CallMarks(
        [.init(upTo: 10, at: Moment(seconds: 1000)), .init(upTo: 25, at: Moment(seconds: 1100))],
        forfeitedThrough: 4
    )

    @Test(
        arguments: [
            (26, 1100, PlaceState.waiting(ahead: 0)),
            (30, 1100, .waiting(ahead: 4)),
            (25, 1100, .called(deadline: Moment(seconds: 1220))),
            (11, 1219, .called(deadline: Moment(seconds: 1220))),
            (11, 1220, .parked(deadline: Moment(seconds: 1520))),
            (10, 1119, .called(deadline: Moment(seconds: 1120))),
            (5, 1120, .parked(deadline: Moment(seconds: 1420))),
            (10, 1420, .forfeited),
            (4, 1001, .forfeited),
            (7, 9999, .called(deadline: nil)),
            (3, 9999, .called(deadline: nil)),
        ] as [(UInt64, Int64, PlaceState)]
    )
    func `a place is where the snapshot puts it`(number: UInt64, seconds: Int64, state: PlaceState) throws {
        let room = try room(Self.policy, cursor: 25, calls: Self.calls, turnedUp: [3, 7])
        #expect(room.state(of: number, at: Moment(seconds: seconds)) == state)
    }

    @Test(arguments: [true, false])
    func `no deadline runs out while nobody can claim`(isAway: Bool) throws {
        let room = try room(
            Self.policy,
            override: isAway ? .none : .paused,
            pausedAt: isAway ? nil : Moment(seconds: 1110),
            cursor: 25,
            calls: Self.calls,
            isDegraded: isAway,
            asOf: Moment(seconds: isAway ? 1110 : 90_000)
        )
        #expect(room.state(of: 25, at: Moment(seconds: 99_999)) == .called(deadline: Moment(seconds: 1220)))
    }
}

struct WaitEstimateTests {
    @Test func `the wait is the people ahead over the realised rate`() throws {
        let estimate = WaitEstimate(ahead: 100, in: try room(rate: 60), at: Moment(seconds: 1000))
        #expect(estimate.p50Seconds == 100)
        #expect(estimate.p90Seconds == 138)
        #expect(estimate.reason == nil)
    }

    @Test func `before the first call the policy's pace stands in, after the opening`() throws {
        let policy =
            #"{"admission":{"per_minute":60,"ramp_seconds":0},"schedule":{"sale_opens_at":"1970-01-01T00:20:00Z"}}"#
        let estimate = WaitEstimate(ahead: 10, in: try room(policy, phase: .prequeue), at: Moment(seconds: 1000))
        #expect(estimate.p50Seconds == 210)
    }

    @Test func `no number is given without a ground for it`() throws {
        let now = Moment(seconds: 1000)
        #expect(WaitEstimate(ahead: 1, in: try room(override: .paused), at: now).reason == .paused)
        #expect(WaitEstimate(ahead: 1, in: try room(outlook: .gone), at: now).reason == .soldOut)
        #expect(WaitEstimate(ahead: 1, in: try room(phase: .prequeue), at: now).reason == .notOpen)
        #expect(WaitEstimate(ahead: 1, perMinute: 0).reason == .noRate)
    }

    @Test(arguments: [
        (0, 0.5, 20), (40, 0.5, 20), (100, 0.5, 50), (1200, 0.5, 600), (99_999, 0.5, 600),
        (100, 0.0, 40), (100, 1.0, 60),
    ])
    func `a poll comes after a twentieth of the wait, two to sixty seconds, spread by a fifth`(
        p50: Int,
        chance: Double,
        tenths: Int
    ) {
        #expect(PollDelay.tenths(p50Seconds: p50, chance: chance) == tenths)
    }
}
