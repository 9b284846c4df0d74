package import EdgeHTTP
package import RateLimiting

/// Who a request comes from. `X-Forwarded-For` is believed only from configured proxies: read from the right, the
/// first address that is none of them is the visitor's, and what stands left of it is the visitor's own word.
package struct AddressRule: Sendable {
    static let hopsMax = 20
    private let proxies: [AddressBlock]

    package init(trustedProxies: [AddressBlock]) {
        proxies = trustedProxies
    }

    package func address(of head: EdgeRequestHead, from peer: ClientAddress) -> ClientAddress {
        guard !proxies.isEmpty, head.has(.forwardedFor), isProxy(peer) else { return peer }
        var nearest = peer
        for hop in Self.forwardedFor(head).split(atByte: ",").reversed().prefix(Self.hopsMax) {
            guard let address = ClientAddress(hop.trimmingSpaces()) else { return nearest }
            guard isProxy(address) else { return address }
            nearest = address
        }
        return nearest
    }

    /// Whether the peer's word about the client is believed.
    package func trusts(_ peer: ClientAddress) -> Bool { !proxies.isEmpty && isProxy(peer) }

    /// All fields of that name as one list, in the order they came (RFC 9110 §5.3).
    private static func forwardedFor(_ head: EdgeRequestHead) -> String {
        let wanted = "x-forwarded-for"
        var text = ""
        head.forEachField { name, value in
            guard name.count == wanted.utf8.count, zip(name, wanted.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else {
                return
            }
            if !text.isEmpty { text += "," }
            text += String(decoding: value, as: UTF8.self)
        }
        return text
    }

    private func isProxy(_ address: ClientAddress) -> Bool {
        let address = NetworkAddress(address)
        return proxies.contains { address.masked(to: $0.length) == $0.first }
    }
}

extension NetworkAddress {
    package init(_ address: ClientAddress) {
        self.init(high: address.high, low: address.low)
    }
}
