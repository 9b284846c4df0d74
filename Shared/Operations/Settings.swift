import Foundation

/// The settings of one program, read once at start: flags > environment > file > defaults.
///
/// The setting `port` of section `gateway` is the flag `--port VALUE` (or `--port=VALUE`), the variable
/// `USHER_GATEWAY_PORT`, or `{"gateway": {"port": …}}` in the JSON file named by `--config`. An unknown name or a
/// malformed value stops the start with its name; nothing falls back silently.
package struct Settings: Sendable {
    /// One setting a program knows. Names are kebab-case.
    package struct Key: Sendable {
        package let name: String
        package let standard: String?
        package let help: String

        /// `standard` is the default; `nil` makes the setting optional without a value.
        package init(_ name: String, _ standard: String?, _ help: String) {
            self.name = name
            self.standard = standard
            self.help = help
        }
    }

    package let section: String
    private var values: [String: Value] = [:]

    struct Value: Sendable {
        var text: String
        /// How the person who set it wrote it: `--port`, `USHER_GATEWAY_PORT`, `gateway.port in usher.json`.
        var origin: String
    }

    /// Reads `arguments` (without the program's name), the variables that start with `USHER_<SECTION>_`, and the file;
    /// throws a fault that names the first unknown or malformed setting.
    package static func read(
        section: String,
        keys: [Key],
        arguments: [String],
        environment: [String: String]
    ) throws(SettingsFault) -> Settings {
        var settings = Settings(section: section)
        for key in keys {
            if let standard = key.standard {
                settings.values[key.name] = Value(text: standard, origin: "the default of --\(key.name)")
            }
        }
        let known = Set(keys.map(\.name))
        let flags = try SettingsSources.flags(arguments, known: known)
        if let file = flags["config"]?.text ?? environment["USHER_\(section.uppercased())_CONFIG"] {
            settings.values.merge(try SettingsSources.file(file, section: section, known: known)) { $1 }
        }
        settings.values.merge(try SettingsSources.environment(environment, section: section, known: known)) { $1 }
        settings.values.merge(flags.filter { $0.key != "config" }) { $1 }
        return settings
    }

    /// A value that may be absent.
    package func optional(_ name: String) -> String? {
        guard let value = values[name], !value.text.isEmpty else { return nil }
        return value.text
    }

    package func string(_ name: String) throws(SettingsFault) -> String {
        guard let text = optional(name) else { throw .missing(name: "\(section).\(name)") }
        return text
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws(SettingsFault) -> Int {
        let text = try string(name)
        guard let number = Int(text), range.contains(number) else {
            throw malformed(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func boolean(_ name: String) throws(SettingsFault) -> Bool {
        switch try string(name) {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw malformed(name, "true or false")
        }
    }

    /// `250ms`, `5s`, `2m` or `1h`.
    package func duration(_ name: String, in range: ClosedRange<Duration>) throws(SettingsFault) -> Duration {
        let text = try string(name)
        let wanted = "a time such as 250ms, 5s, 2m or 1h, from \(range.lowerBound) to \(range.upperBound)"
        guard let duration = Self.duration(of: text), range.contains(duration) else { throw malformed(name, wanted) }
        return duration
    }

    /// Nil when the text is no such time.
    package static func duration(of text: some StringProtocol) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number < 1_000_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        default: return nil
        }
    }

    /// A fault in the value of `name` that the reader of the settings found out.
    package func malformed(_ name: String, _ wanted: String) -> SettingsFault {
        .malformed(origin: values[name]?.origin ?? name, value: values[name]?.text ?? "", wanted: wanted)
    }

    /// One line per setting, for `--help`.
    package static func help(program: String, purpose: String, section: String, keys: [Key]) -> String {
        let width = (keys.map(\.name.count).max() ?? 0) + 4
        let lines = keys.map { key in
            let flag = "--\(key.name)".padding(toLength: width, withPad: " ", startingAt: 0)
            return "  \(flag)\(key.help)" + (key.standard.map { " [\($0)]" } ?? "")
        }
        return """
            \(purpose)

            usage: \(program) [--config FILE] [--check-configuration] [--SETTING VALUE]…

            Each setting is a flag, a variable USHER_\(section.uppercased())_<NAME>, or "\(section)": {"<name>": …} in FILE;
            the first of these that is there counts.

            \(lines.joined(separator: "\n"))
            """
    }
}

/// Why a program does not start: one sentence that names the setting.
package enum SettingsFault: Error, Equatable, CustomStringConvertible {
    case unknown(origin: String)
    case missing(name: String)
    case malformed(origin: String, value: String, wanted: String)
    case unreadable(file: String, reason: String)

    package var description: String {
        switch self {
        case .unknown(let origin): "unknown setting \(origin); --help lists the known ones"
        case .missing(let name): "setting \(name) is required"
        case .malformed(let origin, let value, let wanted): "\(origin) is \"\(value)\"; it must be \(wanted)"
        case .unreadable(let file, let reason): "settings file \(file): \(reason)"
        }
    }
}
