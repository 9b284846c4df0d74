import HTTPTypes
import Hummingbird

/// What a client would like, and may get (RFC 7240).
enum Preference {
    static let respondAsync = "respond-async"

    /// Whether the values of the `Prefer` fields of one request name a preference without a value. Names ignore case,
    /// parameters after a semicolon count for nothing, and what is quoted is no name.
    static func isNamed(_ name: String, in fields: [String]) -> Bool {
        fields.contains { field in
            preferences(in: field).contains { preference in
                let words = preference.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                guard let first = words.first, trimmed(first).lowercased() == name else { return false }
                // An empty value is as none.
                return words.count == 1 || ["", "\"\""].contains(trimmed(words[1]))
            }
        }
    }

    /// The field cut at its commas, but not at those within quotes.
    private static func preferences(in field: String) -> [Substring] {
        var isQuoted = false
        var isEscaped = false
        return field.split { character in
            defer { isEscaped = isQuoted && character == "\\" && !isEscaped }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            return character == "," && !isQuoted
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}

extension Request {
    /// The client would rather be answered at once than hear how it ended.
    var prefersAsync: Bool { Preference.isNamed(Preference.respondAsync, in: headers[values: .prefer]) }
}
