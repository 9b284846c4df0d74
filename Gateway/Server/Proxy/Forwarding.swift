// How a request is written again for the service behind, and a reply for the visitor. Pure.
package import EdgeHTTP
package import NIOCore
import UsherAPI

/// A request on its way to a service.
package struct Forwarding {
    package var upstream: UpstreamPool
    package var head: EdgeRequestHead
    package var sender: ForwardedSender
    package var requestID: RequestID
    /// The token of the pass that was checked.
    package var pass: String?
    /// Ends with the fresh pass that goes back to the visitor; the request waits for it.
    package var renewal: EventLoopFuture<GrantedPass.Renewed?>?
    /// Nil for the listener's own bounds.
    package var bodyRule: BodyRule?
    /// Carries out an `Usher-Command` of the reply.
    package var command: ((String) -> Void)?
    /// The visitor's connection is closed after the reply.
    package var endsConnection = false

    package init(
        upstream: UpstreamPool,
        head: EdgeRequestHead,
        sender: ForwardedSender,
        requestID: RequestID,
        pass: String? = nil,
        renewal: EventLoopFuture<GrantedPass.Renewed?>? = nil,
        command: ((String) -> Void)? = nil
    ) {
        self.upstream = upstream
        self.head = head
        self.sender = sender
        self.requestID = requestID
        self.pass = pass
        self.renewal = renewal
        self.command = command
    }
}

package enum ForwardedHead {
    /// The request as the service gets it: whatever the visitor said about Usher, proxies or this connection is gone,
    /// and what the gateway knows is written fresh.
    package static func write(_ forwarding: Forwarding, host: String, to buffer: inout ByteBuffer) {
        let head = forwarding.head
        let named = head.has(.connection) ? HopFields.named(in: head.headers.all("connection")) : []
        UpstreamRequest.write(head, host: host, to: &buffer) { name in
            !HopFields.isDropped(name) && !HopFields.isCookie(name) && !HopFields.contains(named, name)
        }
        head.withValue(of: .cookie) { OwnCookies.writeOthers($0, to: &buffer) }
        if let pass = forwarding.pass { UpstreamRequest.write("Usher-Pass", pass, to: &buffer) }
        UpstreamRequest.write("Usher-Request-Id", forwarding.requestID, to: &buffer)
        forwarding.sender.write(head, to: &buffer)
        UpstreamRequest.writeEnd(to: &buffer)
    }

    /// The reply as the visitor gets it.
    package static func reply(
        _ head: UpstreamReplyHead,
        _ forwarding: Forwarding,
        renewed: GrantedPass.Renewed?
    ) -> EdgeReplyHead {
        var fields = head.fields
        let named = head.namesFields ? HopFields.named(in: fields.all("connection")) : []
        if let carryOut = forwarding.command, let command = fields.all("usher-command").first { carryOut(command) }
        let isPersonal = renewed != nil
        fields.drop { name in
            HopFields.isDropped(name) || HopFields.contains(named, name) || isPersonal && HopFields.isCacheControl(name)
        }
        var headers: EdgeHeaders = [:]
        if let renewed {
            headers.add(HeaderName.pass, renewed.token)
            headers.add("Set-Cookie", renewed.cookie)
            // What belongs to one visitor must not be kept for another.
            headers.add("Cache-Control", "no-store")
        }
        return EdgeReplyHead(
            status: head.status,
            headers: headers,
            framing: head.framing,
            closes: forwarding.endsConnection,
            upstream: fields,
            requestID: forwarding.requestID,
            isEventStream: head.isEventStream
        )
    }
}
