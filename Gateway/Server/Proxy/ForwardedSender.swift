// Tells the service who asked: `Usher-Client-Address`, `X-Forwarded-*` and `Forwarded` (RFC 7239), written afresh.
package import EdgeHTTP
package import NIOCore

/// Who sent a request, and how it came to the gateway.
package struct ForwardedSender: Sendable {
    package static let hopsMax = 20
    private static let hostBytesMax = 255

    /// Who is taken to have sent it.
    package var client: ClientAddress
    /// The other end of the connection: the client itself, or a proxy.
    package var peer: ClientAddress
    /// Whether the peer is a proxy whose word is believed.
    package var isPeerTrusted: Bool

    package init(client: ClientAddress, peer: ClientAddress, isPeerTrusted: Bool) {
        self.client = client
        self.peer = peer
        self.isPeerTrusted = isPeerTrusted
    }

    package func write(_ head: EdgeRequestHead, to buffer: inout ByteBuffer) {
        let client = client.description
        let host = head.host
        let scheme = head.isSecure ? "https" : "http"
        UpstreamRequest.write("Usher-Client-Address", client, to: &buffer)
        guard isPeerTrusted else {
            writeFields(chain: client, scheme: scheme, host: host, to: &buffer)
            UpstreamRequest.write("Forwarded", Self.element(client, host: host, scheme: scheme), to: &buffer)
            return
        }
        let proxied = (host: Self.believedHost(head) ?? host, scheme: Self.believedScheme(head) ?? scheme)
        let hops = hops(head)
        writeFields(chain: hops.joined(separator: ", "), scheme: proxied.scheme, host: proxied.host, to: &buffer)
        var elements = [Self.element(client, host: proxied.host, scheme: proxied.scheme)]
        elements += hops.dropFirst().map { "for=\(Self.node($0))" }
        UpstreamRequest.write("Forwarded", elements.joined(separator: ", "), to: &buffer)
    }

    private func writeFields(chain: String, scheme: String, host: String, to buffer: inout ByteBuffer) {
        UpstreamRequest.write("X-Forwarded-For", chain, to: &buffer)
        UpstreamRequest.write("X-Forwarded-Proto", scheme, to: &buffer)
        UpstreamRequest.write("X-Forwarded-Host", host, to: &buffer)
    }

    /// The client, the proxies after it, the peer: of what the proxies said only the part that can be believed, which
    /// is what stands from the client on.
    private func hops(_ head: EdgeRequestHead) -> [String] {
        guard client != peer else { return [peer.description] }
        let said = head.headers.all("x-forwarded-for").joined(separator: ",").split(separator: ",")
            .suffix(Self.hopsMax).compactMap { ClientAddress($0.trimmingSpaces()) }
        let believed = said.lastIndex(of: client).map { said[$0...] } ?? [client]
        return believed.map(\.description) + [peer.description]
    }

    private static func believedScheme(_ head: EdgeRequestHead) -> String? {
        head.first("x-forwarded-proto").map { $0.lowercased() }.flatMap { ["http", "https"].contains($0) ? $0 : nil }
    }

    private static func believedHost(_ head: EdgeRequestHead) -> String? {
        guard let host = head.first("x-forwarded-host"), (1...hostBytesMax).contains(host.utf8.count),
            host.utf8.allSatisfy({
                isPlain($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]")
            })
        else { return nil }
        return host
    }

    // MARK: RFC 7239

    private static func element(_ address: String, host: String, scheme: String) -> String {
        "for=\(node(address));host=\(value(host));proto=\(scheme)"
    }

    /// An IPv6 address stands in brackets, and so in quotes (§6).
    private static func node(_ address: String) -> String {
        address.utf8.contains(UInt8(ascii: ":")) ? "\"[\(address)]\"" : address
    }

    /// A token as it is, anything else quoted; a host has nothing that needs a backslash.
    private static func value(_ host: String) -> String {
        host.utf8.allSatisfy(isPlain) ? host : "\"\(host)\""
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        let letter = (byte | 0x20) &- UInt8(ascii: "a") < 26
        return letter || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}
