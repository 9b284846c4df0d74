package import Foundation

/// Cases of aws/http-desync-guardian (Apache-2.0), read from its YAML: the few forms that its files use.
package struct DesyncCase: CustomStringConvertible, Sendable {
    package private(set) var name = ""
    package private(set) var method = "GET"
    package private(set) var tier = ""
    private var uri = "/"
    private var version = "HTTP/1.1"
    private var headers: [(name: String, value: String)] = []

    package var description: String { "\(tier): \(name)" }

    /// The bytes, with a Host where the case is not about it.
    package var bytes: [UInt8] {
        var lines = ["\(method) \(uri) \(version)"]
        if !headers.contains(where: { $0.name.lowercased().contains("host") }) { lines.append("Host: example.com") }
        lines += headers.map { "\($0.name): \($0.value)" }
        // The corpus writes bytes as the first 256 characters.
        return (lines.joined(separator: "\r\n") + "\r\n\r\n").unicodeScalars.flatMap { scalar in
            scalar.value < 256 ? [UInt8(scalar.value)] : Array(String(scalar).utf8)
        }
    }

    package static var folder: URL? {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let corpora =
            ProcessInfo.processInfo.environment["USHER_CORPORA"].map { URL(fileURLWithPath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared/corpora")
        let folder = corpora.appending(path: "http-desync-guardian")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }

    package static func all(in folder: URL) throws -> [DesyncCase] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }
            .sorted { $0.path < $1.path }
            .flatMap { cases(in: try String(contentsOf: $0, encoding: .utf8)) }
    }

    private static func cases(in yaml: String) -> [DesyncCase] {
        var cases: [DesyncCase] = []
        var isExpected = false
        for line in yaml.split(separator: "\n", omittingEmptySubsequences: true) {
            let indent = line.prefix { $0 == " " }.count
            var text = line.dropFirst(indent)
            guard !text.hasPrefix("#") else { continue }
            let startsItem = text.hasPrefix("- ")
            if startsItem { text = text.dropFirst(2) }
            guard let colon = text.firstIndex(of: ":") else { continue }
            let key = text[..<colon]
            let value = scalar(text[text.index(after: colon)...])
            if startsItem, key == "name", indent == 0 {
                cases.append(DesyncCase())
                isExpected = false
            }
            guard !cases.isEmpty else { continue }
            let last = cases.count - 1
            switch (key, indent) {
            case ("name", 0): cases[last].name = value
            case ("uri", 2): cases[last].uri = value
            case ("method", 2): cases[last].method = value
            case ("version", 2): cases[last].version = value
            case ("expected", 2): isExpected = true
            case ("tier", _) where isExpected: cases[last].tier = value
            case ("name", _) where startsItem && !isExpected: cases[last].headers.append((value, ""))
            case ("value", _) where !isExpected && !cases[last].headers.isEmpty:
                cases[last].headers[cases[last].headers.count - 1].value = value
            default: break
            }
        }
        return cases
    }

    private static func scalar(_ raw: Substring) -> String {
        let text = raw.trimmingCharacters(in: .whitespaces)
        guard let quote = text.first, quote == "\"" || quote == "'", text.count >= 2 else { return text }
        let end = text.dropFirst().lastIndex(of: quote) ?? text.endIndex
        let inner = text[text.index(after: text.startIndex)..<end]
        guard quote == "\"" else { return String(inner.replacing("''", with: "'")) }
        var out = ""
        var rest = inner.makeIterator()
        while let character = rest.next() {
            guard character == "\\", let escape = rest.next() else {
                out.append(character)
                continue
            }
            switch escape {
            case "x":
                let digits = String([rest.next(), rest.next()].compactMap { $0 })
                out.unicodeScalars.append(UnicodeScalar(UInt8(digits, radix: 16) ?? 0))
            case "u":
                let digits = String((0..<4).compactMap { _ in rest.next() })
                out.unicodeScalars.append(UInt32(digits, radix: 16).flatMap(UnicodeScalar.init) ?? " ")
            case "n": out += "\n"
            case "r": out += "\r"
            case "t": out += "\t"
            case "0": out += "\0"
            default: out.append(escape)
            }
        }
        return out
    }
}
