// The live map: events of `GET /v1/sessions/{id}/seats/stream`. Its first event is a `SeatMapReply`.

/// `delta`: what has changed since the event before.
package struct SeatMapDelta: Codable, Sendable, Equatable {
    /// Letters of seats side by side, written `[section, row, place, letters]`: positions from 0 in the lists of the
    /// snapshot, and in the row.
    package struct Change: Codable, Sendable, Equatable {
        package var section: Int
        package var row: Int
        package var place: Int
        package var letters: String

        package init(section: Int, row: Int, place: Int, letters: String) {
            self.section = section
            self.row = row
            self.place = place
            self.letters = letters
        }

        package init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            section = try list.decode(Int.self)
            row = try list.decode(Int.self)
            place = try list.decode(Int.self)
            letters = try list.decode(String.self)
        }

        package func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(section)
            try list.encode(row)
            try list.encode(place)
            try list.encode(letters)
        }
    }

    package var changes: [Change]
    /// `[section, free seats]` of each section with changes.
    package var free: [[Int]]
    package var version: String

    package init(changes: [Change], free: [[Int]], version: String) {
        self.changes = changes
        self.free = free
        self.version = version
    }
}
