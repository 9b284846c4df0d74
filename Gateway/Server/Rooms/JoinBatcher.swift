// Takes the joins of one room on one event loop to Redis, many at a time and in the order they came.
import Fairness
import NIOCore
import Queueing
import Redis

/// What became of a join.
enum JoinOutcome {
    case placed(JoinedPlace)
    case notOpen(Phase)
    case noRoom
    case roomFull
    /// No place is there, and the challenge was not answered.
    case challenged
    /// The challenge gave a place before.
    case spent
}

struct JoinedPlace {
    var number: UInt64
    /// Nil while it is not given.
    var rank: UInt64?
    var isNew: Bool
    /// When the place was taken.
    var arrivedAt: Moment
    /// Taken before the seal; of no meaning without one.
    var isInCohort: Bool
    // Of the store, newer than the snapshot's.
    var cursor: UInt64
    var generation: Int
}

/// What a join may get for what it showed.
enum JoinRight {
    /// A place, as nothing is asked for.
    case free
    /// Only the place that is there, as the challenge was not answered.
    case onlyBack
    /// A place, once: the id of what was passed is marked as spent in the same step.
    case spending(id: [UInt8], expiresAtMS: Int64)
}

enum JoinFailure: Error {
    /// `waitingMax` joins wait already.
    case crowded
    /// The store did not answer within `patience`.
    case storeAway
}

/// A slice closes 2 ms after its first join or at 512 joins; one function call gives every member its number. While a
/// call is under way the next slice fills. When the store is away the joins wait, to a bound in number and time.
final class JoinBatcher {
    static let sliceTime = TimeAmount.milliseconds(2)
    static let sliceMax = 512
    static let waitingMax = 4096
    /// Of these, joins without an answered challenge: they never keep the others out.
    static let unansweredMax = 1024
    static let patience = TimeAmount.seconds(3)
    static let retryPause = TimeAmount.milliseconds(100)

    /// Answer of a room that waits for what the gateways know.
    private static let recovering = -3

    private struct Member {
        let entry: [UInt8]
        let held: UInt64
        let challenge: RedisArgument
        let since: NIODeadline
        let then: Answer
    }

    /// Called once, on the loop.
    typealias Answer = (Result<JoinOutcome, JoinFailure>) -> Void

    private let room: RoomName
    private let redis: RedisClient
    private let memory: RoomMemory
    private let loop: any EventLoop
    private var waiting: [Member] = []
    private var unanswered = 0
    private var isBusy = false
    /// The highest number this loop has seen in answers or on tokens: the store may have forgotten it.
    private(set) var highest: UInt64 = 0

    init(room: RoomName, redis: RedisClient, memory: RoomMemory, loop: any EventLoop) {
        self.memory = memory
        self.room = room
        self.redis = redis
        self.loop = loop
    }

    func noteSeen(_ number: UInt64) { highest = max(highest, number) }

    /// `held` is the number of a place token that was shown, and `arrivedAt` the arrival in it: a store that has
    /// forgotten the place learns of it again.
    func join(
        tag: [UInt8],
        right: JoinRight = .free,
        arrivedAt: Moment,
        held: UInt64 = 0,
        near: UInt64,
        then: @escaping Answer
    ) {
        guard waiting.count < Self.waitingMax,
            let entry = ArrivalEntry(dedupeTag: tag, milliseconds: arrivedAt.milliseconds)?.bytes
        else { return then(.failure(.crowded)) }
        var answer = then
        if case .onlyBack = right {
            guard unanswered < Self.unansweredMax else { return then(.success(.challenged)) }
            unanswered += 1
            answer = { result in
                self.unanswered -= 1
                then(result)
            }
        }
        waiting.append(Member(entry: entry, held: held, challenge: right.argument, since: .now(), then: answer))
        if !isBusy {
            isBusy = true
            wait(Self.sliceTime, near: near)
        } else if waiting.count == Self.sliceMax, let timer {
            timer.cancel()
            self.timer = nil
            send(near: near)
        }
    }

    /// Runs while a slice is open or a retry is due; nil while a call is under way.
    private var timer: Scheduled<Void>?

    private func wait(_ time: TimeAmount, near: UInt64) {
        timer = loop.assumeIsolated().scheduleTask(in: time) {
            self.timer = nil
            self.send(near: near)
        }
    }

