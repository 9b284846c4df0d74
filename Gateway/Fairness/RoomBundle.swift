// Everything somebody needs to check a room without trusting who runs it: a line of JSON, then binary sections.
import Foundation

package struct BundleFlaw: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

package struct RoomBundle: Sendable {
    /// Sections by name, with the length of one record each.
    package enum Section: String, Sendable, CaseIterable {
        case log, ties, moves, claims, left

        package var recordBytes: Int {
            switch self {
            case .log: ArrivalEntry.length
            case .ties, .moves, .claims: 16
            case .left: 8
            }
        }
    }

    package static let headerBytesMax = 64 << 20
    package static let sectionBytesMax = 1 << 30

    package var header: BundleHeader
    package var sections: [Section: [UInt8]]

    package init(header: BundleHeader, sections: [Section: [UInt8]]) {
        self.header = header
        self.sections = sections
    }

    /// Reads the header alone: a line of JSON without its end.
    package static func header(_ line: some Collection<UInt8>) throws(BundleFlaw) -> BundleHeader {
        let header: BundleHeader
        do {
            header = try JSONDecoder().decode(BundleHeader.self, from: Data(line))
        } catch {
            throw BundleFlaw("the header is not the JSON of a bundle: \(error)")
        }
        guard header.format == BundleHeader.format else {
            throw BundleFlaw("the format is \(header.format), not \(BundleHeader.format)")
        }
        return header
    }

    /// Reads a file. Throws when it is no bundle, or is cut short; whether its content holds is for `Audit` to say.
    package init(file: [UInt8]) throws(BundleFlaw) {
        guard let end = file.prefix(Self.headerBytesMax).firstIndex(of: UInt8(ascii: "\n")) else {
            throw BundleFlaw("there is no header line")
        }
        header = try Self.header(file[..<end])
        sections = [:]
        var start = end + 1
        for part in header.sections {
            guard let section = Section(rawValue: part.name) else {
                throw BundleFlaw("section \(part.name) is unknown")
            }
            guard sections[section] == nil else { throw BundleFlaw("section \(part.name) is there twice") }
            guard (0...Self.sectionBytesMax).contains(part.bytes), part.bytes <= file.count - start else {
                throw BundleFlaw("section \(part.name) is cut short")
            }
            sections[section] = Array(file[start..<(start + part.bytes)])
            start += part.bytes
        }
        guard start == file.count else {
            throw BundleFlaw("there are \(file.count - start) bytes after the last section")
        }
    }

    /// The bytes `init(file:)` reads; the list of sections is made here.
    package func file() throws -> [UInt8] {
        var header = header
        let parts = Section.allCases.map { (section: $0, bytes: sections[$0] ?? []) }
        header.sections = parts.map { BundleHeader.Section(name: $0.section.rawValue, bytes: $0.bytes.count) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var file = Array(try encoder.encode(header))
        file.append(UInt8(ascii: "\n"))
        for part in parts { file.append(contentsOf: part.bytes) }
        return file
    }
}
