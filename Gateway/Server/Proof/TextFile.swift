// Texts in a file, one JSON string a line: what is added to is never rewritten, but for a loss of the store.
import Foundation

/// Calls block; they come from threads that may.
struct TextFile {
    let path: String
    private(set) var texts: [String] = []
    private var isWhole = true

    /// What a crash left of a line at the end is passed over.
    init(path: String) throws {
        self.path = path
        guard let bytes = FileManager.default.contents(atPath: path) else { return }
        let decoder = JSONDecoder()
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        texts = lines.compactMap { try? decoder.decode(String.self, from: Data($0)) }
        isWhole = texts.count == lines.count && bytes.last ?? UInt8(ascii: "\n") == UInt8(ascii: "\n")
    }

    mutating func append(_ fresh: [String], max: Int) throws {
        guard !fresh.isEmpty else { return }
        guard isWhole, texts.count + fresh.count <= max, let file = FileHandle(forWritingAtPath: path) else {
            return try replace(Array((texts + fresh).suffix(max - max / 10)))
        }
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: try Self.lines(fresh))
        texts += fresh
    }

    mutating func replace(_ all: [String]) throws {
        try Self.lines(all).write(to: URL(filePath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        texts = all
        isWhole = true
    }

    private static func lines(_ texts: [String]) throws -> Data {
        let encoder = JSONEncoder()
        return try texts.reduce(into: Data()) { data, text in
            data += try encoder.encode(text)
            data.append(UInt8(ascii: "\n"))
        }
    }
}
