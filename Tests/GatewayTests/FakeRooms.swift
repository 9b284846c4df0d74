import EdgeHTTP
import GatewayServer
import NIOCore
import Synchronization
import UsherAPI

/// Rooms without a store: one room, `summer`, that protects session `ses_a`. A pass is good when it says so.
final class FakeRooms: VisitorRooms, Sendable {
    struct State {
        var denied: Set<String> = []
        var commands: [String] = []
        var asked: [String] = []
        var notice = RoomNotice(.open)
        /// What `/v1/rooms/summer/<action>` answers.
        var replies: [String: EdgeReply] = [:]
    }

    let state = Mutex(State())
    let loop: (any EventLoop)?

    init(answersOn loop: (any EventLoop)? = nil) {
        self.loop = loop
    }

    func account(ofBearer token: Substring) -> String? {
        token.hasPrefix("good-") ? String(token.dropFirst(5)) : nil
    }

    func isDenied(_ address: ClientAddress, account: String?) -> Bool {
        state.withLock { $0.denied.contains(address.description) || $0.denied.contains(account ?? "") }
    }

    func protectedRoom(forPath path: Substring) -> String? {
        path == "/sessions/ses_a" || path.hasPrefix("/v1/sessions/ses_a/") ? "summer" : nil
    }

    func notice(of room: String) -> RoomNotice {
        state.withLock { $0.notice }
    }

    func passVerdict(for head: EdgeRequestHead, room: String) -> PassVerdict {
        let token = head.first("usher-pass") ?? head.cookie("usher-pass-\(room)").map(String.init)
        switch token {
        case "good": return .granted(GrantedPass(room: room, id: "p1", token: "good"))
        case "old":
            let fresh = GrantedPass.Renewed(token: "fresh", cookie: "usher-pass-\(room)=fresh; Path=/")
            let loop = loop ?? MultiThreadedLoops.any
            return .renewing(GrantedPass(room: room, id: "p1", token: "old"), loop.makeSucceededFuture(fresh))
        case "late": return .refused(.passExpired)
        case nil: return .refused(.passRequired)
        default: return .refused(.tokenInvalid)
        }
    }

    func answer(_ request: EdgeRequest) -> RoomAnswer {
        let action = String(request.path.split(separator: "/").last ?? "")
        let reply = state.withLock { state -> EdgeReply? in
            state.asked.append("\(request.method.name) \(request.path) \(String(buffer: request.body))")
            return state.replies[action]
        }
        return .now(reply ?? EdgeReply(.notFound, requestID: request.id))
    }

    func carryOut(command: String, for pass: GrantedPass) {
        state.withLock { $0.commands.append("\(pass.id) \(command)") }
    }
}
