// The first line of a request: method, target, version, each in its strictest form.
struct RequestLine {
    var method: EdgeMethod
    /// In origin form; `/` itself when the line has an absolute form without a path.
    var target: Range<Int>
    /// Of `target`, how much comes before the question mark.
    var pathCount: Int
    /// Of an absolute-form target; `Host` must equal it.
    var authority: Range<Int>?
    /// The absolute form has no slash behind its authority: one must be put before `target`.
    var needsSlash = false
    var isVersion11: Bool

    // `line` is without its end; positions count from its start.
    init(_ line: UnsafeRawBufferPointer) throws(EdgeRefusal) {
        guard let first = line.firstIndex(of: ByteRules.space), let last = line.lastIndex(of: ByteRules.space),
            first < last
        else { throw .malformed(.requestLine) }
        let name = UnsafeRawBufferPointer(rebasing: line[..<first])
        guard !name.isEmpty, name.allSatisfy(ByteRules.isToken) else { throw .malformed(.requestLine) }
        isVersion11 = try Self.isVersion11(UnsafeRawBufferPointer(rebasing: line[(last + 1)...]))
        guard let method = EdgeMethod(name) else { throw .methodUnknown }
        self.method = method
        target = (first + 1)..<last
        pathCount = 0
        guard !target.isEmpty else { throw .malformed(.target) }
        for byte in line[target] where !ByteRules.isTarget(byte) { throw .malformed(.target) }
        if line[target.lowerBound] != UInt8(ascii: "/") { try takeAuthority(of: line) }
        pathCount = line[target].firstIndex(of: UInt8(ascii: "?")).map { $0 - target.lowerBound } ?? target.count
        let path = UnsafeRawBufferPointer(rebasing: line[target.prefix(pathCount)])
        guard needsSlash || Self.isPlainPath(path) else { throw .malformed(.dotSegment) }
    }

    private static func isVersion11(_ text: UnsafeRawBufferPointer) throws(EdgeRefusal) -> Bool {
        guard text.count == 8, text.starts(with: "HTTP/".utf8), ByteRules.isDigit(text[5]),
            text[6] == UInt8(ascii: "."), ByteRules.isDigit(text[7])
        else { throw .malformed(.requestLine) }
        switch (text[5], text[7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): return true
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): return false
        default: throw .versionUnknown
        }
    }

    /// `http://authority/path?query`. Nothing else but the origin form: no `*`, no authority form.
    private mutating func takeAuthority(of line: UnsafeRawBufferPointer) throws(EdgeRefusal) {
        let whole = line[target]
        guard let scheme = ["http://", "https://"].first(where: { whole.starts(with: $0.utf8) }) else {
            throw .malformed(.target)
        }
        let start = target.lowerBound + scheme.utf8.count
        let rest = line[start..<target.upperBound]
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard start < end else { throw .malformed(.target) }
        authority = start..<end
        target = end..<target.upperBound
        needsSlash = target.isEmpty || line[end] != UInt8(ascii: "/")
    }

    /// Two servers must not read one path in two ways: no empty segment, no `.` or `..`, and an escape only
    /// for a byte that needs one (so none for letters, digits, `-._~`, `/`, `\` and control bytes).
    private static func isPlainPath(_ path: UnsafeRawBufferPointer) -> Bool {
        var segmentLength = -1
        var isDots = true
        var index = 0
        while index < path.count {
            let byte = path[index]
            index += 1
            switch byte {
            case UInt8(ascii: "/"):
                guard segmentLength != 0, segmentLength < 0 || !isDots else { return false }
                segmentLength = 0
                isDots = true
            case UInt8(ascii: "%"):
                guard index + 2 <= path.count, let high = ByteRules.hexValue(path[index]),
                    let low = ByteRules.hexValue(path[index + 1]), needsEscape(high << 4 | low)
                else { return false }
                index += 2
                segmentLength += 1
                isDots = false
            default:
                segmentLength += 1
                isDots = isDots && byte == UInt8(ascii: ".") && segmentLength <= 2
            }
        }
        return segmentLength <= 0 || !isDots
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        !ByteRules.isUnreserved(byte) && !ByteRules.isControl(byte) && byte != ByteRules.tab
            && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
    }
}

extension EdgeMethod {
    fileprivate init?(_ name: UnsafeRawBufferPointer) {
        func isNamed(_ text: StaticString) -> Bool {
            name.count == text.utf8CodeUnitCount && name.indices.allSatisfy { name[$0] == text.utf8Start[$0] }
        }
        let method: EdgeMethod? =
            switch name.first {
            case UInt8(ascii: "G") where isNamed("GET"): .get
            case UInt8(ascii: "P") where isNamed("POST"): .post
            case UInt8(ascii: "H") where isNamed("HEAD"): .head
            case UInt8(ascii: "P") where isNamed("PUT"): .put
            case UInt8(ascii: "P") where isNamed("PATCH"): .patch
            case UInt8(ascii: "D") where isNamed("DELETE"): .delete
            case UInt8(ascii: "O") where isNamed("OPTIONS"): .options
            default: nil
            }
        guard let method else { return nil }
        self = method
    }
}
