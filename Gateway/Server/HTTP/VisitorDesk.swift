// The visitors' port: who may speak at all, then where the request goes. The order is the security story:
// `DoorCheck` → route → pass.
package import EdgeHTTP
import NIOCore
import Operations
import RateLimiting
import UsherAPI

package struct VisitorDesk: RequestDesk {
    package static let roomBodyBytesMax = 4 * 1024

    private let rooms: any VisitorRooms
    private let pages: WaitingPages
    private let door: DoorCheck
    private let booking: UpstreamPool
    private let bodyRules: [BodyRule]
    private let counters: EdgeCounters
    private let shedding: LoadShedding

    package init(
        rooms: any VisitorRooms,
        pages: WaitingPages,
        addressRule: AddressRule,
        limits: Limits,
        booking: UpstreamPool,
        bodyRules: [BodyRule] = [],
        counters: EdgeCounters,
        overload: Overload
    ) {
        self.rooms = rooms
        self.pages = pages
        door = DoorCheck(rooms: rooms, addressRule: addressRule, limits: limits, counters: counters)
        self.booking = booking
        self.bodyRules = bodyRules
        self.counters = counters
        shedding = LoadShedding(overload: overload)
    }

    package func clientAddress(of head: EdgeRequestHead, from peer: ClientAddress) -> ClientAddress {
        door.addressRule.address(of: head, from: peer)
    }

    package func way(for head: EdgeRequestHead, from peer: ClientAddress, id: RequestID) -> Way {
        let address: ClientAddress
        switch door.admit(head, from: peer, as: head.withPath { RouteClass(path: $0) }) {
        case .refused(let reply): return .reply(reply)
        case .open(let visitor): address = visitor
        }
        let sender = ForwardedSender(client: address, peer: peer, isPeerTrusted: door.addressRule.trusts(peer))
        let level = shedding.overload.level
        guard level == .normal else {
            return shedding.way(for: head, id: id, level: level) { route(head, sender: sender, id: id) }
        }
        return route(head, sender: sender, id: id)
    }

    private func route(_ head: EdgeRequestHead, sender: ForwardedSender, id: RequestID) -> Way {
        switch head.withPath({ VisitorRoute(path: $0) }) {
        case .rooms:
            guard head.framing == .none else {
                return .endpoint(bodyBytesMax: Self.roomBodyBytesMax, answer: rooms.answer)
            }
            switch rooms.answer(EdgeRequest(head: head, clientAddress: sender.client, id: id)) {
            case .now(let reply): return .reply(reply)
            case .later(let reply): return .later(reply)
            case .soon(let begin): return .soon(begin)
            }
        case .asset(let name):
            return .reply(pages.asset(name, for: head, requestID: id))
        case .form(let room, let action):
            return .endpoint(bodyBytesMax: Self.roomBodyBytesMax) { request in
                pages.answerForm(request, room: room, action: action, rooms: rooms)
            }
        case .hidden:
            return .reply(EdgeReply(.notFound, requestID: id))
        case .shop:
            guard let room = rooms.protectedRoom(forPath: head.routedPath) else {
                return forward(head, sender: sender, id: id, pass: nil, renewal: nil)
            }
            return enter(room, head, sender: sender, id: id)
        }
    }

    /// A protected path: through with a pass; without one a page for browsers and a problem for the rest.
    private func enter(_ room: String, _ head: EdgeRequestHead, sender: ForwardedSender, id: RequestID) -> Way {
        switch rooms.passVerdict(for: head, from: sender.client, room: room) {
        case .granted(let pass):
            return forward(head, sender: sender, id: id, pass: pass, renewal: nil)
        case .renewing(let pass, let renewal):
            return forward(head, sender: sender, id: id, pass: pass, renewal: renewal)
        case .refused(let code):
            counters.passRequired.increment()
            let isRead = head.method == .get || head.method == .head
            if isRead, AcceptHeader.prefersHTML(head.first(.accept)) {
                counters.pages.increment()
                return .endpoint(bodyBytesMax: 0) { request in pages.answer(request, room: room, rooms: rooms) }
            }
            let link = "<\(Path.room(room, "join"))>; rel=\"waiting-room\""
            return .reply(EdgeReply(code, requestID: id, headers: ["Link": link, "Vary": "Accept"]))
        }
    }

    private func forward(
        _ head: EdgeRequestHead,
        sender: ForwardedSender,
        id: RequestID,
        pass: GrantedPass?,
        renewal: EventLoopFuture<GrantedPass.Renewed?>?
    ) -> Way {
        var forwarding = Forwarding(
            upstream: booking,
            head: head,
            sender: sender,
            requestID: id,
            pass: pass?.token,
            renewal: renewal
        )
        if head.framing != .none, !bodyRules.isEmpty {
            forwarding.bodyRule = bodyRules.first { $0.covers(head.path) }
        }
        if let pass {
            forwarding.command = { [rooms] command in rooms.carryOut(command: command, for: pass) }
        }
        return .forward(forwarding)
    }
}

extension EdgeRequestHead {
    /// The token of `Authorization: Bearer`; nil for any other scheme.
    var bearerToken: Substring? {
        guard let value = first(.authorization) else { return nil }
        let scheme = value.prefix(7)
        guard EdgeHeaders.areEqual(String(scheme), "bearer ") else { return nil }
        return value.dropFirst(7).trimmingSpaces()
    }

    /// The path by which a request is routed: without a trailing slash, as services do not tell the two apart.
    var routedPath: Substring {
        path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? path.dropLast() : path
    }
}
