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
        let clock = WallClock.now()
        let shown = shownPlace(in: request.head, of: room) { token throws(TokenFlaw) in
            try supplies.keys.places.glance(atPlace: token, room: room.name.text, at: clock.seconds)
        }
        switch shown {
        case nil: return refuse(.unauthenticated, request)
        case .failure(let flaw): return refuse(refusal(of: flaw), request)
        case .success(let place):
            guard place.generation == room.generation, place.place > 0 else {
                return refuse(.tokenInvalid, request)
            }
            let number = UInt64(place.place)
            guard !hasMoved(number, issuedAt: place.issuedAt, in: room) else { return refuse(.placeMoved, request) }
            let rank = room.rank(of: number)
            let state: PlaceState
            if let rank, rank <= room.cursor {
                let isInside = holdsPass(request.head, of: number, in: room)
                state = isInside ? .admitted : room.state(ofRank: rank)
            } else {
                state = room.state(ofRank: rank)
                if let rank { markPresent(rank, in: room) }
                if number > room.lastNumber { joins(of: room).noteSeen(number) }
            }
            var reply = EdgeReply(RoomReply.preparedHead, body: placeBody(number, rank: rank, state, room))
            if place.expiresAt - clock.seconds < Self.placeLifeSeconds / 2,
                let cookie = freshPlaceCookie(request.head, room)
            {
                reply.headers.add("Set-Cookie", cookie)
            }
            return .now(reply)
        }
    }

    /// In the memory of the last one, when its reply has gone out.
    func placeBody(_ number: UInt64, rank: UInt64?, _ state: PlaceState, _ room: RoomView) -> ByteBuffer {
        bodySpace.clear(minimumCapacity: room.bodyBytesMax)
        bodySpace.write(upTo: room.bodyBytesMax) { $0.putPlace(number, rank: rank, state, in: room) }
        return bodySpace
    }

    private func holdsPass(_ head: EdgeRequestHead, of number: UInt64, in room: RoomView) -> Bool {
        switch pass(in: head, of: room) {
        // A dead token of a live pass: its place may claim the pass again.
        case .good(let pass, _), .stale(let pass): return pass.place == Int64(number)
        case .refused: return false
        }
    }

    /// When a place made at this moment ends.
    func placeExpiry(_ room: RoomView, issuedAt: Int64) -> Int64 {
        let whole = issuedAt + Self.placeLifeSeconds
        guard let closes = room.snapshot.policy.schedule.closesAt else { return whole }
        return max(issuedAt + 1, min(whole, closes.seconds + Self.placeGraceSeconds))
    }

    /// A place past half of its life is made anew by polling, so that a long wait does not outlive it.
    private func freshPlaceCookie(_ head: EdgeRequestHead, _ room: RoomView) -> String? {
        guard case .good(let token, _) = place(in: head, of: room) else { return nil }
        let isSecure = head.isSecure
        let now = WallClock.now().seconds
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
