// POST /v1/rooms/{room}/join: takes a place, or gives back the one that is there.
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Signing
import Operations
import UsherAPI

extension LoopRooms {
    func join(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        guard room.snapshot.override != .reject else { return refuse(.roomClosed, request) }
        guard room.snapshot.phase.admitsJoins else { return refuse(Self.problem(of: room.snapshot.phase), request) }
        switch whoJoins(request, room) {
        case .refused(let code): return .now(refusal(code, request, room))
        case .known(let tag):
            return .soon { take in self.go(on: self.check(request, room, tag), request, room, tag, take) }
        }
    }

    /// Carries out what the check of the challenge came to.
    private func go(
        on check: JoinCheck,
        _ request: EdgeRequest,
        _ room: RoomView,
        _ tag: [UInt8],
        _ give: @escaping (EdgeReply) -> Void
    ) {
        switch check {
        case .refused(let code, let retry):
            give(refusal(code, request, room, retryAfter: retry))
        case .asking(let verdict):
            verdict.assumeIsolated().whenComplete { result in
                self.go(on: (try? result.get()) ?? .unavailable, request, room, tag, give)
            }
        case .may(let right):
            take(request, room, tag, right, give) { self.refusal(.challengeRequired, request, room) }
        case .onlyBack(let code, let retry):
            take(request, room, tag, .onlyBack, give) { self.refusal(code, request, room, retryAfter: retry) }
        }
    }

    private func take(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ tag: [UInt8],
        _ right: JoinRight,
        _ give: @escaping (EdgeReply) -> Void,
        otherwise unanswered: @escaping () -> EdgeReply
    ) {
        let held = heldPlace(in: request.head, of: room, tag)
        joins(of: room).join(
            tag: tag,
            right: right,
            arrivedAt: held.map { Moment(milliseconds: $0.arrivedAtMS) } ?? view.now(),
            held: held.map { UInt64($0.place) } ?? 0,
            near: room.nearFront
        ) { result in
            switch result {
            case .success(.challenged): give(unanswered())
            case .success(let outcome):
                if case .placed(let place) = outcome, place.isNew { self.noteJoin(from: request, room) }
                self.joinReplies.give(self.reply(to: request, room, tag, outcome), to: give)
            case .failure(let error):
                self.supplies.counters.joinsRefused.increment()
                give(self.storeAway(request, error == .crowded ? .overloaded : .storeUnavailable))
            }
        }
    }

    /// A place of the same visitor that is shown with a join: it is given back even by a store that forgot it.
    private func heldPlace(in head: EdgeRequestHead, of room: RoomView, _ tag: [UInt8]) -> PlaceToken? {
        guard case .good(let place, let number) = place(in: head, of: room), place.subject == Base64URL.encode(tag)
        else { return nil }
        joins(of: room).noteSeen(number)
        return place
    }

    enum Joiner {
        case known([UInt8])
        case refused(ProblemCode)
    }

    func whoJoins(_ request: EdgeRequest, _ room: RoomView) -> Joiner {
        if room.snapshot.policy.challenge == .attestation { return personWhoJoins(request, room) }
        switch room.snapshot.policy.identity {
        case .account:
            switch bearer(request) {
            case .missing: return .refused(.accountRequired)
            case .flawed(let flaw): return .refused(flaw == .expired ? .tokenExpired : .tokenInvalid)
            case .good(let account):
                return room.dedupeTag(account: account.userID).map { .known($0) } ?? .refused(.internalError)
            }
        case .device:
            guard let device = request.first(HeaderName.device)?[...] ?? request.cookie(CookieName.device),
                Self.isDeviceID(device)
            else { return .refused(.deviceRequired) }
            return room.dedupeTag(device: String(device)).map { .known($0) } ?? .refused(.internalError)
        }
    }

    enum Bearer {
        case missing
        case flawed(TokenFlaw)
        case good(AccountToken)
    }

    func bearer(_ request: EdgeRequest) -> Bearer {
        guard let field = request.first(HeaderName.authorization), field.utf8.count > 7,
            field.prefix(7).lowercased() == "bearer "
        else { return .missing }
        do throws(TokenFlaw) {
            return .good(try checkedAccount(field.dropFirst(7)))
        } catch {
            return .flawed(error)
        }
    }

    /// 128 random bits in hex or base64url; more is taken, less is not.
    static func isDeviceID(_ text: Substring) -> Bool {
        (22...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    static func problem(of phase: Phase) -> ProblemCode {
        switch phase {
        case .draining, .closed: .roomClosed
        case .draft, .scheduled, .prequeue, .sealed, .drawn, .active: .roomNotOpen
        }
    }

    private func reply(to request: EdgeRequest, _ room: RoomView, _ tag: [UInt8], _ outcome: JoinOutcome) -> EdgeReply {
        switch outcome {
        // Known here and not in the store: it was lost, not closed.
        case .noRoom: EdgeReply(.storeUnavailable, requestID: request.id, headers: ["Retry-After": "5"])
        case .notOpen(let phase): EdgeReply(Self.problem(of: phase), requestID: request.id)
        case .challenged: refusal(.challengeRequired, request, room)
        case .spent:
            refusal(counting(.spent, .challengeSpent), request, room)
        case .roomFull: EdgeReply(.overloaded, detail: "the room is full", requestID: request.id)
        case .placed(let place): placed(request, room, tag, place)
        }
    }

    // `goodFrom`: seconds since 1970; tokens of the place from before are dead.
    func placed(
        _ request: EdgeRequest,
        _ room: RoomView,
        _ tag: [UInt8],
        _ place: JoinedPlace,
        goodFrom: Int64 = 0
    ) -> EdgeReply {
        let number = place.number
        // A recovered place is dead for tokens from before; the one made here is not.
        let now = max(WallClock.now().seconds, goodFrom, room.recovered[number] ?? 0)
        let token = PlaceToken(
            room: room.name.text,
            subject: Base64URL.encode(tag),
            place: Int64(number),
            arrivedAtMS: place.arrivedAt.milliseconds,
            cohort: place.isInCohort && room.snapshot.policy.order == .lottery ? .pre : .live,
            generation: Int64(place.generation),
            policy: room.snapshot.policyHash,
            issuedAt: now,
            expiresAt: placeExpiry(room, issuedAt: now)
        )
        guard let text = try? supplies.keys.places.sign(token) else {
            return EdgeReply(.internalError, requestID: request.id)
        }
        (place.isNew ? supplies.counters.joins : supplies.counters.rejoins).increment()
        var body = joinReplies.body()
        body.write(upTo: ByteWriter.joinBytesMax + text.utf8.count) {
            $0.putJoin(place, of: tag, in: room, token: text)
        }
        var reply = EdgeReply(place.isNew ? RoomReply.createdHead : RoomReply.preparedHead, body: body)
        let maxAge = token.expiresAt - now
        let isSecure = request.head.isSecure
        reply.headers.add(
            "Set-Cookie",
            RoomReply.cookie(room.placeCookie(isSecure: isSecure), text, maxAge: maxAge, isSecure: isSecure)
        )
        return reply
    }
}
