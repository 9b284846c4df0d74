// The room endpoints: one switch, and what they have in common.
package import EdgeHTTP
import NIOCore
import QueueTokens
import Queueing
import Operations
import UsherAPI

extension LoopRooms {
    package func answer(_ request: EdgeRequest) -> RoomAnswer {
        switch RoomRoute.match(request.method, request.path) {
        case .route(.place(let room)): poll(request, room: room)
        case .route(.join(let room)): join(request, room: room)
        case .route(.claim(let room)): claim(request, room: room)
        case .route(.leave(let room)): leave(request, room: room)
        case .route(.snapshot(let room)): snapshot(request, room: room)
        case .route(.keys): .now(keySet())
        case .wrongMethod(let allowed):
            .now(EdgeReply(.methodNotAllowed, requestID: request.id, headers: ["Allow": allowed]))
        case .unknown: .now(EdgeReply(.notFound, requestID: request.id))
        }
    }

    /// A place shown in a request, or why it is none.
    enum ShownPlace {
        case good(PlaceToken, number: UInt64)
        case refused(ProblemCode)
    }

    func place(in head: EdgeRequestHead, of room: RoomView) -> ShownPlace {
        guard let token = head.first(HeaderName.place)?[...] ?? head.cookie(room.placeCookie(isSecure: head.isSecure)),
            !token.isEmpty
        else {
            return .refused(.unauthenticated)
        }
        do throws(TokenFlaw) {
            let place = try verifyPlace(token, room: room.name)
            guard place.generation == Int64(room.snapshot.generation), place.place > 0 else {
                return .refused(.tokenInvalid)
            }
            return .good(place, number: UInt64(place.place))
        } catch {
            supplies.counters.badTokens.increment()
            return .refused(error == .expired ? .tokenExpired : .tokenInvalid)
        }
    }

    private func verifyPlace(_ token: Substring, room: RoomName) throws(TokenFlaw) -> PlaceToken {
        var token = token
        let now = WallClock.now().seconds
        let outcome: Result<PlaceToken, TokenFlaw> = token.withUTF8 { bytes in
            Result { () throws(TokenFlaw) -> PlaceToken in
                try supplies.keys.places.verifyTag(ofPlace: UnsafeRawBufferPointer(bytes), room: room.text, at: now)
            }
        }
        return try outcome.get()
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

    /// A cookie that no script reads and no other site sends.
    static func cookie(_ name: String, _ value: String, maxAge: Int64, isSecure: Bool) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(max(0, maxAge)); HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
    }
}
