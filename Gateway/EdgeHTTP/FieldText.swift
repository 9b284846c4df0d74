// Lists in text from visitors are cut at bytes. Swift's characters are grapheme clusters (UAX #29): a mark after a comma,
// or U+0600 before it, makes one character with it, and a cut at the character "," would not see it.

extension StringProtocol where SubSequence == Substring {
    /// What stands between the separators, an ASCII byte; empty pieces are left out as by `split(separator:)`.
    package func split(
        atByte separator: Unicode.Scalar,
        maxSplits: Int = .max,
        omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        let byte = UInt8(ascii: separator)
        return self[startIndex..<endIndex].utf8
            .split(separator: byte, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmptySubsequences)
            .map(Substring.init)
    }
}

extension Substring {
    /// Without the spaces and tabs at its ends (`OWS` of RFC 9110 §5.6.3).
    package func trimmingSpaces() -> Substring {
        var bytes = utf8
        while let first = bytes.first, ByteRules.isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, ByteRules.isBlank(last) { bytes.removeLast() }
        return Substring(bytes)
    }
}
