// Ends and extends passes: by the visitor who leaves, by booking's `Usher-Command`, by an admin.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import Signing
import Operations
import UsherAPI

/// What booking can ask for in a response header.
enum PassCommand: Equatable {
    case complete
    case revoke
    case extend(seconds: Int64)

    static let extendSecondsMax: Int64 = 86_400

    init?(_ text: String) {
        switch text {
        case "complete": self = .complete
        case "revoke": self = .revoke
        default:
            guard text.hasPrefix("extend="), let seconds = Int64(text.dropFirst("extend=".count)),
                (1...Self.extendSecondsMax).contains(seconds)
            else { return nil }
            self = .extend(seconds: seconds)
        }
    }
}

extension LoopRooms {
    static let endAttemptsMax = 5
    static let endRetryPause = TimeAmount.seconds(1)

    package func carryOut(command: String, for granted: GrantedPass) {
        guard let command = PassCommand(command), let room = view.rooms[granted.room],
            let pass = try? supplies.keys.passes.verifyTag(
                ofPass: granted.token,
                room: granted.room,
                at: WallClock.now().seconds
            )
        else { return }
        supplies.counters.commands.increment()
        switch command {
        case .complete: end(pass, room, reason: "complete")
        case .revoke: end(pass, room, reason: "revoke")
        case .extend(let seconds):
            let wanted = (view.now() + .seconds(seconds)).milliseconds / 1000 * 1000
            renewals(of: room).renew(pass, until: wanted, reason: "extend").assumeIsolated().whenComplete { result in
                guard let until = (try? result.get()) ?? nil else { return }
                // The visitor gets it with the next request.
                self.noteRenewal(pass.passID, until: until)
            }
        }
    }

    /// The token is dead on this loop at once, on all others with their next pull.
    @discardableResult
    func end(_ pass: PassToken, _ room: RoomView, reason: String) -> EventLoopFuture<Void> {
        // A renewed token may be about, so the ending is remembered to the end no renewal moves.
        noteEnding(pass.passID, until: Moment(seconds: pass.endsAt))
        let promise = loop.makePromise(of: Void.self)
        end(pass, room.name, reason, attempt: 1, promise)
        return promise.futureResult
    }

    private func end(
        _ pass: PassToken,
        _ room: RoomName,
        _ reason: String,
        attempt: Int,
        _ promise: EventLoopPromise<Void>
    ) {
        supplies.redis.callFuture(
            RoomFunctions.endPass,
            keys: RoomKeys(room).forEnd,
            arguments: [
                .text(pass.passID), RedisArgument(pass.place), RedisArgument(pass.endsAt * 1000), .text(reason),
            ],
            on: loop
        )
        .assumeIsolated()
        .whenComplete { result in
            switch result {
            case .success: promise.succeed(())
            case .failure(let error):
                guard attempt < Self.endAttemptsMax else {
                    promise.fail(error)
                    return
                }
                self.loop.assumeIsolated().scheduleTask(in: Self.endRetryPause) {
                    self.end(pass, room, reason, attempt: attempt + 1, promise)
                }
            }
        }
    }

    // MARK: POST /v1/rooms/{room}/leave

    func leave(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        let pass = pass(in: request.head, of: room)
        let place = place(in: request.head, of: room)
        if case .good(let pass, _) = pass {
            noteEnding(pass.passID, until: Moment(seconds: pass.endsAt))
            let keys = RoomKeys(room.name).forEnd
            let arguments: [RedisArgument] = [
                .text(pass.passID), RedisArgument(pass.place), RedisArgument(pass.endsAt * 1000), "leave",
            ]
            return .later(left(request, room, RoomFunctions.endPass, keys, arguments))
        }
        switch place {
        case .refused(let code): return refuse(code, request)
        case .good(let token, let number):
            guard let tag = Base64URL.decode(token.subject) else { return refuse(.tokenInvalid, request) }
            let arguments: [RedisArgument] = [RedisArgument(number), .bytes(tag)]
            return .later(left(request, room, RoomFunctions.leave, RoomKeys(room.name).forLeave, arguments))
        }
    }

    private func left(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ function: RedisFunction,
        _ keys: [RedisArgument],
        _ arguments: [RedisArgument]
    ) -> EventLoopFuture<EdgeReply> {
        let promise = loop.makePromise(of: EdgeReply.self)
        supplies.redis.callFuture(function, keys: keys, arguments: arguments, on: loop).assumeIsolated()
            .whenComplete { result in
                guard case .success = result else {
                    promise.succeed(self.storeAway(request))
                    return
                }
                var headers: EdgeHeaders = ["Cache-Control": "no-store"]
                let isSecure = request.head.isSecure
                for cookie in [room.placeCookie(isSecure: isSecure), room.passCookie(isSecure: isSecure)] {
                    headers.add("Set-Cookie", RoomReply.cookie(cookie, "", maxAge: 0, isSecure: isSecure))
                }
                promise.succeed(EdgeReply(status: 204, headers: headers))
            }
        return promise.futureResult
    }
}
