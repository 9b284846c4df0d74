// The admin API under `/admin/v1`: who may, which call, and what every call shares.
package import EdgeHTTP
import Foundation
package import Logging
import NIOCore
import Queueing
package import RateLimiting
import Redis
import UsherAPI

package struct AdminAPI: Sendable {
    let token: AdminToken
    let store: RoomStore
    let rooms: Rooms
    let rules: [LimitRule]
    let challenger: Challenger
    let logger: Logger

    package init(
        token: AdminToken,
        store: RoomStore,
        rooms: Rooms,
        rules: [LimitRule],
        challenger: Challenger,
        logger: Logger
    ) {
        self.challenger = challenger
        self.token = token
        self.store = store
        self.rooms = rooms
        self.rules = rules
        self.logger = logger
    }

    package func answer(_ request: EdgeRequest) async -> EdgeReply {
        guard token.isShown(in: request.first(HeaderName.authorization)) else {
            return EdgeReply(.unauthenticated, requestID: request.id, headers: ["WWW-Authenticate": "Bearer"])
        }
        do {
            return try await route(request)
        } catch let refusal as AdminRefusal {
            return EdgeReply(refusal.code, detail: refusal.detail, requestID: request.id, headers: refusal.headers)
        } catch {
            logger.warning("admin call failed", metadata: ["path": "\(request.path)", "error": "\(error)"])
            return EdgeReply(.storeUnavailable, requestID: request.id, headers: ["Retry-After": "1"])
        }
    }

    private func route(_ request: EdgeRequest) async throws -> EdgeReply {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(3).map(String.init)
        switch (request.method, parts.count, parts.first) {
        case (.get, 1, "rooms"): return try await listRooms()
        case (.get, 2, "rooms"): return try await readRoom(try Self.name(parts[1]))
        case (.put, 2, "rooms"): return try await putRoom(try Self.name(parts[1]), request)
        case (.post, 3, "rooms"): return try await act(parts[2], on: try Self.name(parts[1]), request)
        case (.put, 3, "rooms") where parts[2] == "message":
            return try await putMessage(try Self.name(parts[1]), request)
        case (.get, 1, "deny"): return try await listDenied()
        case (.put, 1, "deny"), (.post, 1, "deny"): return try await deny(request)
        case (.delete, 1, "deny"): return try await undeny(request)
        case (.get, 1, "limits"): return limits()
        case (_, 1, "rooms"), (_, 1, "limits"): throw AdminRefusal(.methodNotAllowed, allowed: "GET")
        case (_, 2, "rooms"): throw AdminRefusal(.methodNotAllowed, allowed: "GET, PUT")
        case (_, 1, "deny"): throw AdminRefusal(.methodNotAllowed, allowed: "GET, PUT, DELETE")
        default: throw AdminRefusal(.notFound)
        }
    }

    private static func name(_ text: String) throws(AdminRefusal) -> RoomName {
        guard let name = RoomName(text) else {
            throw AdminRefusal(.validationFailed, "a room's name is 1 to 40 of a-z, 0-9 and -")
        }
        return name
    }

    /// The limits in force on each gateway.
    private func limits() -> EdgeReply {
        let list = rules.map { rule in
            #"{"scope":"\#(rule.scope.rawValue)","count":\#(rule.rate.count),"period_s":\#(rule.rate.periodSeconds)"#
                + #","burst":\#(rule.rate.burst),"shadow":\#(rule.isShadow)}"#
        }
        return json(200, #"{"data":[\#(list.joined(separator: ","))],"next_cursor":null}"#)
    }

    func json(_ status: Int, _ text: String, headers: EdgeHeaders = [:]) -> EdgeReply {
        var all: EdgeHeaders = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        for field in headers.fields { all.add(field.name, field.value) }
        return EdgeReply(status: status, headers: all, body: ByteBuffer(string: text))
    }

    func decode<Message: Decodable>(_ type: Message.Type, _ request: EdgeRequest) throws(AdminRefusal) -> Message {
        do {
            return try JSONDecoder().decode(type, from: Foundation.Data(request.body.readableBytesView))
        } catch {
            throw AdminRefusal(.invalidJSON)
        }
    }
}

/// A call that is answered with a problem.
struct AdminRefusal: Error {
    var code: ProblemCode
    var detail: String?
    var headers: EdgeHeaders = [:]

    init(_ code: ProblemCode, _ detail: String? = nil) {
        self.code = code
        self.detail = detail
    }

    init(_ code: ProblemCode, allowed: String) {
        self.code = code
        headers = ["Allow": allowed]
    }
}
