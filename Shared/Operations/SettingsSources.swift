// The three places a setting can come from, each read strictly.

import Foundation

enum SettingsSources {
    /// `--name value` and `--name=value`.
    static func flags(_ arguments: [String], known: Set<String>) throws(SettingsFault) -> [String: Settings.Value] {
        var found: [String: Settings.Value] = [:]
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else { throw .unknown(origin: "\"\(word)\"") }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            guard known.contains(name) || name == "config" else { throw .unknown(origin: word) }
            let origin = "--\(name)"
            if parts.count == 2 {
                found[name] = .init(text: String(parts[1]), origin: origin)
            } else if let next = rest.popFirst() {
                found[name] = .init(text: next, origin: origin)
            } else {
                throw .malformed(origin: origin, value: "", wanted: "followed by a value")
            }
        }
        return found
    }

    static func environment(
        _ variables: [String: String],
        section: String,
        known: Set<String>
    ) throws(SettingsFault) -> [String: Settings.Value] {
        let prefix = "USHER_\(section.uppercased())_"
        var found: [String: Settings.Value] = [:]
        for (variable, text) in variables where variable.hasPrefix(prefix) {
            let name = variable.dropFirst(prefix.count).lowercased().replacingOccurrences(of: "_", with: "-")
            if name == "config" { continue }
            guard known.contains(name) else { throw .unknown(origin: variable) }
            found[name] = .init(text: text, origin: variable)
        }
        return found
    }

    /// A JSON object of sections; only this program's section is looked into.
    static func file(
        _ path: String,
        section: String,
        known: Set<String>
    ) throws(SettingsFault) -> [String: Settings.Value] {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .unreadable(file: path, reason: "cannot be read")
        }
        guard let sections = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] else {
            throw .unreadable(file: path, reason: "is not a JSON object of sections")
        }
        guard let values = sections[section] else { return [:] }
        guard let members = values as? [String: Any] else {
            throw .unreadable(file: path, reason: "\"\(section)\" is not an object")
        }
        var found: [String: Settings.Value] = [:]
        for (name, value) in members {
            let origin = "\(section).\(name) in \(path)"
            guard known.contains(name) else { throw .unknown(origin: origin) }
            guard let text = scalar(value) else {
                throw .malformed(origin: origin, value: "\(value)", wanted: "a text, a number or true/false")
            }
            found[name] = .init(text: text, origin: origin)
        }
        return found
    }

    private static func scalar(_ value: Any) -> String? {
        switch value {
        case let text as String: text
        case let number as NSNumber where CFBooleanLike(number): number.boolValue ? "true" : "false"
        case let number as NSNumber: number.stringValue
        default: nil
        }
    }

    private static func CFBooleanLike(_ number: NSNumber) -> Bool {
        String(cString: number.objCType) == "c"
    }
}
