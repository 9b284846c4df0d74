// The plain port of a gateway that serves TLS only: sends whoever reads to TLS, and refuses the rest.
package import EdgeHTTP
import NIOCore
import UsherAPI

package struct RedirectDesk: RequestDesk {
    private let port: Int

    /// `port` is the one visitors know for TLS, whatever it is mapped to.
    package init(port: Int) {
        self.port = port
    }

    package func clientAddress(of head: EdgeRequestHead, from peer: ClientAddress) -> ClientAddress { peer }

    package func way(for head: EdgeRequestHead, from peer: ClientAddress, id: RequestID) -> Way {
        // What a write carries has been sent in the clear already: a redirection would hide that.
        guard head.method == .get || head.method == .head else {
            return .reply(EdgeReply(.tlsRequired, requestID: id))
        }
        let location = "https://\(Self.name(of: head.host))\(port == 443 ? "" : ":\(port)")\(head.target)"
        return .reply(EdgeReply(status: 308, headers: ["Location": location, "Cache-Control": "no-store"]))
    }

    /// A host without its port; an IPv6 address keeps its brackets.
    static func name(of host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().allSatisfy(\.isNumber) else {
            return host[...]
        }
        return host[..<colon]
    }
}
