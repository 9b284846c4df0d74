// Tells the service who asked: `Usher-Client-Address`, `X-Forwarded-*` and `Forwarded` (RFC 7239), written afresh.
package import EdgeHTTP
package import NIOCore

/// Who sent a request, and how it came to the gateway.
package struct ForwardedSender: Sendable {
    package static let hopsMax = 20
    private static let hostBytesMax = 255
    /// The names of the fields, their line ends, and an address five times.
    private static let fieldBytesMax = 512

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
        guard !isPeerTrusted else { return writeProxied(head, to: &buffer) }
        let scheme: StaticString = head.isSecure ? "https" : "http"
        head.withHost { host in
            buffer.write(upTo: Self.fieldBytesMax + 2 * host.count) { writer in
                writer.put("Usher-Client-Address: ")
                client.write(to: &writer)
                writer.put("\r\nX-Forwarded-For: ")
                client.write(to: &writer)
                writer.put("\r\nX-Forwarded-Proto: ")
                writer.put(scheme)
                writer.put("\r\nX-Forwarded-Host: ")
                writer.put(host)
                writer.put("\r\nForwarded: for=")
                client.writeNode(to: &writer)
                writer.put(";host=")
                let mark: StaticString = host.allSatisfy(Self.isPlain) ? "" : "\""
                writer.put(mark)
                writer.put(host)
                writer.put(mark)
                writer.put(";proto=")
                writer.put(scheme)
                writer.put("\r\n")
            }
        }
    }

    // MARK: Behind proxies

    private func writeProxied(_ head: EdgeRequestHead, to buffer: inout ByteBuffer) {
        let scheme = Self.believedScheme(head) ?? (head.isSecure ? "https" : "http")
        let host = Self.believedHost(head) ?? head.host
        let hops = hops(head)
        var elements = ["for=\(Self.node(client));host=\(Self.value(host));proto=\(scheme)"]
        elements += hops.dropFirst().map { "for=\(Self.node($0))" }
        let chain = hops.map(\.description).joined(separator: ", ")
        UpstreamRequest.write("Usher-Client-Address", client.description, to: &buffer)
        UpstreamRequest.write("X-Forwarded-For", chain, to: &buffer)
        UpstreamRequest.write("X-Forwarded-Proto", scheme, to: &buffer)
        UpstreamRequest.write("X-Forwarded-Host", host, to: &buffer)
        UpstreamRequest.write("Forwarded", elements.joined(separator: ", "), to: &buffer)
    }

    /// The client, the proxies after it, the peer: of what the proxies said only the part that can be believed, which
    /// is what stands from the client on.
    private func hops(_ head: EdgeRequestHead) -> [ClientAddress] {
        guard client != peer else { return [peer] }
        let said = head.headers.all("x-forwarded-for").joined(separator: ",").split(atByte: ",")
            .suffix(Self.hopsMax).compactMap { ClientAddress($0.trimmingSpaces()) }
        let believed = said.lastIndex(of: client).map { Array(said[$0...]) } ?? [client]
        return believed + [peer]
    }

    private static func believedScheme(_ head: EdgeRequestHead) -> String? {
        head.first("x-forwarded-proto").map { $0.lowercased() }.flatMap { ["http", "https"].contains($0) ? $0 : nil }
    }

    private static func believedHost(_ head: EdgeRequestHead) -> String? {
        guard let host = head.first("x-forwarded-host"), (1...hostBytesMax).contains(host.utf8.count),
            host.utf8.allSatisfy({ isPlain($0) || ":[]".utf8.contains($0) })
        else { return nil }
        return host
    }

    /// An IPv6 address stands in brackets, and so in quotes (RFC 7239 §6).
    private static func node(_ address: ClientAddress) -> String {
        address.ipv4 == nil ? "\"[\(address)]\"" : address.description
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

extension ClientAddress {
    fileprivate func write(to writer: inout ByteWriter) {
        guard let ipv4 else { return writer.put(description) }
        for shift in [24, 16, 8] as [UInt32] {
            writer.put(number: UInt64(ipv4 >> shift & 0xFF))
            writer.put(byte: UInt8(ascii: "."))
        }
        writer.put(number: UInt64(ipv4 & 0xFF))
    }

    fileprivate func writeNode(to writer: inout ByteWriter) {
        guard ipv4 == nil else { return write(to: &writer) }
        writer.put("\"[")
        writer.put(description)
        writer.put("]\"")
    }
}
