// The admin API under `/admin/v1`: who may, which call, and what every call shares.
package import EdgeHTTP
import Foundation
package import Logging
import NIOCore
import Queueing
import Redis
import UsherAPI

package struct AdminAPI: Sendable {
    let token: AdminToken
    let store: RoomStore
    let access: AccessStore
    let rooms: Rooms
    let limits: Limits
    let challenger: Challenger
    let logger: Logger
    let simulations = SimulationSlot()

    package init(
        token: AdminToken,
        store: RoomStore,
        access: AccessStore,
        rooms: Rooms,
        limits: Limits,
        challenger: Challenger,
        logger: Logger
    ) {
        self.challenger = challenger
        self.token = token
        self.store = store
        self.access = access
        self.rooms = rooms
        self.limits = limits
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
        case (.get, 3, "rooms") where parts[2] == "sharing":
            return try await listSharings(try Self.name(parts[1]))
        case (let method, 1, let list?) where AccessListName(rawValue: list) != nil:
            return try await answerList(AccessListName(rawValue: list) ?? .deny, method, request)
        case (.get, 1, "bans"): return try await listBans()
        case (.delete, 1, "bans"): return try await liftBan(request)
        case (.get, 1, "limits"): return limitReport()
        case (.post, 1, "simulate"): return try await simulate(request)
        case (_, 1, "simulate"): throw AdminRefusal(.methodNotAllowed, allowed: "POST")
        case (_, 1, "rooms"), (_, 1, "limits"): throw AdminRefusal(.methodNotAllowed, allowed: "GET")
        case (_, 2, "rooms"): throw AdminRefusal(.methodNotAllowed, allowed: "GET, PUT")
        case (_, 1, "bans"): throw AdminRefusal(.methodNotAllowed, allowed: "GET, DELETE")
        default: throw AdminRefusal(.notFound)
        }
    }

    private static func name(_ text: String) throws(AdminRefusal) -> RoomName {
        guard let name = RoomName(text) else {
            throw AdminRefusal(.validationFailed, "a room's name is 1 to 40 of a-z, 0-9 and -")
        }
        return name
    }

    func json(_ status: Int, _ text: String, headers: EdgeHeaders = [:]) -> EdgeReply {
        var all: EdgeHeaders = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        for field in headers.fields { all.add(field.name, field.value) }
        return EdgeReply(status: status, headers: all, body: ByteBuffer(string: text))
    }

    func decode<Message: Decodable>(_ type: Message.Type, _ request: EdgeRequest) throws(AdminRefusal) -> Message {
        do {
            return try JSONDecoder().decode(type, from: Foundation.Data(request.body.readableBytesView))
        } catch let refusal as AdminRefusal {
            throw refusal
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
