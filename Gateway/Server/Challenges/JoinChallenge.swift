// What a join shows for the room's challenge, checked before it goes to the batch. Nobody gets a new place without a
// right answer; who has a place gets it back without one, as its reply may have been lost.
import Challenges
import EdgeHTTP
import NIOCore
import Operations
import QueueTokens
import Queueing
import Signing
import UsherAPI

enum JoinCheck {
    case may(JoinRight)
    /// Only a place that is there; without one, this refusal.
    case onlyBack(ProblemCode, retryAfter: Int?)
    case refused(ProblemCode, retryAfter: Int?)
    case asking(EventLoopFuture<JoinCheck>)

    static var unavailable: JoinCheck { .onlyBack(.providerUnavailable, retryAfter: 5) }
}

extension LoopRooms {
    func check(_ request: EdgeRequest, _ room: RoomView, _ tag: [UInt8]) -> JoinCheck {
        let challenge = room.snapshot.policy.challenge
        // Whoever got a tag in a room of entry tickets has shown one.
        if challenge == .off || challenge == .attestation { return .may(.free) }
        guard let answer = request.first(HeaderName.challenge), !answer.isEmpty else {
            return .onlyBack(counting(.missing, .challengeRequired), retryAfter: nil)
        }
        switch challenge {
        case .off, .attestation: return .may(.free)
        case .pow(let work): return checkWork(answer, request, room, tag, work)
        case .captcha: return askCaptcha(answer, request, room)
        }
    }

    private func checkWork(
        _ answer: String,
        _ request: EdgeRequest,
        _ room: RoomView,
        _ tag: [UInt8],
        _ work: RoomPolicy.Work
    ) -> JoinCheck {
        let now = view.now().milliseconds
        let scope = ChallengeScope(room: room.name.text, dedupeTag: tag)
        do throws(ChallengeFlaw) {
            let passed = try ChallengeAnswer.check(answer, for: scope, key: room.challengeKey, atMS: now)
            if passed.way == .wait {
                let seconds = work.waitSeconds
                if let ms = challenger.takeWait(from: request.clientAddress, seconds: seconds, atMS: now) {
                    return .onlyBack(counting(.crowded, .rateLimited), retryAfter: Int((ms + 999) / 1000))
                }
            }
            challenger.counters.notePassed(passed.way == .wait ? .wait : .pow)
            return .may(.spending(id: passed.id, expiresAtMS: passed.expiresAtMS))
        } catch {
            switch error {
            case .malformed: return .refused(counting(.malformed, .challengeFailed), retryAfter: nil)
            case .wrongSeal: return .refused(counting(.seal, .challengeFailed), retryAfter: nil)
            case .wrongNumber: return .refused(counting(.number, .challengeFailed), retryAfter: nil)
            case .expired: return .onlyBack(counting(.expired, .challengeExpired), retryAfter: nil)
            case .early(let until):
                return .onlyBack(counting(.early, .challengeEarly), retryAfter: Int((until - now + 999) / 1000))
            }
        }
    }

    private func askCaptcha(_ answer: String, _ request: EdgeRequest, _ room: RoomView) -> JoinCheck {
        guard let captcha = challenger.captcha else {
            challenger.counters.noteFailed(.unavailable)
            return .unavailable
        }
        guard CaptchaAnswer.isWellFormed(answer) else {
            return .refused(counting(.malformed, .challengeFailed), retryAfter: nil)
        }
        let address = request.clientAddress.description
        // The provider takes an answer once; so do we, whatever the provider does.
        let right = JoinRight.spending(
            id: CaptchaAnswer.id(answer, room: room.name.text),
            expiresAtMS: (view.now() + CaptchaAnswer.keptFor).milliseconds
        )
        let verdict = loop.makeFutureWithTask { await captcha.verdict(on: answer, from: address) }
        let counters = challenger.counters
        let check = verdict.assumeIsolated().map { verdict -> JoinCheck in
            switch verdict {
            case .passed:
                counters.notePassed(.captcha)
                return .may(right)
            case .refused:
                counters.noteFailed(.captcha)
                return .refused(.challengeFailed, retryAfter: nil)
            case .spent:
                counters.noteFailed(.spent)
                return .onlyBack(.challengeSpent, retryAfter: nil)
            case .away:
                counters.noteFailed(.unavailable)
                return .unavailable
            }
        }
        return .asking(check.nonisolated())
    }

    /// Who an entry ticket is for. The person is the identity, whatever the device.
    func personWhoJoins(_ request: EdgeRequest, _ room: RoomView) -> Joiner {
        guard let issuer = challenger.entryIssuer, let keys = view.entryKeys else {
            return .refused(counting(.unavailable, .providerUnavailable))
        }
        guard let ticket = request.first(HeaderName.challenge), !ticket.isEmpty else {
            return .refused(counting(.missing, .challengeRequired))
        }
        do throws(TokenFlaw) {
            let entry = try EntryTicket.verify(
                ticket,
                with: keys,
                issuer: issuer,
                room: room.name.text,
                at: WallClock.now().seconds
            )
            challenger.counters.notePassed(.attestation)
            return room.dedupeTag(person: entry.subject, issuer: issuer).map { .known($0) } ?? .refused(.internalError)
        } catch {
            return .refused(
                error == .expired ? counting(.expired, .challengeExpired) : counting(.ticket, .challengeFailed)
            )
        }
    }

    var challenger: Challenger { supplies.challenger }

    func counting(_ failure: ChallengeCounters.Failure, _ code: ProblemCode) -> ProblemCode {
        challenger.counters.noteFailed(failure)
        return code
    }

    func noteJoin(from request: EdgeRequest, _ room: RoomView) {
        guard room.effort != nil else { return }
        challenger.noteJoin(room: room.name.text, from: request.clientAddress, atMS: view.now().milliseconds)
    }

    /// A refusal, with the way to the challenge where one is asked for.
    func refusal(_ code: ProblemCode, _ request: EdgeRequest, _ room: RoomView, retryAfter: Int? = nil) -> EdgeReply {
        var headers = EdgeHeaders()
        switch code {
        case .challengeRequired, .challengeFailed, .challengeExpired, .challengeSpent:
            headers.add("Link", "<\(Path.room(room.name.text, "challenge"))>; rel=\"challenge\"")
        default: break
        }
        if let retryAfter { headers.add("Retry-After", String(max(1, retryAfter))) }
        return EdgeReply(code, requestID: request.id, headers: headers)
    }
}
