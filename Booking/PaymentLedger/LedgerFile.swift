// Reads a ledger file, for the provider at its start and for whoever wants to compare its book with another.

package import Foundation
import PlainJSON

package struct LedgerFile: Sendable {
    package var ledger: Ledger
    /// How many bytes of the file are whole lines; what follows is a torn last line.
    package var wholeBytes: Int
    package var tornBytes: Int

    /// Reads the file at `path`; one that is not there is an empty ledger.
    package static func read(path: String) throws(LedgerFileFault) -> LedgerFile {
        guard FileManager.default.fileExists(atPath: path) else {
            return LedgerFile(ledger: Ledger(), wholeBytes: 0, tornBytes: 0)
        }
        let contents: Data
        do {
            contents = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(path: path, reason: error.localizedDescription)
        }
        return try read(contents, path: path)
    }

    /// Reads the contents of a ledger file; `path` is for the words of a fault.
    package static func read(_ contents: Data, path: String) throws(LedgerFileFault) -> LedgerFile {
        var ledger = Ledger()
        let decoder = JSONDecoder()
        let newline = UInt8(ascii: "\n")
        var start = contents.startIndex
        var number = 0
        while let end = contents[start...].firstIndex(of: newline) {
            number += 1
            guard let line = try? decoder.decode(LedgerLine.self, from: contents[start..<end]) else {
                throw .flawed(path: path, line: number, flaw: .unreadable)
            }
            do throws(LedgerFlaw) {
                try ledger.apply(line)
            } catch {
                throw .flawed(path: path, line: number, flaw: error)
            }
            start = contents.index(after: end)
        }
        return LedgerFile(
            ledger: ledger,
            wholeBytes: start - contents.startIndex,
            tornBytes: contents.endIndex - start
        )
    }

    /// A line as the file holds it, newline included.
    package static func bytes(of line: LedgerLine) -> Data {
        // Encoding texts, whole numbers and lists of them cannot fail.
        guard var bytes = try? PlainJSON.bytes(of: line) else {
            preconditionFailure("a ledger line is always encodable")
        }
        bytes.append(UInt8(ascii: "\n"))
        return Data(bytes)
    }
}

package enum LedgerFileFault: Error, Equatable, CustomStringConvertible, Sendable {
    case unreadable(path: String, reason: String)
    case flawed(path: String, line: Int, flaw: LedgerFlaw)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "ledger \(path) cannot be read: \(reason)"
        case .flawed(let path, let line, let flaw): "ledger \(path), line \(line): \(flaw)"
        }
    }
}
