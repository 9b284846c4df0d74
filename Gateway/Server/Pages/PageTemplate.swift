/// A page with holes: `{{name}}` takes a value, escaped; `{{#name}}…{{/name}}` is there only when the value is.
package struct PageTemplate: Sendable {
    private indirect enum Piece: Sendable {
        case text(String)
        case value(String)
        case section(String, [Piece])
    }

    package struct Flaw: Error, CustomStringConvertible {
        package let description: String
    }

    private let pieces: [Piece]

    package init(_ source: String) throws {
        var rest = source[...]
        pieces = try Self.pieces(&rest, until: nil)
    }

    package func filled(with values: [String: String]) -> String {
        var page = ""
        Self.fill(pieces, values, into: &page)
        return page
    }

    private static func fill(_ pieces: [Piece], _ values: [String: String], into page: inout String) {
        for piece in pieces {
            switch piece {
            case .text(let text): page += text
            case .value(let name): page += escaped(values[name] ?? "")
            case .section(let name, let inner):
                if values[name] != nil { fill(inner, values, into: &page) }
            }
        }
    }

    /// Safe between tags and inside a quoted attribute.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func pieces(_ rest: inout Substring, until end: String?) throws -> [Piece] {
        var pieces: [Piece] = []
        while let open = rest.range(ofText: "{{") {
            if open.lowerBound > rest.startIndex { pieces.append(.text(String(rest[..<open.lowerBound]))) }
            guard let close = rest[open.upperBound...].range(ofText: "}}") else {
                throw Flaw(description: "the template has a {{ without }}")
            }
            let name = String(rest[open.upperBound..<close.lowerBound])
            rest = rest[close.upperBound...]
            switch name.first {
            case "#":
                pieces.append(
                    .section(String(name.dropFirst()), try Self.pieces(&rest, until: String(name.dropFirst())))
                )
            case "/":
                guard end == String(name.dropFirst()) else { throw Flaw(description: "{{\(name)}} ends nothing") }
                return pieces
            default: pieces.append(.value(name))
            }
        }
        guard end == nil else { throw Flaw(description: "section \(end ?? "") has no end") }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        rest = rest[rest.endIndex...]
        return pieces
    }
}

extension Substring {
    fileprivate func range(ofText text: String) -> Range<Index>? {
        firstRange(of: text)
    }
}
