// Leads rooms: takes the lease of each room it can, runs the controller once a second, and moves the cursor.
package import Logging
import Queueing
package import Redis
import ServiceLifecycle
import UsherAPI

package struct AdmissionTicker: Service {
    /// Longer than a tick, so that a leader that is a little late keeps its rooms; with the tick after its end another
    /// leads within three.
    static let leaseTicks = 2
    static let roomsAtOnceMax = 16
    /// Ticks in a row without an answer after which booking counts as away: a restart is not worth the excitement.
    static let awayTicks = 3
    /// States of a session in which its free seats cannot be had any more.
    static let endedStates: Set<String> = ["closed", "ended", "cancelled"]

    private let redis: RedisClient
    private let rooms: Rooms
    private let reports: any AdmissionReports
    private let gauges: EstimateGauges
    private let interval: Duration
    private let logger: Logger
    private let leases: RoomLeases
    private var owner: String { leases.owner }

    package init(
        redis: RedisClient,
        rooms: Rooms,
        reports: any AdmissionReports,
        gauges: EstimateGauges,
        interval: Duration,
        leases: RoomLeases,
        logger: Logger
    ) {
        self.leases = leases
        self.redis = redis
        self.rooms = rooms
        self.reports = reports
        self.gauges = gauges
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var leads: [RoomName: RoomLead] = [:]
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                leads = await tick(leads)
                next = max(next + interval, clock.now)
                try? await clock.sleep(until: next)
            }
        }
    }

    /// All rooms, a few at a time: one slow report must not stop the others for long.
    private func tick(_ leads: [RoomName: RoomLead]) async -> [RoomName: RoomLead] {
        let views = rooms.view.rooms.values.sorted { $0.name.text < $1.name.text }
        return await withTaskGroup(of: (RoomName, RoomLead).self) { tasks in
            var fresh: [RoomName: RoomLead] = [:]
            for (index, view) in views.enumerated() {
                if index >= Self.roomsAtOnceMax, let (name, lead) = await tasks.next() { fresh[name] = lead }
                let lead = leads[view.name] ?? RoomLead()
                tasks.addTask { (view.name, await step(lead, view.snapshot)) }
            }
            for await (name, lead) in tasks { fresh[name] = lead }
            return fresh
        }
    }

    private func step(_ old: RoomLead, _ room: RoomSnapshot) async -> RoomLead {
        var lead = old
        do {
            let keys = RoomKeys(room.name)
            let leaseMS = Int(interval.wholeMilliseconds) * Self.leaseTicks
            let reply = try await redis.call(
                RoomFunctions.lead,
                keys: keys.forLead,
                arguments: [.text(owner), .integer(max(leaseMS, 1000))]
            )
            guard let census = Census(reply) else {
                if lead.fence != nil { logger.notice("room is led elsewhere", metadata: ["room": "\(room.name)"]) }
                leases.set(nil, of: room.name)
                gauges.set(leads: false, room.name)
                return RoomLead()
            }
            if lead.fence != census.fence {
                lead = RoomLead(resuming: room)
                lead.fence = census.fence
                leases.set(census.fence, of: room.name)
                gauges.set(leads: true, room.name)
                logger.notice("leading room", metadata: ["room": "\(room.name)", "fence": "\(census.fence)"])
            }
            if census.phase.callsPeople || census.phase == .prequeue {
                lead.note(await health(of: room.policy.protectedSessions))
            }
            try await follow(&lead, census, room)
        } catch {
            if !lead.isFailing {
                logger.warning("room cannot be led", metadata: ["room": "\(room.name)", "error": "\(error)"])
            }
            lead.isFailing = true
            return lead
        }
        lead.isFailing = false
        return lead
    }

    private func follow(_ lead: inout RoomLead, _ census: Census, _ room: RoomSnapshot) async throws {
        let now = census.now
        let line = AdmissionController.Input(
            admission: room.policy.admission,
            isCalling: census.phase.callsPeople && !census.override.stopsCalling && !lead.isBookingAway,
            cursor: census.cursor,
            lastNumber: census.callable,
            livePasses: census.live,
            undecided: census.undecided,
            turnedUp: room.turnedUp.count,
            decidedCalls: census.decidedCalls,
            decidedClaims: census.decidedClaims,
            granted: census.granted,
            health: lead.health.map { $0.seen(at: now) },
            expectsHealth: !room.policy.protectedSessions.isEmpty
        )
        let cursor = lead.controller.step(line, at: now)
        let outlook = lead.isBookingAway ? .away : lead.controller.outlook(of: line, last: census.number)
        lead.score(room, census.cursor, census.number, at: now)
        gauges.set(lead.score, of: room.name)
        if outlook.name != room.outlook.name {
            logger.notice("outlook of room", metadata: ["room": "\(room.name)", "outlook": "\(outlook.rawValue)"])
        }
        _ = try await redis.call(
            RoomFunctions.advance,
            keys: RoomKeys(room.name).forAdvance,
            arguments: [
                .text(owner), .integer(census.fence), RedisArgument(cursor),
                .text(lead.controller.rate.text), .text(outlook.rawValue),
            ]
        )
        // When all is sold nobody more is called: those who wait have been told, and keep no room open.
        let isWaitedFor = census.cursor < census.number && outlook != .gone
        let isEmpty = !isWaitedFor && census.live == 0 && census.undecided == 0
        let policy = room.policy
        guard let due = census.phase.due(policy.schedule, order: policy.order, isEmpty: isEmpty, at: now) else {
            return
        }
        let lease = RoomLease(owner: owner, fence: census.fence)
        let change = try await RoomStore(redis: redis)
            .setPhase(room.name, from: census.phase, to: due, by: .time, lease: lease)
        guard change == .done else { return }
        logger.notice("phase of room", metadata: ["room": "\(room.name)", "phase": "\(due.rawValue)"])
    }

    /// The sessions of a room taken together.
    private func health(of sessions: [String]) async -> RoomLead.Report {
        guard !sessions.isEmpty else { return .nothing }
        var sum = AdmissionHealth(seatsLeft: 0, receivedAt: WallClock.now())
        for session in sessions {
            let report: AdmissionReport
            do {
                report = try await reports.report(session: session)
            } catch let failure as PlainFetch.Failure where failure.isAway {
                return .away
            } catch {
                return .nothing
            }
            // A session that will sell later has its seats; a closed one has none.
            if !Self.endedStates.contains(report.state) {
                sum.seatsFree += max(0, report.free)
                sum.seatsLeft += max(0, report.free) + max(0, report.held) + max(0, report.pending)
            }
            sum.holdP99MS = max(sum.holdP99MS, report.holdP99MS)
            sum.sagaBacklog = max(sum.sagaBacklog, report.sagaBacklog)
            sum.paymentErrorRate = max(sum.paymentErrorRate, report.paymentErrorRate)
        }
        return .health(sum)
    }
}

