// What the visitors' port gives up under load: decided by path and pass, carried out on the way that was chosen.
import EdgeHTTP
import NIOCore
import RateLimiting
import UsherAPI

struct LoadShedding {
    let overload: Overload

    /// The way of a request while the level is not normal. `route` is asked only for what is not known by its path to
    /// be given up.
    func way(for head: EdgeRequestHead, id: RequestID, level: OverloadLevel, route: () -> Way) -> Way {
        if let worth = Self.worth(of: head) {
            return level.sheds(worth) ? refuse(worth, id) : Self.ending(route(), level.endsConnection(after: worth))
        }
        let way = route()
        let worth = Self.worth(of: head, way)
        return level.sheds(worth) ? refuse(worth, id) : Self.ending(way, level.endsConnection(after: worth))
    }

    private func refuse(_ worth: RequestWorth, _ id: RequestID) -> Way {
        overload.noteShed(worth)
        // Spread, so that those who are sent away do not come back as one.
        let seconds = worth == .poll ? Int.random(in: 10...30) : Int.random(in: 5...15)
        return .reply(EdgeReply(.overloaded, requestID: id, headers: ["Retry-After": String(seconds)], closes: true))
    }

    /// By the path alone; nil for the shop's, where the pass counts.
    static func worth(of head: EdgeRequestHead) -> RequestWorth? {
        switch head.withPath({ VisitorRoute(path: $0) }) {
        case .asset, .hidden: return .poll
        case .form(_, let action): return action == "claim" ? .vital : .join
        case .rooms:
            switch head.path.split(separator: "/").last?.lowercased() {
            case "join", "challenge": return .join
            case "place": return .poll
            // Whoever is called has waited long enough, and whoever leaves makes room.
            case "claim", "leave", "extend", "recover": return .vital
            default: return .read
            }
        case .shop: return nil
        }
    }

    /// By what would be done with it. Writes of the shop are vital by themselves: somebody holds, orders, pays or signs
    /// in to do so, and the room has let in no more of them than the shop can bear.
    static func worth(of head: EdgeRequestHead, _ way: Way) -> RequestWorth {
        guard case .forward(let forwarding) = way else { return .poll }
        guard forwarding.command == nil, head.method == .get || head.method == .head else { return .vital }
        let parts = head.path.split(separator: "/", maxSplits: 2)
        guard parts.first?.lowercased() == "v1", let kind = parts.dropFirst().first?.lowercased() else { return .read }
        return ["orders", "payments", "tickets"].contains(kind) ? .vital : .read
    }

    private static func ending(_ way: Way, _ endsConnection: Bool) -> Way {
        guard endsConnection else { return way }
        switch way {
        case .reply(let reply): return .reply(closing(reply))
        case .later(let future):
            return .later(future.assumeIsolated().map(closing).nonisolated())
        case .soon(let begin):
            return .soon { take in begin { take(closing($0)) } }
        case .endpoint(let bytesMax, let answer):
            return .endpoint(bodyBytesMax: bytesMax) { answer($0).map(closing) }
        case .forward(var forwarding):
            forwarding.endsConnection = true
            return .forward(forwarding)
        }
    }

    private static func closing(_ reply: EdgeReply) -> EdgeReply {
        var reply = reply
        reply.closes = true
        return reply
    }
}
