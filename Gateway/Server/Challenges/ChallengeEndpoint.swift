// GET /v1/rooms/{room}/challenge: what a join has to show. Nothing is kept of what is given out: two HMACs, one hash.
import Challenges
import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Operations
import Signing
import UsherAPI

extension LoopRooms {
    func challenge(_ request: EdgeRequest, room name: Substring) -> RoomAnswer {
        guard let room = room(name) else { return refuse(.notFound, request) }
        // Not before joins are taken, so that nobody solves at leisure what is due when the room opens.
        let snapshot = room.snapshot
        guard snapshot.override != .reject else { return refuse(.roomClosed, request) }
        guard snapshot.phase.admitsJoins else { return refuse(Self.problem(of: snapshot.phase), request) }
        switch details(request, room) {
        case .failure(let refused): return .now(refused.reply)
        case .success(let details):
            challenger.counters.noteIssued(snapshot.policy.challenge.kind)
            let start = #"{"room":"\#(room.name.text)","kind":"\#(snapshot.policy.challenge.kind.rawValue)""#
            let body = ByteBuffer(string: start + details + "}")
            return .now(EdgeReply(status: 200, headers: RoomReply.headers(), body: body))
        }
    }

    private struct Refused: Error {
        var reply: EdgeReply
    }

    /// The members of a `ChallengeReply` after `kind`, each with its comma; written by hand, as in a crowd everybody asks.
    private func details(_ request: EdgeRequest, _ room: RoomView) -> Result<String, Refused> {
        switch room.snapshot.policy.challenge {
        case .off: return .success("")
        case .pow(let work):
            switch whoJoins(request, room) {
            case .refused(let code): return .failure(Refused(reply: EdgeReply(code, requestID: request.id)))
            case .known(let tag): return .success(work.asked(of: tag, request, room, challenger, at: view.now()))
            }
        case .captcha:
            guard let site = challenger.captchaSite, challenger.captcha != nil else {
                return unavailable(request, room)
            }
            let key = String(decoding: JSONText.quoted(site.key), as: UTF8.self)
            return .success(#","captcha":{"site_key":\#(key),"widget":"\#(site.widget.rawValue)"}"#)
        case .attestation:
            guard let issuer = challenger.entryIssuer else { return unavailable(request, room) }
            return .success(#","attestation":{"issuer":"\#(issuer)","type":"\#(EntryTicket.type)"}"#)
        }
    }

    private func unavailable(_ request: EdgeRequest, _ room: RoomView) -> Result<String, Refused> {
        .failure(Refused(reply: refusal(.providerUnavailable, request, room, retryAfter: 5)))
    }
}

extension RoomPolicy.Work {
    /// A puzzle and a ticket for the way without it.
    fileprivate func asked(
        of tag: [UInt8],
        _ request: EdgeRequest,
        _ room: RoomView,
        _ challenger: Challenger,
        at now: Moment
    ) -> String {
        let scope = ChallengeScope(room: room.name.text, dedupeTag: tag)
        let hashes = challenger.hashes(
            room.effort ?? .standard,
            room: room.name.text,
            from: request.clientAddress,
            atMS: now.milliseconds
        )
        let puzzle = Puzzle(
            for: scope,
            limit: EffortLadder.limit(forHashes: hashes),
            lifetimeMS: Int64(expirySeconds) * 1000,
            atMS: now.milliseconds,
            entropy: SecureRandom.bytes(Puzzle.entropyLength),
            key: room.challengeKey
        )
        let ticket = WaitTicket(
            for: scope,
            seconds: waitSeconds,
            atMS: now.milliseconds,
            entropy: SecureRandom.bytes(WaitTicket.entropyLength),
            key: room.challengeKey
        )
        var text = #","pow":{"algorithm":"\#(Puzzle.algorithm)","prefix":"\#(Hex.encode(puzzle.prefix))""#
        text += #","target":"\#(Hex.encode(puzzle.target))","limit":\#(puzzle.limit),"token":"\#(puzzle.text)""#
        text += #","expires_at":"\#(Moment(milliseconds: puzzle.expiresAtMS).rfc3339)"}"#
        text += #","wait":{"seconds":\#(waitSeconds),"token":"\#(ticket.text)""#
        text += #","opens_at":"\#(Moment(milliseconds: ticket.opensAtMS).rfc3339)""#
        text += #","expires_at":"\#(Moment(milliseconds: ticket.expiresAtMS).rfc3339)"}"#
        return text
    }
}
