// POST /v1/rooms/{room}/extend: a called visitor asks for one claim window more (WCAG 2.2.1). Asking again while there is
// more than a window left changes nothing, so a double click costs one extension.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import Operations
import UsherAPI

extension LoopRooms {
    func extend(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        switch place(in: request.head, of: room) {
        case .refused(let code): return refuse(code, request)
        case .good(_, let number):
            guard room.snapshot.override != .reject else { return refuse(.roomClosed, request) }
            guard room.snapshot.policy.claim.extensionsMax > 0 else { return refuse(.extensionsSpent, request) }
            guard !room.snapshot.isDegraded else { return .now(storeAway(request)) }
            return .later(askForTime(request, room, number))
        }
    }

    private func askForTime(_ request: EdgeRequest, _ room: RoomView, _ number: UInt64) -> EventLoopFuture<EdgeReply> {
        let claim = room.snapshot.policy.claim
        let window = claim.window.wholeMilliseconds
        let promise = loop.makePromise(of: EdgeReply.self)
        supplies.redis.callFuture(
            RoomFunctions.extend,
            keys: RoomKeys(room.name).forExtend,
            arguments: [RedisArgument(number), RedisArgument(window), .integer(claim.extensionsMax)],
            on: loop
        )
        .assumeIsolated()
        .whenComplete { result in
            guard let reply = try? result.get() else {
                promise.succeed(self.storeAway(request))
                return
            }
            promise.succeed(self.extended(request, room, reply))
        }
        return promise.futureResult
    }

    private func extended(_ request: EdgeRequest, _ room: RoomView, _ reply: RedisValue) -> EdgeReply {
        let parts = reply.asArray ?? []
        guard parts.first?.asInteger == 1, parts.count == 4, let until = parts[2].asInteger,
            let left = parts[3].asInteger
        else { return notExtended(request, parts.last?.asText) }
        supplies.counters.extensions.increment()
        let deadline = Moment(milliseconds: Int64(until))
        var body = ByteBufferAllocator().buffer(capacity: 160)
        body.writeString(#"{"room":"\#(room.name.text)","claim":{"deadline":"\#(deadline.rfc3339)""#)
        body.writeString(#","extensions_left":\#(left)}}"#)
        return EdgeReply(status: 200, headers: RoomReply.headers(), body: body)
    }

    private func notExtended(_ request: EdgeRequest, _ reason: String?) -> EdgeReply {
        switch reason {
        case "assigning", "not_called":
            EdgeReply(.placeNotCalled, detail: "there is no deadline before a place is called", requestID: request.id)
        case "limit": EdgeReply(.extensionsSpent, requestID: request.id)
        case "late", "used": EdgeReply(.placeForfeited, requestID: request.id)
        case "full": storeAway(request, .overloaded)
        default: storeAway(request)
        }
    }
}
