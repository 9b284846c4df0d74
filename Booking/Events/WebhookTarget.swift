// Where webhooks may go: not to us, and not to our neighbours (server-side request forgery). The name is looked at when
// an endpoint is made, the addresses it leads to before every call.

import Foundation
import Glibc

package struct WebhookTarget: Sendable, Equatable {
    package static let urlBytesMax = 2048

    package enum Flaw: Error, Equatable, CustomStringConvertible {
        case malformed(String)
        case notPublic(String)

        package var description: String {
            switch self {
            case .malformed(let reason): reason
            case .notPublic(let what): "\(what) is not a public address"
            }
        }
    }

    package let url: String
    /// Without brackets.
    package let host: String
    package let port: Int

    /// With `allowsPrivate` plain http and names of private networks are good too.
    package init(_ url: String, allowsPrivate: Bool) throws(Flaw) {
        guard url.utf8.count <= Self.urlBytesMax, url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .malformed("a URL has at most \(Self.urlBytesMax) visible ASCII characters")
        }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else {
            throw .malformed("the URL has no host")
        }
        let scheme = parts.scheme?.lowercased()
        guard scheme == "https" || (allowsPrivate && scheme == "http") else {
            throw .malformed("the URL must start with https://")
        }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
            throw .malformed("the URL must have neither a user nor a fragment")
        }
        self.url = url
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { throw .malformed("the URL's port is from 1 to 65535") }
        guard !allowsPrivate else { return }
        let literal = PublicAddress.bytes(of: self.host)
        guard !Self.isLocalName(self.host), literal.isEmpty || PublicAddress.isPublic(literal) else {
            throw .notPublic(self.host)
        }
    }

    private static func isLocalName(_ host: String) -> Bool {
        let name = host.lowercased().hasSuffix(".") ? String(host.lowercased().dropLast()) : host.lowercased()
        return name == "localhost"
            || [".localhost", ".local", ".internal", ".home.arpa"].contains { name.hasSuffix($0) }
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
package enum PublicAddress {
    private static let closed4: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0a00_0000, 8), (0x6440_0000, 10), (0x7f00_0000, 8), (0xa9fe_0000, 16), (0xac10_0000, 12),
        (0xc000_0000, 24), (0xc000_0200, 24), (0xc058_6300, 24), (0xc0a8_0000, 16), (0xc612_0000, 15),
        (0xc633_6400, 24), (0xcb00_7100, 24), (0xe000_0000, 3),
    ]

    /// Four or sixteen in network order; none when the text is no address.
    package static func bytes(of text: String) -> [UInt8] {
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: length)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return []
    }

    /// Of four or sixteen bytes in network order.
    package static func isPublic(_ bytes: [UInt8]) -> Bool {
        switch bytes.count {
        case 4: isPublic4(bytes[...])
        case 16: isPublic16(bytes)
        default: false
        }
    }

    private static func isPublic4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !closed4.contains { block, length in (address ^ block) >> UInt32(32 - length) == 0 }
    }

    /// Of IPv6 only what is allotted (2000::/3), and of that nothing that leads to an IPv4 address or stands in books.
    private static func isPublic16(_ bytes: [UInt8]) -> Bool {
        let nat64: [UInt8] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
        if bytes.starts(with: nat64) { return isPublic4(bytes[12...]) }
        guard bytes[0] >> 5 == 1 else { return false }
        // 6to4 carries an IPv4 address; 2001::/23 is Teredo and other special uses, 2001:db8::/32 is for books.
        if bytes[0] == 0x20, bytes[1] == 0x02 { return isPublic4(bytes[2..<6]) }
        if bytes[0] == 0x20, bytes[1] == 0x01, bytes[2] < 0x02 { return false }
        return !(bytes.starts(with: [0x20, 0x01, 0x0d, 0xb8]) || bytes.starts(with: [0x3f, 0xff]))
    }
}
