import EdgeHTTP
import GatewayServer
import NIOCore
import Synchronization
import UsherAPI

/// Rooms without a store: one room, `summer`, that protects session `ses_a`. A pass is good when it says so.
final class FakeRooms: VisitorRooms, Sendable {
    struct State {
        /// Addresses, accounts and beginnings of `User-Agent`.
        var denied: Set<String> = []
        var allowed: Set<String> = []
        /// Bearer tokens whose signature would have been checked.
        var checkedTokens = 0
        /// Tokens that need no check any more.
        var remembered: Set<String> = []
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
        state.withLock { state in
            state.checkedTokens += 1
            guard token.hasPrefix("good-") else { return nil }
            state.remembered.insert(String(token))
            return String(token.dropFirst(5))
        }
    }

    func remembered(bearer token: Substring) -> RememberedBearer {
        if token.hasPrefix("late-") { return .lapsed }
        return state.withLock { $0.remembered.contains(String(token)) } ? .account(String(token.dropFirst(5))) : .new
    }

    func standing(of address: ClientAddress, in head: EdgeRequestHead) -> Standing {
        let agent = head.first(.userAgent)
        return standing { $0.contains(address.description) || $0.contains { agent?.hasPrefix($0) ?? false } }
    }

    func standing(ofAccount account: String) -> Standing {
        standing { $0.contains(account) }
    }

    private func standing(_ isNamed: (Set<String>) -> Bool) -> Standing {
        state.withLock { state in
            if isNamed(state.denied) { return .denied }
            return isNamed(state.allowed) ? .allowed : .ordinary
        }
    }

    func protectedRoom(forPath path: Substring) -> String? {
        path == "/sessions/ses_a" || path.hasPrefix("/v1/sessions/ses_a/") ? "summer" : nil
    }

    func notice(of room: String) -> RoomNotice {
        state.withLock { $0.notice }
    }

    func passVerdict(for head: EdgeRequestHead, from address: ClientAddress, room: String) -> PassVerdict {
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
