// Histories with verdicts from elsewhere: those that come with Porcupine, read from the corpora when they are there.
import Foundation
import Histories

enum PorcupineHistories {
    static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment["USHER_CORPORA"]
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let corpora =
            environment.map { URL(fileURLWithPath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared/corpora")
        let folder = corpora.appending(path: "porcupine")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    struct Flaw: Error, CustomStringConvertible {
        let description: String
    }

    /// Name and verdict of each etcd history.
    static func registerVerdicts() throws -> [(name: String, isLinearizable: Bool)] {
        guard let folder else { return [] }
        let text = try String(contentsOf: folder.appending(path: "jepsen-verdicts.tsv"), encoding: .utf8)
        return text.split(separator: "\n").dropFirst().map { line in
            let parts = line.split(separator: "\t")
            return (String(parts[0]), parts[1] == "true")
        }
    }

    static func keyValueNames() throws -> [String] {
        guard let folder else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "kv").path).sorted()
    }

    /// `INFO  jepsen.util - <process> <type> <function> <value>`. The line is the time.
    static func register(_ name: String) throws -> [HistoryOperation<RegisterModel.Input, RegisterModel.Output>] {
        guard let folder else { return [] }
        let text = try String(contentsOf: folder.appending(path: "jepsen/\(name)"), encoding: .utf8)
        var open: [String: (time: Int64, input: RegisterModel.Input)] = [:]
        var operations: [HistoryOperation<RegisterModel.Input, RegisterModel.Output>] = []
        for (time, line) in text.split(separator: "\n").enumerated() {
            guard let mark = line.firstRange(of: " - ") else { throw Flaw(description: "\(name): \(line)") }
            let parts = line[mark.upperBound...].split(maxSplits: 3) { $0 == "\t" || $0 == " " }.map(String.init)
            guard parts.count == 4 else { throw Flaw(description: "\(name): \(line)") }
            let process = parts[0]
            if parts[1] == ":invoke" {
                open[process] = (Int64(time), try input(parts[2], parts[3]))
                continue
            }
            guard let (called, input) = open.removeValue(forKey: process) else {
                throw Flaw(description: "\(name): \(line)")
            }
            let output = try output(parts[1], parts[2], parts[3].trimmingCharacters(in: .whitespaces))
            let returned = output == .unknown ? HistoryOperation<Int, Int>.never : Int64(time)
            operations.append(.init(called: called, returned: returned, input, output))
        }
        for (called, input) in open.values {
            operations.append(.init(called: called, returned: HistoryOperation<Int, Int>.never, input, .unknown))
        }
        return operations
    }

    private static func input(_ function: String, _ value: String) throws -> RegisterModel.Input {
        let numbers = value.split { !$0.isNumber }.compactMap { Int($0) }
        switch (function, numbers.count) {
        case (":read", _): return .read
        case (":write", 1): return .write(numbers[0])
        case (":cas", 2): return .compareAndSet(from: numbers[0], to: numbers[1])
        default: throw Flaw(description: "\(function) \(value)")
        }
    }

    private static func output(_ type: String, _ function: String, _ value: String) throws -> RegisterModel.Output {
        switch (type, function) {
        case (_, _) where value == ":timed-out": .unknown
        case (":ok", ":read"): .value(Int(value))
        case (":ok", _): .done
        case (":fail", ":cas"): .refused
        default: throw Flaw(description: "\(type) \(function) \(value)")
        }
    }

    /// Maps with `:process :type :f :key :value`, a line each; one history for each key.
    static func keyValue(_ name: String) throws -> [[HistoryOperation<KeyValueModel.Input, String>]] {
        guard let folder else { return [] }
        let text = try String(contentsOf: folder.appending(path: "kv/\(name)"), encoding: .utf8)
        var open: [String: (time: Int64, key: String, input: KeyValueModel.Input)] = [:]
        var byKey: [String: [HistoryOperation<KeyValueModel.Input, String>]] = [:]
        for (time, line) in text.split(separator: "\n").enumerated() {
            let fields = try fields(of: line)
            guard let process = fields["process"], let function = fields["f"], let key = fields["key"],
                let value = fields["value"]
            else { throw Flaw(description: "\(name): \(line)") }
            if fields["type"] == "invoke" {
                let input: KeyValueModel.Input =
                    switch function {
                    case "get": .get
                    case "put": .put(value)
                    default: .append(value)
                    }
                open[process] = (Int64(time), key, input)
            } else if let (called, key, input) = open.removeValue(forKey: process) {
                byKey[key, default: []].append(
                    .init(called: called, returned: Int64(time), input, input == .get ? value : "")
                )
            }
        }
        return byKey.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func fields(of line: Substring) throws -> [String: String] {
        var fields: [String: String] = [:]
        for match in line.matches(of: /:(\w+) (?:"([^"]*)"|:?([^\s,}]+))/) {
            fields[String(match.1)] = String(match.2 ?? match.3 ?? "")
        }
        return fields
    }
}
