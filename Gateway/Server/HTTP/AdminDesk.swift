// The admin port: health and numbers for operators, the gateway's admin API, and booking's through the same origin.
package import EdgeHTTP
package import NIOCore
package import Operations
import RateLimiting
import UsherAPI

package struct AdminDesk: RequestDesk {
    package static let bodyBytesMax = 64 * 1024

    private let loop: any EventLoop
    private let operations: OperationsPages
    private let admin: (EdgeRequest) -> RoomAnswer
    private let token: AdminToken
    private let limits: Limits
    private let booking: UpstreamPool

    /// `admin` answers `/admin/v1/…`, and asks for the admin token itself. Its callers have an allowance of their own, and
    /// who shows no good token another one: guessing keeps no admin out.
    package init(
        loop: any EventLoop,
        operations: OperationsPages,
        admin: @escaping (EdgeRequest) -> RoomAnswer,
        token: AdminToken,
        limits: Limits,
        booking: UpstreamPool
    ) {
        self.loop = loop
        self.operations = operations
        self.admin = admin
        self.token = token
        self.limits = limits
        self.booking = booking
    }

    package func clientAddress(of head: EdgeRequestHead, from peer: ClientAddress) -> ClientAddress { peer }

    package func way(for head: EdgeRequestHead, from peer: ClientAddress, id: RequestID) -> Way {
        let parts = head.path.split(separator: "/", maxSplits: 2)
        switch (parts.first, parts.dropFirst().first) {
        case ("admin", "v1"):
            let isAdmin = token.isShown(in: head.first(HeaderName.authorization))
            if let refusal = refusal(peer, isAdmin ? .admin : .auth) { return .reply(refusal) }
            return .endpoint(bodyBytesMax: Self.bodyBytesMax, answer: admin)
        case ("v1", "admin"):
            if let refusal = refusal(peer, .api) { return .reply(refusal) }
            let sender = ForwardedSender(client: peer, peer: peer, isPeerTrusted: false)
            return .forward(Forwarding(upstream: booking, head: head, sender: sender, requestID: id))
        case ("healthz", nil), ("readyz", nil), ("metrics", nil):
            if let refusal = refusal(peer, .poll) { return .reply(refusal) }
            return .endpoint(bodyBytesMax: 0, answer: operationsPage)
        default:
            return .reply(EdgeReply(.notFound, requestID: id))
        }
    }

    private func refusal(_ peer: ClientAddress, _ routeClass: RouteClass) -> EdgeReply? {
        let verdict = limits.check(peer, account: nil, routeClass)
        return verdict.isAllowed ? nil : limits.refusal(verdict)
    }

    private func operationsPage(_ request: EdgeRequest) -> RoomAnswer {
        guard request.method == .get || request.method == .head else {
            return .now(EdgeReply(.methodNotAllowed, requestID: request.id, headers: ["Allow": "GET, HEAD"]))
        }
        let path = String(request.path)
        return .later(
            loop.makeFutureWithTask { [operations] in
                guard let reply = await operations.answer(path: path) else {
                    return EdgeReply(.notFound, requestID: request.id)
                }
                return EdgeReply(status: reply.status, contentType: reply.contentType, text: reply.body)
            }
        )
    }
}
