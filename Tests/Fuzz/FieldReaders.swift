// Readers of single fields. The bytes come as a visitor would send them: within a request that the codec accepted.
import EdgeHTTP
import EdgeReadings
import Foundation
import GatewayServer
import RateLimiting

/// One accepted request that carries the bytes in one field.
private func head(with name: String, _ bytes: [UInt8]) throws -> EdgeRequestHead? {
    let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\(name): ".utf8) + bytes + Array("\r\n\r\n".utf8)
    let reading = try EdgeReading([request[...]])
    return reading.messages.count == 1 ? reading.heads.first : nil
}

enum Cookies {
    static func check(_ bytes: [UInt8]) throws -> String? {
        guard let head = try head(with: "Cookie", bytes), let text = head.first("cookie") else { return nil }
        for name in ["usher-place-a", "a", "usher-device"] {
            let found = head.cookie(name).map { "\($0)" }
            let expected = plainReading(of: name, in: "\(text)")
            if found != expected { return "cookie \(name): \(found as Any), plainly \(expected as Any)" }
        }
        return nil
    }

    /// RFC 6265 §5.4 read in the plainest way.
    private static func plainReading(of name: String, in header: String) -> String? {
        for pair in header.unicodeScalars.split(separator: ";") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Substring.init)
            guard sides.count == 2, trimmed(sides[0]) == name else { continue }
            return trimmed(sides[1])
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        let start = bytes.firstIndex { $0 != 0x20 && $0 != 0x09 } ?? bytes.endIndex
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0x09 } ?? start - 1
        return start <= end ? String(decoding: bytes[start...end], as: UTF8.self) : ""
    }
}

enum Addresses {
    private static let rule = AddressRule(
        trustedProxies: ["127.0.0.0/8", "10.0.0.0/8"].compactMap { AddressBlock($0) }
    )
    private static let peer = ClientAddress(ipv4: 0x7F00_0001)

    static func check(_ bytes: [UInt8]) throws -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        if let finding = readOne(text) { return finding }
        guard let head = try head(with: "X-Forwarded-For", bytes) else { return nil }
        let found = rule.address(of: head, from: peer)
        guard found != peer else { return nil }
        // The bytes may bring more fields of that name.
        let said = head.headers.all("x-forwarded-for").joined(separator: ",").unicodeScalars.split(separator: ",")
            .compactMap { ClientAddress(String($0).trimmingCharacters(in: CharacterSet(charactersIn: " \t"))) }
        return said.contains(found) ? nil : "\(found) was never said"
    }

    /// The C library reads the same addresses, and what is written is read as itself.
    private static func readOne(_ text: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isV4 = inet_pton(AF_INET, text, &bytes) == 1
        let isV6 = inet_pton(AF_INET6, text, &bytes) == 1
        let isPlain = !text.utf8.contains(0)
        guard let address = ClientAddress(text) else {
            return (isV4 || isV6) && isPlain && text.utf8.count <= 45 ? "\(text) is an address" : nil
        }
        guard isV4 || isV6, isPlain else { return "\(text.debugDescription) is no address" }
        return ClientAddress(address.description) == address ? nil : "\(address) is not written as it is read"
    }
}

enum AcceptFields {
    static func check(_ bytes: [UInt8]) throws -> String? {
        guard let head = try head(with: "Accept", bytes), let text = head.first("accept") else { return nil }
        let wantsPage = AcceptHeader.prefersHTML("\(text)")
        let names = "\(text)".lowercased()
        if wantsPage, !names.contains("text/html"), !names.contains("text/*") {
            return "no page was asked for: \(text)"
        }
        return nil
    }
}

enum Forms {
    static func check(_ bytes: [UInt8]) throws -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        if FormFields.decoded(FormFields.encoded(text)[...]) != text { return "does not decode to itself: \(text)" }
        _ = FormFields.decoded(text[...], plusIsSpace: false)
        for name in ["return", "a", ""] {
            guard let value = FormFields.value(of: name, in: text[...]) else { continue }
            let again = "\(FormFields.encoded(name))=\(FormFields.encoded(value))"
            if FormFields.value(of: name, in: again[...]) != value, !name.isEmpty || !value.isEmpty {
                return "field \(name) is not read as it is written: \(value)"
            }
        }
        return nil
    }
}
