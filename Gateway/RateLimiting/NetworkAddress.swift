import Glibc

/// An IPv4 or IPv6 address as 128 bits; IPv4 is kept v4-mapped (`::ffff:a.b.c.d`).
package struct NetworkAddress: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init?(_ text: some StringProtocol) {
        let text = String(text)
        guard text.utf8.count <= 45 else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: v4.s_addr)))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let words = withUnsafeBytes(of: &v6) { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// What one client is taken to be: an IPv4 address, or the /64 of an IPv6 address.
    package var limitKey: LimitKey {
        isIPv4 ? LimitKey(high: high, low: low) : LimitKey(high: high, low: 0)
    }

    /// The first `length` bits, the others zero.
    package func masked(to length: Int) -> NetworkAddress {
        switch length {
        case ...0: NetworkAddress(high: 0, low: 0)
        case 1..<64: NetworkAddress(high: high & (.max << UInt64(64 - length)), low: 0)
        case 64: NetworkAddress(high: high, low: 0)
        case 65..<128: NetworkAddress(high: high, low: low & (.max << UInt64(128 - length)))
        default: self
        }
    }
}

/// A CIDR block; an IPv4 length counts from the 96 bits of the mapping on.
package struct AddressBlock: Sendable, Hashable {
    package let first: NetworkAddress
    /// 0 to 128.
    package let length: Int

    /// `10.0.0.0/8`, `2001:db8::/32`; the bits behind the length must be zero.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = NetworkAddress(parts[0]), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let bits = Int(parts[1])
        else { return nil }
        let isV4 = !parts[0].contains(":")
        guard bits <= (isV4 ? 32 : 128) else { return nil }
        let length = isV4 ? bits + 96 : bits
        guard address.masked(to: length) == address else { return nil }
        self.first = address
        self.length = length
    }
}
