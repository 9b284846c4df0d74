/// Reads one cookie out of a `Cookie` header (RFC 6265 §4.2), leniently about spaces, strictly about names.
package enum CookieHeader {
    package static func value(of name: String, in header: String) -> Substring? {
        for pair in header.split(separator: ";", omittingEmptySubsequences: true) {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            guard trimmed(pair[..<equals]) == name[...] else { continue }
            return trimmed(pair[pair.index(after: equals)...])
        }
        return nil
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
