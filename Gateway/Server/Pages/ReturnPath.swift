/// The page a visitor first asked for, carried through forms. Only a plain path on this host is ever gone back to.
package enum ReturnPath {
    package static let bytesMax = 1024

    package static func checked(_ text: String?) -> String? {
        guard let text, text.utf8.count <= bytesMax, text.utf8.first == UInt8(ascii: "/") else { return nil }
        // `//host` and `/\host` lead elsewhere.
        let second = text.utf8.dropFirst().first
        guard second != UInt8(ascii: "/"), second != UInt8(ascii: "\\") else { return nil }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
        // Back to a form's own address would be a page that is none.
        guard !text.hasPrefix("/usher/") else { return nil }
        return text
    }
}
