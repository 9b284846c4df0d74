import Glibc

/// Whom an entry of an access list names.
package enum AccessTarget: Sendable, Hashable {
    case address(NetworkAddress)
    case block(AddressBlock)
    case account(String)
    /// The beginning of `User-Agent`.
    case agent(String)

    /// Why a text names nobody, as a sentence for the admin.
    package struct Flaw: Error, Equatable, CustomStringConvertible {
        package var description: String

        init(_ description: String) { self.description = description }
    }

    /// An address, a CIDR block, `account:<id>` or `agent:<beginning of User-Agent>`.
    package init(_ text: String) throws(Flaw) {
        if text.hasPrefix("account:") {
            self = .account(try Self.account(text.dropFirst("account:".count)))
        } else if text.hasPrefix("agent:") {
            self = .agent(try Self.agent(text.dropFirst("agent:".count)))
        } else if let address = NetworkAddress(text) {
            self = .address(address)
        } else if let block = AddressBlock(text) {
            self = .block(block)
        } else {
            throw Self.flaw(ofAddress: text)
        }
    }

    private static func account(_ text: Substring) throws(Flaw) -> String {
        guard (1...AccessList.accountLengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw Flaw(
                "account: is followed by 1 to \(AccessList.accountLengthMax) visible characters, as in account:usr_…"
            )
        }
        return String(text)
    }

    private static func agent(_ text: Substring) throws(Flaw) -> String {
        guard (1...AccessList.agentLengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), text.first != " ", text.last != " "
        else {
            throw Flaw(
                "agent: is followed by the beginning of User-Agent, 1 to \(AccessList.agentLengthMax) characters of ASCII"
            )
        }
        return text.lowercased()
    }

    private static func flaw(ofAddress text: String) -> Flaw {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = NetworkAddress(parts[0]), let bits = Int(parts[1]), bits >= 0 else {
            return Flaw("entry is an address, a CIDR block, account:<id> or agent:<beginning of User-Agent>")
        }
        let most = parts[0].contains(":") ? 128 : 32
        guard bits <= most else { return Flaw("a block of this family has at most \(most) bits") }
        let first = address.masked(to: most == 32 ? bits + 96 : bits)
        return Flaw("\(text) has bits behind its length; the block is \(first.text)/\(bits)")
    }

    /// The one spelling under which an entry is kept: two spellings of an address are one entry.
    package var text: String {
        switch self {
        case .address(let address): address.text
        case .block(let block): block.text
        case .account(let account): "account:\(account)"
        case .agent(let prefix): "agent:\(prefix)"
        }
    }
}

extension NetworkAddress {
    /// As RFC 5952 writes it.
    package var text: String {
        if isIPv4 { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        var bytes = (high.bigEndian, low.bigEndian)
        var room = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &bytes, &room, socklen_t(room.count)) != nil else { return "::" }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension AddressBlock {
    package var text: String {
        first.isIPv4 && length >= 96 ? "\(first.text)/\(length - 96)" : "\(first.text)/\(length)"
    }
}

extension LimitKey {
    /// The client as an address or block: an IPv4 address, or the /64 of an IPv6 address.
    package var addressText: String {
        let address = NetworkAddress(high: high, low: low)
        return address.isIPv4 ? address.text : "\(address.text)/64"
    }

    /// From `addressText`, or any address of the client.
    package init?(addressText text: String) {
        if let address = NetworkAddress(text) {
            self = address.limitKey
        } else if let block = AddressBlock(text), block.length == 64 {
            self = block.first.limitKey
        } else {
            return nil
        }
    }
}
