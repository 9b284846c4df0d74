// One JSON object without objects or lists inside (RFC 8259): what headers and claims of foreign tokens may be. A general
// parser would take a name twice and keep one of the two.

struct FlatJSON {
    private enum Value {
        case text(String)
        case number(Int64)
        /// `true`, `false`, `null`, a fraction: allowed, and never what we look for.
        case other
    }

    private static let membersMax = 32

    private var members: [String: Value] = [:]

    var names: Set<String> { Set(members.keys) }

    func text(_ name: String) -> String? {
        if case .text(let text) = members[name] { text } else { nil }
    }

    func number(_ name: String) -> Int64? {
        if case .number(let number) = members[name] { number } else { nil }
    }

    /// Nil for anything else, for a name that comes twice, and for bytes after the object.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard reader.take("{") else { return nil }
        if !reader.take("}") {
            repeat {
                guard let name = reader.text(), reader.take(":"), let value = Self.value(&reader),
                    members.updateValue(value, forKey: name) == nil, members.count <= Self.membersMax
                else { return nil }
            } while reader.take(",")
            guard reader.take("}") else { return nil }
        }
        guard reader.isAtEnd else { return nil }
    }

    private static func value(_ reader: inout Reader) -> Value? {
        if let text = reader.text() { return .text(text) }
        let word = reader.word()
        switch word {
        case "": return nil
        case "true", "false", "null": return .other
        default:
            let digits = word.hasPrefix("-") ? word.dropFirst() : word[...]
            guard let first = digits.utf8.first, (0x30...0x39).contains(first),
                digits.utf8.count == 1 || first != 0x30 || digits.hasPrefix("0.")
            else { return nil }
            if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(word).map { .number($0) } }
            return Double(word) == nil ? nil : .other
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        mutating func take(_ mark: Unicode.Scalar) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
            position += 1
            return true
        }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return position == bytes.count
            }
        }

        /// Letters, digits and signs, as in numbers and the three words.
        mutating func word() -> String {
            skipSpace()
            let start = position
            while position < bytes.count, Self.isOfWord(bytes[position]) { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }

        private static func isOfWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x45
                || [0x2B, 0x2D, 0x2E].contains(byte)
        }

        mutating func text() -> String? {
            let start = position
            guard take("\"") else { return nil }
            var found: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: found, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = escaped() else { return nil }
                    found.append(escaped)
                case 0..<0x20: return nil
                default: found.append(byte)
                }
            }
            position = start
            return nil
        }

        /// Only what stands for one ASCII character; nothing we compare with has others.
        private mutating func escaped() -> UInt8? {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return byte
            case UInt8(ascii: "u"):
                guard position + 4 <= bytes.count else { return nil }
                let digits = String(decoding: bytes[position..<(position + 4)], as: UTF8.self)
                position += 4
                guard digits.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }), let value = UInt8(digits, radix: 16),
                    (0x20..<0x7F).contains(value)
                else { return nil }
                return value
            default: return nil
            }
        }
    }
}
