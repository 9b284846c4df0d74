// How a request is written again for the service behind, and a reply for the visitor. Pure.
package import EdgeHTTP
package import NIOCore
import UsherAPI

/// A request on its way to a service.
package struct Forwarding {
    package var upstream: UpstreamPool
    package var head: EdgeRequestHead
    /// Ends with the fresh pass that goes back to the visitor; the request waits for it.
    package var renewal: EventLoopFuture<GrantedPass.Renewed?>?
    /// Of the request; nil for the listener's own bound.
    package var bodyBytesMax: Int?
    /// Carries out an `Usher-Command` of the reply.
    package var command: ((String) -> Void)?
    /// The visitor's connection is closed after the reply.
    package var endsConnection = false

    package init(
        upstream: UpstreamPool,
        head: EdgeRequestHead,
        renewal: EventLoopFuture<GrantedPass.Renewed?>? = nil,
        command: ((String) -> Void)? = nil
    ) {
        self.upstream = upstream
        self.head = head
        self.renewal = renewal
        self.command = command
    }
}

package enum ForwardedHead {
    /// Fields of one connection only (RFC 9110 §7.6.1) and those by which a visitor could pass for a proxy.
    private static let dropped: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "upgrade", "http2-settings", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "via",
    ]

    /// The request as the service gets it: whatever the visitor said about Usher, proxies or this connection is gone,
    /// and what the gateway knows is written fresh.
    package static func request(
        _ head: EdgeRequestHead,
        authority: String,
        address: ClientAddress,
        requestID: RequestID,
        pass: String?,
        scheme: String = "http"
    ) -> EdgeRequestHead {
        let named = connectionNames(head.headers)
        var headers = EdgeHeaders()
        headers.reserveCapacity(head.headers.fields.count + 6)
        for field in head.headers.fields {
            let name = field.name.lowercased()
            guard !dropped.contains(name), !named.contains(name), !name.hasPrefix(HeaderName.ownPrefix),
                !name.hasPrefix("x-forwarded-")
            else { continue }
            if name == "cookie" {
                if let rest = withoutOwnTokens(field.value) { headers.add(field.name, rest) }
            } else {
                headers.add(field.name, field.value)
            }
        }
        if let pass { headers.add(HeaderName.pass, pass) }
        headers.add(HeaderName.clientAddress, address.description)
        headers.add(HeaderName.requestID, requestID.description)
        headers.add("X-Forwarded-For", address.description)
        headers.add("X-Forwarded-Proto", scheme)
        headers.add("X-Forwarded-Host", head.host)
        return EdgeRequestHead(
            method: head.method,
            target: head.target,
            host: authority,
            framing: head.framing,
            headers: headers
        )
    }

    /// The reply as the visitor gets it.
    package static func reply(
        _ head: EdgeReplyHead,
        requestID: RequestID,
        renewed: GrantedPass.Renewed?
    ) -> EdgeReplyHead {
        let named = connectionNames(head.headers)
        var headers = head.headers
        headers.removeAll { field in
            let name = field.name.lowercased()
            return dropped.contains(name) || named.contains(name) || name.hasPrefix(HeaderName.ownPrefix)
        }
        headers.add(HeaderName.requestID, requestID.description)
        if let renewed {
            headers.add(HeaderName.pass, renewed.token)
            headers.add("Set-Cookie", renewed.cookie)
            // What belongs to one visitor must not be kept for another.
            headers.set("Cache-Control", "no-store")
        }
        return EdgeReplyHead(status: head.status, headers: headers, framing: head.framing)
    }

    private static func connectionNames(_ headers: EdgeHeaders) -> Set<String> {
        guard headers.contains("connection") else { return [] }
        let names = headers.all("connection").joined(separator: ",").split(separator: ",")
        return Set(names.map { $0.trimmingSpaces().lowercased() })
    }

    /// Places and passes are the gateway's; the shop gets the pass as a header and the place not at all.
    private static func withoutOwnTokens(_ cookies: String) -> String? {
        let kept = cookies.split(separator: ";").map { $0.trimmingSpaces() }.filter { pair in
            let name = pair.hasPrefix("__Host-") ? pair.dropFirst("__Host-".count) : pair
            return !name.hasPrefix("usher-place-") && !name.hasPrefix("usher-pass-")
        }
        return kept.isEmpty ? nil : kept.joined(separator: "; ")
    }
}