/// What a leader carries from tick to tick.
struct RoomLead: Sendable {
    var fence: Int?
    var controller = AdmissionController()
    var health: AdmissionHealth?
    var isFailing = false
    private(set) var score = EstimateScore()
    private var ticksWithoutBooking = 0

    init() {}

    init(resuming room: RoomSnapshot) {
        let told: UInt64? = if case .unlikely(let beyond) = room.outlook { beyond } else { nil }
        controller = AdmissionController(resuming: room.rate, reachable: told)
    }

    /// Visitors are told what the snapshot says, so that is what is scored.
    mutating func score(_ room: RoomSnapshot, _ cursor: UInt64, _ last: UInt64, at now: Moment) {
        score.observe(cursor: cursor, last: last, WaitEstimate.Basis(room), at: now)
    }

    enum Report: Sendable {
        /// Every session answered.
        case health(AdmissionHealth)
        /// Booking itself does not answer.
        case away
        /// It answered, and not with a report; or there is nothing to ask about.
        case nothing
    }

    var isBookingAway: Bool { ticksWithoutBooking >= AdmissionTicker.awayTicks }

    /// Without a fresh report the last one stays.
    mutating func note(_ report: Report) {
        switch report {
        case .health(let health):
            self.health = health
            ticksWithoutBooking = 0
        case .away: ticksWithoutBooking += 1
        case .nothing: ticksWithoutBooking = 0
        }
    }
}

extension PlainFetch.Failure {
    /// The service is not there, or is not itself.
    fileprivate var isAway: Bool {
        switch self {
        case .unreachable, .timedOut, .closedEarly: true
        case .status(let status): status >= 500
        case .tooLong, .broken: false
        }
    }
}

/// What the function `lead` counts.
private struct Census {
    var fence: Int
    var now: Moment
    var phase: Phase
    var override: Override
    var cursor: UInt64
    var number: UInt64
    var live: Int
    var undecided: Int
    var decidedCalls: Int
    var decidedClaims: Int
    /// How far the cursor may move.
    var callable: UInt64
    var granted: Int

    /// Nil when another gateway leads, or the room is gone.
    init?(_ reply: RedisValue) {
        guard let parts = reply.asArray, parts.count == 12, let fence = parts[0].asInteger,
            let now = parts[1].asInteger, let phase = parts[2].asText.flatMap(Phase.init(rawValue:)),
            let override = parts[3].asText.flatMap({ Override(text: $0) }), let cursor = parts[4].asUnsigned,
            let number = parts[5].asUnsigned, let live = parts[6].asInteger, let undecided = parts[7].asInteger,
            let calls = parts[8].asInteger, let claims = parts[9].asInteger,
            let callable = parts[10].asUnsigned, let granted = parts[11].asInteger
        else { return nil }
        self.fence = fence
        self.now = Moment(milliseconds: Int64(now))
        self.phase = phase
        self.override = override
        self.cursor = cursor
        self.number = number
        self.live = live
        self.undecided = undecided
        decidedCalls = calls
        decidedClaims = claims
        self.callable = callable
        self.granted = granted
    }
}

extension AdmissionHealth {
    /// The same report with its age counted by Redis' clock.
    func seen(at now: Moment) -> AdmissionHealth {
        var copy = self
        let age = WallClock.now() - receivedAt
        copy.receivedAt = now - age
        return copy
    }
}
