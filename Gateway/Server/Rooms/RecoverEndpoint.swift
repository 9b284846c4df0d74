// POST /v1/rooms/{room}/recover: in a room for accounts, gives the place of an account back on another device. Tokens of
// the place from before are dead at every gateway as soon as it has pulled the room again.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import Signing
import Operations
import UsherAPI

extension LoopRooms {
    func recover(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        guard room.snapshot.policy.identity == .account else {
            return refuse(.forbidden, request, detail: "places of this room belong to devices, not to accounts")
        }
        guard !room.snapshot.isDegraded else { return .now(storeAway(request)) }
        switch whoJoins(request, room) {
        case .refused(let code): return refuse(code, request)
        case .known(let tag): return .later(giveBack(request, room, tag))
        }
    }

    private func giveBack(_ request: EdgeRequest, _ room: RoomView, _ tag: [UInt8]) -> EventLoopFuture<EdgeReply> {
        let promise = loop.makePromise(of: EdgeReply.self)
        supplies.redis.callFuture(
            RoomFunctions.recover,
            keys: RoomKeys(room.name).forRecover,
            arguments: [.bytes(tag)],
            on: loop
        )
        .assumeIsolated()
        .whenComplete { result in
            guard let parts = (try? result.get())?.asArray else {
                promise.succeed(self.storeAway(request))
                return
            }
            promise.succeed(self.recovered(request, room, tag, parts))
        }
        return promise.futureResult
    }

    private func recovered(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ tag: [UInt8],
        _ parts: [RedisValue]
    ) -> EdgeReply {
        switch parts.first?.asInteger {
        case 1:
            guard let found = RecoveredPlace(parts) else { return EdgeReply(.internalError, requestID: request.id) }
            supplies.counters.recoveries.increment()
            noteRecovered(found.number, goodFrom: found.goodFrom, in: room)
            return placed(request, room, tag, found.place(cursor: room.cursor), goodFrom: found.goodFrom)
        case 0: return EdgeReply(.notFound, detail: "this account has no place in this room", requestID: request.id)
        case 2: return storeAway(request, .overloaded)
        default: return storeAway(request)
        }
    }
}

/// What the function `recover` gives back.
struct RecoveredPlace {
    var number: UInt64
    /// Seconds since 1970: tokens from before are dead.
    var goodFrom: Int64
    var arrivedMS: Int64
    /// Nil while there is none yet.
    var rank: UInt64?
    var generation: Int64
    var cohort: UInt64?

    init?(_ parts: [RedisValue]) {
        guard parts.count == 7, let number = parts[1].asUnsigned, let from = parts[2].asInteger,
            let arrived = parts[3].asInteger, let rank = parts[4].asUnsigned, let generation = parts[5].asInteger,
            let cohort = parts[6].asInteger
        else { return nil }
        self.number = number
        goodFrom = Int64(from)
        arrivedMS = Int64(arrived)
        self.rank = rank > 0 ? rank : nil
        self.generation = Int64(generation)
        self.cohort = UInt64(exactly: cohort)
    }

    func place(cursor: UInt64) -> JoinedPlace {
        JoinedPlace(
            number: number,
            rank: rank,
            isNew: false,
            arrivedAt: Moment(milliseconds: arrivedMS),
            isInCohort: cohort.map { number <= $0 } ?? false,
            cursor: cursor,
            generation: Int(generation)
        )
    }
}
