// The room endpoints: one switch, and what they have in common.
package import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Operations
import UsherAPI

extension LoopRooms {
    package func answer(_ request: EdgeRequest) -> RoomAnswer {
        let match = request.head.withPath { RoomRoute.match(request.method, $0) }
        if !view.misranked.isEmpty, let refusal = refusalOfMisranked(match, request) { return refusal }
        return switch match {
        case .route(.place(let room)): poll(request, room: room)
        case .route(.join(let room)): join(request, room: room)
        case .route(.claim(let room)): claim(request, room: room)
        case .route(.leave(let room)): leave(request, room: room)
        case .route(.extend(let room)): extend(request, room: room)
        case .route(.recover(let room)): recover(request, room: room)
        case .route(.snapshot(let room)): snapshot(request, room: room)
        case .route(.challenge(let room)): challenge(request, room: room)
        case .route(.checkpoint(let room)): checkpoint(request, room: room)
        case .route(.inclusion(let room)): inclusion(request, room: room)
        case .route(.consistency(let room)): consistency(request, room: room)
        case .route(.draw(let room)): draw(request, room: room)
        case .route(.receipt(let room)): receipt(request, room: room)
        case .route(.audit(let room)): audit(request, room: room)
        case .route(.auditSection(let room, let section)): auditSection(request, room: room, section: section)
        case .route(.keys): .now(keySet())
        case .wrongMethod(let allowed):
            .now(EdgeReply(.methodNotAllowed, requestID: request.id, headers: ["Allow": allowed]))
        case .unknown: .now(EdgeReply(.notFound, requestID: request.id))
        }
    }

    /// A room whose ranks are not what they should be serves nobody: an order that cannot be proved is none.
    private func refusalOfMisranked(_ match: RoomRoute.Match, _ request: EdgeRequest) -> RoomAnswer? {
        switch match {
        case .route(.place(let room)), .route(.join(let room)), .route(.claim(let room)):
            guard view.misranked[String(room)] != nil else { return nil }
            return .now(
                EdgeReply(
                    .storeUnavailable,
                    detail: "the order of this room is being checked",
                    requestID: request.id,
                    headers: ["Retry-After": "5"]
                )
            )
        default: return nil
        }
    }

    /// A place shown in a request, or why it is none.
    enum ShownPlace {
        case good(PlaceToken, number: UInt64)
        case refused(ProblemCode)
    }

    func place(in head: EdgeRequestHead, of room: RoomView) -> ShownPlace {
        let now = WallClock.now().seconds
        let shown = shownPlace(in: head, of: room) { token throws(TokenFlaw) in
            try supplies.keys.places.verifyTag(ofPlace: token, room: room.name.text, at: now)
        }
        switch shown {
        case .success(let place):
            guard place.generation == Int64(room.snapshot.generation), place.place > 0 else {
                return .refused(.tokenInvalid)
            }
            let number = UInt64(place.place)
            guard !hasMoved(number, issuedAt: place.issuedAt, in: room) else { return .refused(.placeMoved) }
            return .good(place, number: number)
        case .failure(let flaw): return .refused(refusal(of: flaw))
        case nil: return .refused(.unauthenticated)
        }
    }

    /// What `read` makes of the token in the header or, without one, in the cookie; nil when there is none.
    func shownPlace<Place>(
        in head: EdgeRequestHead,
        of room: RoomView,
        _ read: (UnsafeRawBufferPointer) throws(TokenFlaw) -> Place
    ) -> Result<Place, TokenFlaw>? {
        func result(_ token: UnsafeRawBufferPointer) -> Result<Place, TokenFlaw>? {
            guard !token.isEmpty else { return nil }
            do throws(TokenFlaw) {
                return .success(try read(token))
            } catch {
                return .failure(error)
            }
        }
        if head.has(.place) { return head.withValue(of: .place) { result($0) } ?? nil }
        return head.withCookie(room.placeCookie(isSecure: head.isSecure)) { result($0) } ?? nil
    }

    func refusal(of flaw: TokenFlaw) -> ProblemCode {
        supplies.counters.badTokens.increment()
        return flaw == .expired ? .tokenExpired : .tokenInvalid
    }

    func refuse(_ code: ProblemCode, _ request: EdgeRequest, detail: String? = nil) -> RoomAnswer {
        .now(EdgeReply(code, detail: detail, requestID: request.id))
    }

    /// The store is away or crowded: come again, not all at once.
    func storeAway(_ request: EdgeRequest, _ code: ProblemCode = .storeUnavailable) -> EdgeReply {
        let seconds = 2 + Int(chance() * 4)
        return EdgeReply(code, requestID: request.id, headers: ["Retry-After": String(seconds)])
    }
}

/// Headers and bodies of room answers.
enum RoomReply {
    static let json = "application/json"

    static func headers() -> EdgeHeaders {
        ["Content-Type": json, "Cache-Control": "no-store"]
    }

    /// The same, for a reply of 200.
    static let preparedHead = PreparedHead(status: 200, headers: headers())

    /// The same, for a reply of 201.
    static let createdHead = PreparedHead(status: 201, headers: headers())

    private static let cookieRulesBytesMax = 80

    /// A cookie that no script reads and no other site sends.
    static func cookie(_ name: String, _ value: String, maxAge: Int64, isSecure: Bool) -> String {
        var cookie = ""
        // Grown once: a place is long, and most of a join's reply.
        cookie.reserveCapacity(name.utf8.count + value.utf8.count + cookieRulesBytesMax)
        cookie += name
        cookie += "="
        cookie += value
        cookie += "; Path=/; Max-Age="
        cookie += String(max(0, maxAge))
        cookie += "; HttpOnly; SameSite=Lax"
        if isSecure { cookie += "; Secure" }
        return cookie
    }
}
