/// Writes values as JSON, byte for byte as Foundation's encoder does with sorted members and plain slashes, at a part of
/// its cost: straight into one buffer instead of through a tree of boxed values.
///
/// For messages of texts, numbers, truth values, lists and objects of them: types that Foundation's encoder treats in
/// a way of its own (`Date`, `Data`, `URL`, `Decimal`) are written as they write themselves.
package enum PlainJSON {
    /// How members are named.
    package enum Names: Sendable {
        case asTheyAre
        /// `amountReceived` as `amount_received`; the keys of `[String: String]` stay as they are.
        case snakeCase
    }

    package static func bytes(of value: some Encodable, names: Names = .asTheyAre) throws -> [UInt8] {
        let sheet = Sheet(names: names)
        try sheet.write(value)
        return sheet.text
    }
}

/// The text written so far, and the objects and lists in it that are not closed yet. It belongs to one call of
/// `PlainJSON` and no access is inside another one, so that they go without the runtime's checks, which took a third of
/// the time.
final class Sheet {
    /// A member of an object: where its quoted name and all of it are in the text.
    private struct Member {
        let start: Int
        let nameEnd: Int
        var end: Int
    }

    private struct Container {
        let start: Int
        let isObject: Bool
        /// Where its members begin among those of all open objects.
        let firstMember: Int
        var count = 0
    }

    @exclusivity(unchecked) private(set) var text: [UInt8] = []
    @exclusivity(unchecked) private var open: [Container] = []
    @exclusivity(unchecked) private var members: [Member] = []
    private let names: PlainJSON.Names

    init(names: PlainJSON.Names) {
        self.names = names
        text.reserveCapacity(512)
    }

    /// How many containers are open.
    var depth: Int { open.count }

    func write<Value: Encodable>(_ value: Value) throws {
        let (depth, length) = (depth, text.count)
        if names == .snakeCase, Value.self == [String: String].self, let dictionary = value as? [String: String] {
            write(dictionary)
        } else {
            try value.encode(to: PlainEncoder(sheet: self, depth: depth))
        }
        close(to: depth)
        if text.count == length { text.append(contentsOf: "{}".utf8) }
    }

    private func write(_ dictionary: [String: String]) {
        begin(isObject: true, at: depth)
        for (name, value) in dictionary.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            beginMember(name, of: depth - 1, isLiteral: true)
            write(text: value)
        }
    }

    // MARK: containers

    /// Opens a container as the value that comes next; one that the same value opened before goes on.
    func begin(isObject: Bool, at depth: Int) {
        if open.count > depth { return close(to: depth + 1) }
        open.append(Container(start: text.count, isObject: isObject, firstMember: members.count))
        text.append(UInt8(ascii: isObject ? "{" : "["))
    }

    /// What follows is the value of this member of the object at `index`.
    func beginMember(_ name: String, of index: Int, isLiteral: Bool = false) {
        close(to: index + 1)
        endMember(of: index)
        let start = text.count
        if isLiteral || names == .asTheyAre { write(text: name) } else { write(snakeCased: name) }
        members.append(Member(start: start, nameEnd: text.count, end: start))
        text.append(UInt8(ascii: ":"))
    }

    /// What follows is the next element of the list at `index`.
    func beginElement(of index: Int) {
        close(to: index + 1)
        if open[index].count > 0 { text.append(UInt8(ascii: ",")) }
        open[index].count += 1
    }

    func count(of index: Int) -> Int { open[index].count }

    func close(to depth: Int) {
        while open.count > depth {
            let container = open.removeLast()
            if container.isObject {
                if members.count > container.firstMember { members[members.count - 1].end = text.count }
                sortMembers(of: container)
                members.removeSubrange(container.firstMember...)
            }
            text.append(UInt8(ascii: container.isObject ? "}" : "]"))
        }
    }

    private func endMember(of index: Int) {
        guard members.count > open[index].firstMember else { return }
        members[members.count - 1].end = text.count
        text.append(UInt8(ascii: ","))
    }

    private func sortMembers(of object: Container) {
        let own = members[object.firstMember...]
        var isSorted = true
        text.withUnsafeBytes { text in
            for (one, next) in zip(own, own.dropFirst()) where !Self.precedes(one, next, in: text) { isSorted = false }
        }
        guard !isSorted else { return }
        let sorted = text.withUnsafeBytes { text in
            var sorted: [UInt8] = []
            sorted.reserveCapacity(text.count - object.start)
            for member in own.sorted(by: { Self.precedes($0, $1, in: text) }) {
                sorted.append(UInt8(ascii: sorted.isEmpty ? "{" : ","))
                sorted.append(contentsOf: text[member.start..<member.end])
            }
            return sorted
        }
        text.removeSubrange(object.start...)
        text.append(contentsOf: sorted)
    }

    private static func precedes(_ one: Member, _ other: Member, in text: UnsafeRawBufferPointer) -> Bool {
        // Without the quotation marks around the names.
        var (index, otherIndex) = (one.start + 1, other.start + 1)
        while index < one.nameEnd - 1, otherIndex < other.nameEnd - 1 {
            if text[index] != text[otherIndex] { return text[index] < text[otherIndex] }
            (index, otherIndex) = (index + 1, otherIndex + 1)
        }
        return one.nameEnd - one.start < other.nameEnd - other.start
    }
}

// MARK: values

extension Sheet {
    private func append(_ piece: String) { text.append(contentsOf: piece.utf8) }
    private func append(_ byte: UInt8) { text.append(byte) }
    private func append(contentsOf bytes: UnsafeBufferPointer<UInt8>) { text.append(contentsOf: bytes) }

    func writeNull() { append("null") }
    func write(truth: Bool) { append(truth ? "true" : "false") }

    func write(number: some FixedWidthInteger) {
        append(String(number))
    }

    func write(fraction: some BinaryFloatingPoint & CustomStringConvertible, at path: [any CodingKey]) throws {
        guard fraction.isFinite else {
            let context = EncodingError.Context(codingPath: path, debugDescription: "not a finite number")
            throw EncodingError.invalidValue(fraction, context)
        }
        let digits = fraction.description
        append(digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits)
    }

    func write(text value: String) {
        var value = value
        append("\"")
        value.withUTF8 { bytes in
            if !bytes.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
                append(contentsOf: bytes)
            } else {
                for byte in bytes { append(escaped: byte) }
            }
        }
        append("\"")
    }

    private func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        case 0..<0x20:
            append(byte < 0x10 ? "\\u000" : "\\u00")
            append(String(byte, radix: 16))
        default: append(byte)
        }
    }

    fileprivate func write(snakeCased name: String) {
        append("\"")
        for byte in name.utf8 {
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
                append(UInt8(ascii: "_"))
                append(byte | 0x20)
            } else {
                append(byte)
            }
        }
        append("\"")
    }
}