    private func send(near: UInt64) {
        let slice: [Member]
        if waiting.count <= Self.sliceMax {
            slice = waiting
            waiting = []
        } else {
            slice = Array(waiting.prefix(Self.sliceMax))
            waiting.removeFirst(slice.count)
        }
        guard !slice.isEmpty else {
            isBusy = false
            return
        }
        var arguments: [RedisArgument] = [RedisArgument(highest), RedisArgument(near)]
        arguments.reserveCapacity(2 + slice.count * 3)
        for member in slice {
            arguments.append(.bytes(member.entry))
            arguments.append(member.challenge)
            arguments.append(RedisArgument(member.held))
        }
        redis.callFuture(RoomFunctions.join, keys: RoomKeys(room).forJoin, arguments: arguments, on: loop)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let reply) where reply.asArray?.first?.asInteger != Self.recovering:
                    self.answer(slice, reply)
                    self.send(near: near)
                case .success, .failure:
                    self.keep(slice)
                    self.wait(Self.retryPause, near: near)
                }
            }
    }

    private func answer(_ slice: [Member], _ reply: RedisValue) {
        let parts = reply.asArray ?? []
        switch parts.first?.asInteger {
        case 1 where parts.count == JoinSlice.headCount + slice.count * JoinSlice.memberCount:
            let answered = JoinSlice(parts)
            var numbers: [UInt64] = []
            var entries: [UInt8] = []
            numbers.reserveCapacity(slice.count)
            entries.reserveCapacity(slice.count * ArrivalEntry.length)
            for (index, member) in slice.enumerated() {
                let outcome = answered.outcome(index)
                if case .placed(let place) = outcome {
                    noteSeen(place.number)
                    if place.isNew {
                        numbers.append(place.number)
                        // As the log has it: with the arrival the store gave.
                        entries += member.entry.prefix(ArrivalEntry.tagLength)
                        withUnsafeBytes(of: place.arrivedAt.milliseconds.bigEndian) { entries += $0 }
                    }
                }
                member.then(outcome.map { .success($0) } ?? .failure(.storeAway))
            }
            let now = Moment(milliseconds: Int64(parts[1].asInteger ?? 0))
            memory.note(joins: numbers, entries: entries, at: now, in: room)
        case 0:
            let phase = parts.last?.asText.flatMap(Phase.init(rawValue:)) ?? .draft
            slice.forEach { $0.then(.success(.notOpen(phase))) }
        case -1: slice.forEach { $0.then(.success(.noRoom)) }
        case -2: slice.forEach { $0.then(.success(.roomFull)) }
        default: slice.forEach { $0.then(.failure(.storeAway)) }
        }
    }

    /// A join that may or may not have been carried out is sent again: a known tag keeps its number.
    private func keep(_ slice: [Member]) {
        let now = NIODeadline.now()
        let members = slice + waiting
        waiting = members.filter { now - $0.since < Self.patience }
        for member in members where now - member.since >= Self.patience {
            member.then(.failure(.storeAway))
        }
    }
}

/// What the function `join` answers to a slice.
private struct JoinSlice {
    static let headCount = 7
    static let memberCount = 4

    private let parts: [RedisValue]
    private let cursor: UInt64
    private let generation: Int
    private let cohort: Int
    private let isPrequeue: Bool

    init(_ parts: [RedisValue]) {
        self.parts = parts
        cursor = parts[2].asUnsigned ?? 0
        generation = parts[3].asInteger ?? 1
        cohort = parts[6].asInteger ?? -1
        isPrequeue = parts[5].asText == Phase.prequeue.rawValue
    }

    /// Nil when it cannot be read.
    func outcome(_ index: Int) -> JoinOutcome? {
        let start = Self.headCount + index * Self.memberCount
        guard let number = parts[start].asUnsigned, let isNew = parts[start + 1].asInteger,
            let arrived = parts[start + 2].asInteger, let rank = parts[start + 3].asUnsigned
        else { return nil }
        guard number > 0 else { return isNew == -2 ? .spent : .challenged }
        return .placed(
            JoinedPlace(
                number: number,
                rank: rank > 0 ? rank : nil,
                isNew: isNew == 1,
                arrivedAt: Moment(milliseconds: Int64(arrived)),
                isInCohort: cohort >= 0 ? number <= UInt64(cohort) : isPrequeue,
                cursor: cursor,
                generation: generation
            )
        )
    }
}

extension JoinRight {
    /// As the function `join` wants it.
    var argument: RedisArgument {
        switch self {
        case .free: ""
        case .onlyBack: "?"
        case .spending(let id, let expiresAtMS): .bytes(id + Array(String(expiresAtMS).utf8))
        }
    }
}
