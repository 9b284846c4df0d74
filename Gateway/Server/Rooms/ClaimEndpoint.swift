// POST /v1/rooms/{room}/claim: swaps a called place for a pass, by one function under pace and cap.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Redis
import Signing
import Operations
import UsherAPI

extension LoopRooms {
    func claim(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        switch place(in: request.head, of: room) {
        case .refused(let code): return refuse(code, request)
        case .good(let place, let number):
            switch whoClaims(request, place, room) {
            case .refused(let code): return refuse(code, request)
            case .known(let account): return claim(request, room, place, number: number, account: account)
            }
        }
    }

    private func claim(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ place: PlaceToken,
        number: UInt64,
        account: String?
    ) -> RoomAnswer {
        let snapshot = room.snapshot
        guard snapshot.override != .reject else { return refuse(.roomClosed, request) }
        // Most claims that come too early are told so without the store.
        guard let rank = room.rank(of: number), rank <= snapshot.cursor else {
            guard snapshot.phase != .closed else { return refuse(.saleEnded, request) }
            guard snapshot.outlook != .gone else { return refuse(.soldOut, request) }
            return .now(notYet(number, room, waitMS: 1000))
        }
        guard !snapshot.isDegraded else { return .now(notYet(number, room, waitMS: 2000)) }
        return .later(askForPass(request, room, place, number: number, account: account))
    }

    private enum Claimer {
        case known(String?)
        case refused(ProblemCode)
    }

    /// In a room for accounts the pass is bound to the account that holds the place.
    private func whoClaims(_ request: EdgeRequest, _ place: PlaceToken, _ room: RoomView) -> Claimer {
        guard room.snapshot.policy.identity == .account else { return .known(nil) }
        switch bearer(request) {
        case .missing: return .refused(.accountRequired)
        case .flawed(let flaw): return .refused(flaw == .expired ? .tokenExpired : .tokenInvalid)
        case .good(let account):
            guard let tag = room.dedupeTag(account: account.userID), Base64URL.encode(tag) == place.subject else {
                return .refused(.forbidden)
            }
            return .known(account.userID)
        }
    }

    private func askForPass(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ place: PlaceToken,
        number: UInt64,
        account: String?
    ) -> EventLoopFuture<EdgeReply> {
        let passID = UUIDv7.make(milliseconds: WallClock.now().milliseconds).text
        let promise = loop.makePromise(of: EdgeReply.self)
        supplies.redis.callFuture(
            RoomFunctions.claim,
            keys: RoomKeys(room.name).forClaim,
            arguments: [RedisArgument(number), .text(passID)],
            on: loop
        )
        .assumeIsolated()
        .whenComplete { result in
            switch result {
            case .success(let reply):
                promise.succeed(self.reply(to: request, room, place, number: number, account: account, reply))
            case .failure:
                // Asking again is safe: a grant whose answer was lost is given again.
                promise.succeed(self.notYet(number, room, waitMS: 2000))
            }
        }
        return promise.futureResult
    }

    private func reply(
        to request: EdgeRequest,
        _ room: RoomView,
        _ place: PlaceToken,
        number: UInt64,
        account: String?,
        _ reply: RedisValue
    ) -> EdgeReply {
        let parts = reply.asArray ?? []
        switch parts.first?.asInteger {
        case 1:
            guard parts.count == 6, let passID = parts[1].asText, let expiry = parts[2].asInteger,
                let end = parts[3].asInteger, let now = parts[5].asInteger
            else { return EdgeReply(.internalError, requestID: request.id) }
            let pass = PassToken(
                room: room.name.text,
                passID: passID,
                subject: place.subject,
                account: account,
                place: place.place,
                endsAt: Int64(end) / 1000,
                generation: place.generation,
                issuedAt: max(WallClock.now().seconds, goodFrom(passID, in: room) ?? 0),
                expiresAt: Int64(expiry) / 1000
            )
            supplies.counters.claimsGranted.increment()
            supplies.memory.note(
                RoomMemory.Grant(
                    number: UInt64(place.place),
                    passID: passID,
                    expiresAtMS: Int64(expiry),
                    endsAtMS: Int64(end),
                    grantedAtMS: Int64(now)
                ),
                in: room.name
            )
            return granted(request, room, pass)
        case 2:
            return notYet(number, room, waitMS: parts.last?.asInteger ?? 2000)
        case 3:
            supplies.counters.claimsLate.increment()
            return switch parts.last?.asText {
            case "sold_out": EdgeReply(.soldOut, requestID: request.id)
            case "closed": EdgeReply(.saleEnded, requestID: request.id)
            default: forfeited(request, room, reason: parts.last?.asText)
            }
        default:
            return notYet(number, room, waitMS: 5000)
        }
    }

    /// The place is used up: without it the next page offers a new one.
    private func forfeited(_ request: EdgeRequest, _ room: RoomView, reason: String?) -> EdgeReply {
        let isSecure = request.head.isSecure
        let cookie = RoomReply.cookie(room.placeCookie(isSecure: isSecure), "", maxAge: 0, isSecure: isSecure)
        return EdgeReply(
            .placeForfeited,
            detail: reason.flatMap(Self.why),
            requestID: request.id,
            headers: ["Set-Cookie": cookie]
        )
    }

    private static func why(_ reason: String) -> String? {
        switch reason {
        case "left": "the place was given up"
        case "used": "the pass of this place has ended"
        default: "the place was called and not claimed in time"
        }
    }

    private func granted(_ request: EdgeRequest, _ room: RoomView, _ pass: PassToken) -> EdgeReply {
        guard let text = try? supplies.keys.passes.sign(pass) else {
            return EdgeReply(.internalError, requestID: request.id)
        }
        let expiry = Moment(seconds: pass.expiresAt)
        var body = ByteBufferAllocator().buffer(capacity: 1024)
        body.writeString(#"{"room":"\#(room.name.text)","pass":{"token":"\#(text)","id":"\#(pass.passID)""#)
        body.writeString(#","expires_at":"\#(expiry.rfc3339)","ends_at":"\#(Moment(seconds: pass.endsAt).rfc3339)"}}"#)
        var headers = RoomReply.headers()
        let maxAge = pass.expiresAt - WallClock.now().seconds
        let isSecure = request.head.isSecure
        let name = room.passCookie(isSecure: isSecure)
        headers.add("Set-Cookie", RoomReply.cookie(name, text, maxAge: maxAge, isSecure: isSecure))
        return EdgeReply(status: 200, headers: headers, body: body)
    }

    /// 202: not called yet, or called and no room just now.
    private func notYet(_ number: UInt64, _ room: RoomView, waitMS: Int) -> EdgeReply {
        supplies.counters.claimsWaiting.increment()
        var headers = RoomReply.headers()
        headers.add("Retry-After", String(max(1, (waitMS + 999) / 1000)))
        let rank = room.rank(of: number)
        let body = placeBody(number, rank: rank, room.state(ofRank: rank), room)
        return EdgeReply(status: 202, headers: headers, body: body)
    }
}
