// Where the seats of a session are, as the seat functions keep it: strings of fixed records, big endian.

import Ordering
import Redis

struct LayoutImage {
    private enum RowKind: UInt8 { case seats, withAccessible, area }

    /// Per section its mask (empty without accessible seats), then the strings `at`, `rows`, `secs`, `accrows`.
    let arguments: [RedisArgument]

    init(_ layout: SessionLayout) {
        var (at, rows, sections, accessibleRows): ([UInt8], [UInt8], [UInt8], [UInt8]) = ([], [], [], [])
        var masks: [RedisArgument] = []
        var (row, seat): (UInt32, UInt32) = (0, 0)
        at.reserveCapacity(layout.seatCount * 4)
        for (number, section) in layout.sections.enumerated() {
            sections.appendBigEndian(row)
            sections.appendBigEndian(UInt32(section.rows.count))
            var offset: UInt32 = 0
            for line in section.rows {
                let kind = Self.kind(of: line, in: section)
                rows.appendBigEndian(UInt16(number))
                rows.appendBigEndian(offset)
                rows.appendBigEndian(UInt32(line.count))
                rows.appendBigEndian(seat)
                rows.appendBigEndian(kind.rawValue)
                if kind == .withAccessible { accessibleRows.appendBigEndian(row) }
                for _ in 0..<line.count { at.appendBigEndian(row) }
                offset += UInt32(line.count) + 1
                seat += UInt32(line.count)
                row += 1
            }
            masks.append(.bytes(Self.mask(of: section)))
        }
        arguments = masks + [.bytes(at), .bytes(rows), .bytes(sections), .bytes(accessibleRows)]
    }

    private static func kind(of row: SessionLayout.Row, in section: SessionLayout.Section) -> RowKind {
        if section.kind == .area { return .area }
        return row.accessible.isEmpty ? .seats : .withAccessible
    }

    private static func mask(of section: SessionLayout.Section) -> [UInt8] {
        guard section.hasAccessible else { return [] }
        return section.rows.flatMap { row in
            (0..<row.count).map { row.accessible.contains($0) ? UInt8(ascii: "A") : UInt8(ascii: ".") }
                + [UInt8(ascii: "|")]
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
