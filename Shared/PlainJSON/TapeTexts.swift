// Texts and numbers of a tape as Swift values.

extension Tape {
    /// `nil` when it is not UTF-8, or has an escape that means nothing.
    func text(of value: Value) -> String? {
        guard value.isEscaped else { return String(validating: bytes[value.start..<value.end], as: UTF8.self) }
        var plain: [UInt8] = []
        plain.reserveCapacity(value.end - value.start)
        var place = value.start
        while place < value.end {
            let byte = bytes[place]
            place += 1
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            guard let scalar = escape(at: &place, before: value.end) else { return nil }
            plain.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return String(validating: plain, as: UTF8.self)
    }

    /// Whether a text without escapes has these bytes.
    func isText(_ value: Value, _ name: String) -> Bool {
        guard !value.isEscaped else { return text(of: value) == name }
        var name = name
        return name.withUTF8 { name in
            guard name.count == value.end - value.start else { return false }
            for (offset, byte) in name.enumerated() where bytes[value.start + offset] != byte { return false }
            return true
        }
    }

    func number<Number: FixedWidthInteger>(of value: Value) -> Number? {
        let digits = String(decoding: bytes[value.start..<value.end], as: UTF8.self)
        return Number(digits) ?? Double(digits).flatMap { Number(exactly: $0) }
    }

    func fraction(of value: Value) -> Double? {
        let number = Double(String(decoding: bytes[value.start..<value.end], as: UTF8.self))
        return number?.isFinite == true ? number : nil
    }

    /// What follows a backslash.
    private func escape(at place: inout Int, before end: Int) -> Unicode.Scalar? {
        guard place < end else { return nil }
        defer { place += 1 }
        switch bytes[place] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return scalar(at: &place, before: end)
        default: return nil
        }
    }

    /// Four hexadecimal digits behind the place of the `u`, or two times four for a pair of surrogates; the place is left
    /// on the last digit.
    private func scalar(at place: inout Int, before end: Int) -> Unicode.Scalar? {
        guard let first = unit(at: place + 1, before: end) else { return nil }
        place += 4
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard place + 2 < end, bytes[place + 1] == UInt8(ascii: "\\"), bytes[place + 2] == UInt8(ascii: "u"),
            let second = unit(at: place + 3, before: end), UTF16.isTrailSurrogate(second)
        else { return nil }
        place += 6
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00))
    }

    private func unit(at start: Int, before end: Int) -> UInt16? {
        guard start + 4 <= end else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[start..<start + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
