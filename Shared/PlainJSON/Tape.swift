// A JSON text read once: its values one after the other, each knowing where the next one begins.

struct Tape: Sendable {
    enum Kind: Sendable { case null, truth, lie, number, text, list, object }

    struct Value: Sendable {
        let kind: Kind
        /// Where its bytes are; of a text, those between the quotation marks.
        let start: Int
        var end: Int
        /// A text that is not what its bytes say: it has escapes.
        var isEscaped = false
        /// The value that follows it and all it contains.
        var next: Int
    }

    enum Flaw: Error { case malformed(at: Int) }

    /// Lists and objects in one another.
    static let depthMax = 64

    let bytes: [UInt8]
    /// An object is followed by its members, each a text and a value; a list by its elements.
    private(set) var values: [Value] = []
    private var place = 0

    init(_ bytes: [UInt8]) throws(Flaw) {
        self.bytes = bytes
        values.reserveCapacity(bytes.count / 12 + 1)
        skipSpace()
        try readValue(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw .malformed(at: place) }
    }

    // MARK: reading

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    }

    private mutating func readValue(depth: Int) throws(Flaw) {
        switch byte {
        case UInt8(ascii: "{"): try readContainer(.object, depth: depth)
        case UInt8(ascii: "["): try readContainer(.list, depth: depth)
        case UInt8(ascii: "\""): try readText()
        case UInt8(ascii: "t"): try readWord("true", .truth)
        case UInt8(ascii: "f"): try readWord("false", .lie)
        case UInt8(ascii: "n"): try readWord("null", .null)
        default: try readNumber()
        }
    }

    private mutating func add(_ kind: Kind, from start: Int, to end: Int, isEscaped: Bool = false) {
        values.append(Value(kind: kind, start: start, end: end, isEscaped: isEscaped, next: values.count + 1))
    }

    private mutating func readContainer(_ kind: Kind, depth: Int) throws(Flaw) {
        guard depth < Self.depthMax else { throw .malformed(at: place) }
        let close = UInt8(ascii: kind == .object ? "}" : "]")
        let own = values.count
        add(kind, from: place, to: place)
        place += 1
        skipSpace()
        if byte != close {
            while true {
                if kind == .object {
                    try readText()
                    skipSpace()
                    try take(UInt8(ascii: ":"))
                    skipSpace()
                }
                try readValue(depth: depth + 1)
                skipSpace()
                guard byte != close else { break }
                try take(UInt8(ascii: ","))
                skipSpace()
            }
        }
        place += 1
        values[own].end = place
        values[own].next = values.count
    }

    private mutating func take(_ expected: UInt8) throws(Flaw) {
        guard byte == expected else { throw .malformed(at: place) }
        place += 1
    }

    private mutating func readWord(_ word: StaticString, _ kind: Kind) throws(Flaw) {
        let start = place
        for index in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[index]) }
        add(kind, from: start, to: place)
    }

    private mutating func readText() throws(Flaw) {
        try take(UInt8(ascii: "\""))
        let start = place
        var (isEscaped, isPlain) = (false, true)
        while let byte, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw .malformed(at: place) }
            if byte >= 0x80 { isPlain = false }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                place += 1
            }
            place += 1
        }
        guard place < bytes.count, isPlain || String(validating: bytes[start..<place], as: UTF8.self) != nil else {
            throw .malformed(at: place)
        }
        add(.text, from: start, to: place, isEscaped: isEscaped)
        place += 1
    }

    private mutating func readNumber() throws(Flaw) {
        let start = place
        if byte == UInt8(ascii: "-") { place += 1 }
        let hasZero = byte == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole == 1 || whole > 1 && !hasZero else { throw .malformed(at: place) }
        if byte == UInt8(ascii: ".") {
            place += 1
            guard skipDigits() > 0 else { throw .malformed(at: place) }
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            place += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { place += 1 }
            guard skipDigits() > 0 else { throw .malformed(at: place) }
        }
        add(.number, from: start, to: place)
    }

    private mutating func skipDigits() -> Int {
        let start = place
        while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
        return place - start
    }
}
