import EdgeHTTP

/// Whether a client would rather have a page than JSON, by the qualities of its `Accept` (RFC 9110 §12.5.1).
package enum AcceptHeader {
    private static let rangesMax = 32

    /// True when `text/html` is named or covered by `text/*`, and wanted at least as much as JSON. `*/*` alone, as
    /// most tools send, asks for no page.
    package static func prefersHTML(_ value: String?) -> Bool {
        guard let value else { return false }
        let ranges = value.split(atByte: ",").prefix(rangesMax).map(Range.init)
        let html = quality(ofAny: ["text/html", "text/*"], in: ranges)
        guard let html, html > 0 else { return false }
        let json = quality(ofAny: ["application/problem+json", "application/json", "application/*"], in: ranges) ?? 0
        return html >= json
    }

    /// The quality of the first name that the client gave, most exact first.
    private static func quality(ofAny names: [String], in ranges: [Range]) -> Double? {
        for name in names {
            if let range = ranges.first(where: { $0.name == name }) { return range.quality }
        }
        return nil
    }

    private struct Range {
        var name: String
        var quality: Double

        init(_ text: Substring) {
            let parts = text.split(atByte: ";").map { $0.trimmingSpaces().lowercased() }
            name = parts.first ?? ""
            let written = parts.dropFirst().first { $0.hasPrefix("q=") }
            quality = written.map { min(max(Double($0.dropFirst(2)) ?? 0, 0), 1) } ?? 1
        }
    }
}
