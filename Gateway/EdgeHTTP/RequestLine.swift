// The first line of a request: method, target, version, each in its strictest form.
import NIOCore

struct RequestLine {
    var method: EdgeMethod
    /// Origin form.
    var target: String
    /// Of an absolute-form target; `Host` must equal it.
    var authority: String?
    var isVersion11: Bool

    init(_ line: ByteBufferView) throws(EdgeRefusal) {
        guard let first = line.firstIndex(of: ByteRules.space), let last = line.lastIndex(of: ByteRules.space),
            first < last
        else { throw .malformed(.requestLine) }
        let name = line[..<first]
        guard !name.isEmpty, name.allSatisfy(ByteRules.isToken) else { throw .malformed(.requestLine) }
        isVersion11 = try Self.isVersion11(line[(last + 1)...])
        guard let method = EdgeMethod(rawValue: String(decoding: name, as: UTF8.self)) else { throw .methodUnknown }
        self.method = method
        let raw = line[(first + 1)..<last]
        guard !raw.isEmpty, raw.allSatisfy(ByteRules.isTarget) else { throw .malformed(.target) }
        (authority, target) = try Self.parts(of: String(decoding: raw, as: UTF8.self))
        guard Self.isPlainPath(target.utf8) else { throw .malformed(.dotSegment) }
    }

    private static func isVersion11(_ text: ByteBufferView) throws(EdgeRefusal) -> Bool {
        switch String(decoding: text, as: UTF8.self) {
        case "HTTP/1.1": return true
        case "HTTP/1.0": return false
        default:
            let bytes = Array(text)
            let isVersion =
                bytes.count == 8 && bytes.starts(with: "HTTP/".utf8) && ByteRules.isDigit(bytes[5])
                && bytes[6] == UInt8(ascii: ".") && ByteRules.isDigit(bytes[7])
            throw isVersion ? .versionUnknown : .malformed(.requestLine)
        }
    }

    /// `/path?query`, or `http://authority/path?query`. Nothing else: no `*`, no authority form.
    private static func parts(of target: String) throws(EdgeRefusal) -> (authority: String?, origin: String) {
        if target.utf8.first == UInt8(ascii: "/") { return (nil, target) }
        for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
            let rest = target.utf8.dropFirst(scheme.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            let authority = String(target[rest.startIndex..<end])
            let origin = String(target[end...])
            guard !authority.isEmpty else { throw .malformed(.target) }
            return (authority, origin.hasPrefix("/") ? origin : "/" + origin)
        }
        throw .malformed(.target)
    }

    /// Two servers must not read one path in two ways: no empty segment, no `.` or `..`, and an escape only
    /// for a byte that needs one (so none for letters, digits, `-._~`, `/`, `\` and control bytes).
    private static func isPlainPath(_ target: String.UTF8View) -> Bool {
        var segmentLength = -1
        var isDots = true
        var rest = target.makeIterator()
        while let byte = rest.next(), byte != UInt8(ascii: "?") {
            switch byte {
            case UInt8(ascii: "/"):
                guard segmentLength != 0, segmentLength < 0 || !isDots else { return false }
                segmentLength = 0
                isDots = true
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(ByteRules.hexValue),
                    let low = rest.next().flatMap(ByteRules.hexValue), needsEscape(high << 4 | low)
                else { return false }
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
