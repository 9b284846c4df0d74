// Reads `application/x-www-form-urlencoded` strictly: what is odd is refused, never guessed.

struct FormBody: Equatable, Sendable {
    static let bytesMax = 64 * 1024
    static let parametersMax = 200

    /// Names as sent (`metadata[order]`), each at most once.
    private(set) var parameters: [String: String] = [:]

    enum Flaw: Error, Equatable {
        case malformed
        case repeated(String)
        case tooMany
    }

    init(_ bytes: [UInt8]) throws(Flaw) {
        guard !bytes.isEmpty else { return }
        for pair in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.decoded(parts[0]), let value = Self.decoded(parts[1]),
                !name.isEmpty
            else { throw .malformed }
            guard parameters.count < Self.parametersMax else { throw .tooMany }
            guard parameters.updateValue(value, forKey: name) == nil else { throw .repeated(name) }
        }
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): plain.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                    return nil
                }
                plain.append(high << 4 | low)
            default: plain.append(byte)
            }
        }
        return String(validating: plain, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Takes a parameter out, so that what is left at the end is unknown.
    mutating func take(_ name: String) -> String? { parameters.removeValue(forKey: name) }

    /// Takes out all `name[…]`, with what stands in the brackets; nested brackets stay unknown.
    mutating func takeMembers(of name: String) -> [String: String] {
        var members: [String: String] = [:]
        for (full, value) in parameters where full.hasPrefix(name + "[") && full.hasSuffix("]") {
            let member = full.dropFirst(name.count + 1).dropLast()
            guard !member.contains("["), !member.contains("]") else { continue }
            members[String(member)] = value
            parameters[full] = nil
        }
        return members
    }
}
