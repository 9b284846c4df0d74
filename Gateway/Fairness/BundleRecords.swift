// A bundle's sections as values.

/// A move of the cursor: from `milliseconds` on, ranks up to `cursor` are called.
package struct CursorMove: Sendable, Hashable {
    package var cursor: UInt64
    package var milliseconds: Int64

    package init(cursor: UInt64, milliseconds: Int64) {
        self.cursor = cursor
        self.milliseconds = milliseconds
    }
}

/// A pass granted to a place.
package struct GrantedClaim: Sendable, Hashable {
    package var number: UInt64
    package var milliseconds: Int64

    package init(number: UInt64, milliseconds: Int64) {
        self.number = number
        self.milliseconds = milliseconds
    }
}

/// Numbers of one tie window.
package struct TiedNumbers: Sendable, Hashable {
    package var first: UInt64
    package var count: UInt64

    package init(first: UInt64, count: UInt64) {
        self.first = first
        self.count = count
    }
}

extension RoomBundle {
    package var entries: [ArrivalEntry] { records(.log) { ArrivalEntry(in: $0, at: $1) } }

    package var ties: [TiedNumbers] {
        records(.ties) { TiedNumbers(first: $0.bigEndian(at: $1), count: $0.bigEndian(at: $1 + 8)) }
    }

    package var moves: [CursorMove] {
        records(.moves) { CursorMove(cursor: $0.bigEndian(at: $1), milliseconds: $0.bigEndian(at: $1 + 8)) }
    }

    package var claims: [GrantedClaim] {
        records(.claims) { GrantedClaim(number: $0.bigEndian(at: $1), milliseconds: $0.bigEndian(at: $1 + 8)) }
    }

    package var left: [UInt64] { records(.left) { $0.bigEndian(at: $1) } }

    private func records<Record>(
        _ section: Section,
        _ read: (UnsafeRawBufferPointer, Int) -> Record
    ) -> [Record] {
        (sections[section] ?? []).withUnsafeBytes { bytes in
            let length = section.recordBytes
            return stride(from: 0, through: bytes.count - length, by: length).map { read(bytes, $0) }
        }
    }

    package mutating func setEntries(_ entries: [ArrivalEntry]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * ArrivalEntry.length)
        for entry in entries { entry.append(to: &bytes) }
        sections[.log] = bytes
    }

    package mutating func set(
        ties: [TiedNumbers] = [],
        moves: [CursorMove] = [],
        claims: [GrantedClaim] = [],
        left: [UInt64] = []
    ) {
        sections[.ties] = Self.bytes(ties) { [$0.first, $0.count] }
        sections[.moves] = Self.bytes(moves) { [$0.cursor, UInt64(bitPattern: $0.milliseconds)] }
        sections[.claims] = Self.bytes(claims) { [$0.number, UInt64(bitPattern: $0.milliseconds)] }
        sections[.left] = Self.bytes(left) { [$0] }
    }

    private static func bytes<Record>(_ records: [Record], _ words: (Record) -> [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records {
            for word in words(record) { bytes.append(bigEndian: word) }
        }
        return bytes
    }
}
