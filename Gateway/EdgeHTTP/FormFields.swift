/// `application/x-www-form-urlencoded` pairs, in a query or in a body (WHATWG URL §5).
package enum FormFields {
    /// The first value of that name; nil when absent, badly escaped or not UTF-8.
    package static func value(of name: String, in text: Substring) -> String? {
        for pair in text.split(atByte: "&") {
            let sides = pair.split(atByte: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard decoded(sides[0]) == name else { continue }
            return decoded(sides.count == 2 ? sides[1] : "")
        }
        return nil
    }

    /// Undoes `%XX` and, for forms, `+`.
    package static func decoded(_ text: Substring, plusIsSpace: Bool = true) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Escapes everything but RFC 3986's unreserved bytes and those allowed.
    package static func encoded(_ text: String, keeping allowed: String = "") -> String {
        var out = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80,
                character.isLetter || character.isNumber || "-._~".contains(character)
                    || allowed.contains(character)
            {
                out.append(character)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return out
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
