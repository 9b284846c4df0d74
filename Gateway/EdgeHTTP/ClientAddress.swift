package import NIOCore

/// An IPv4 or IPv6 address as 128 bits in network order; IPv4 is kept v4-mapped (`::ffff:a.b.c.d`),
/// so a visitor is the same one whichever family the socket has.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(ipv4 bits: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits))
    }

    package static let unknown = ClientAddress(high: 0, low: 0)

    /// The four bytes of an IPv4 address; nil for IPv6.
    package var ipv4: UInt32? {
        high == 0 && low >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: low) : nil
    }

    /// Refuses zone ids, ports, brackets and anything that is not exactly one address.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        // A NUL would end the text for the C library that reads it.
        guard text.utf8.count <= 45, !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == 0 }) else {
            return nil
        }
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        self.init(address)
    }

    /// Unix sockets have no address: they give nil.
    package init?(_ address: SocketAddress) {
        // Read by offset: naming the fields would need NIO's private module of C headers.
        switch address {
        case .v4(let address):
            let bits = withUnsafeBytes(of: address.address) { bytes in
                bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            }
            self.init(ipv4: UInt32(bigEndian: bits))
        case .v6(let address):
            let words = withUnsafeBytes(of: address.address) { bytes in
                (
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                )
            }
            self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
        case .unixDomainSocket:
            return nil
        }
    }

    package var description: String {
        if let ipv4 {
            return "\(ipv4 >> 24).\(ipv4 >> 16 & 0xFF).\(ipv4 >> 8 & 0xFF).\(ipv4 & 0xFF)"
        }
        var bytes = ByteBuffer()
        bytes.writeInteger(high)
        bytes.writeInteger(low)
        let address = try? SocketAddress(packedIPAddress: bytes, port: 0)
        return address?.ipAddress ?? "::"
    }
}
