// GET /v1/rooms/{room}/place: the request a waiting visitor sends again and again. It touches no store and never waits.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Operations
import UsherAPI

extension LoopRooms {
    static let placeLifeSeconds: Int64 = 86_400
    /// How long a place outlives the close of its room.
    static let placeGraceSeconds: Int64 = 3600

    func poll(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        supplies.counters.polls.increment()
        switch place(in: request.head, of: room) {
        case .refused(let code): return refuse(code, request)
        case .good(let token, let number):
            var headers = RoomReply.headers()
            if let cookie = freshPlaceCookie(token, room, isSecure: request.head.isSecure) {
                headers.add("Set-Cookie", cookie)
            }
            let now = view.now()
            var state = room.snapshot.state(of: number, at: now)
            if number <= room.snapshot.cursor {
                if holdsPass(request.head, of: number, in: room) { state = .admitted }
            } else {
                markPresent(number, in: room)
                if number > room.snapshot.lastNumber { joins(of: room).noteSeen(number) }
            }
            return .now(EdgeReply(status: 200, headers: headers, body: placeBody(number, state, room, now)))
        }
    }

    func placeBody(_ number: UInt64, _ state: PlaceState, _ room: RoomView, _ now: Moment) -> ByteBuffer {
        var body = ByteBufferAllocator().buffer(capacity: 768)
        body.writePlace(number, state, in: room, at: now, chance: chance())
        return body
    }

    private func holdsPass(_ head: EdgeRequestHead, of number: UInt64, in room: RoomView) -> Bool {
        guard case .good(let pass, _) = pass(in: head, of: room) else { return false }
        return pass.place == Int64(number)
    }

    /// When a place made at this moment ends.
    func placeExpiry(_ room: RoomView, issuedAt: Int64) -> Int64 {
        let whole = issuedAt + Self.placeLifeSeconds
        guard let closes = room.snapshot.policy.schedule.closesAt else { return whole }
        return max(issuedAt + 1, min(whole, closes.seconds + Self.placeGraceSeconds))
    }

    /// A place past half of its life is made anew by polling, so that a long wait does not outlive it.
    private func freshPlaceCookie(_ token: PlaceToken, _ room: RoomView, isSecure: Bool) -> String? {
        let now = WallClock.now().seconds
        guard token.expiresAt - now < Self.placeLifeSeconds / 2 else { return nil }
        let expiry = placeExpiry(room, issuedAt: now)
        // Near the close there is nothing to gain.
        guard expiry > token.expiresAt + 60 else { return nil }
        var fresh = token
        fresh.issuedAt = now
        fresh.expiresAt = expiry
        fresh.tokenID = TokenID.random()
        guard let text = try? supplies.keys.places.sign(fresh) else { return nil }
        return RoomReply.cookie(room.placeCookie(isSecure: isSecure), text, maxAge: expiry - now, isSecure: isSecure)
    }
}
