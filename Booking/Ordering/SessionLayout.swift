/// A seat's number inside a session: 0, 1, 2 … over sections, rows and seats in order. Never shown outside.
package typealias SeatNumber = Int32

/// The seats of a session and their prices. Section and row names hold letters and digits only.
package struct SessionLayout: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var label: String
        /// Number of the first seat; the next ones count up by one.
        package var first: Int
        package var count: Int
        /// Places in the row, from 0, of seats for people who need an accessible one; nobody else gets them unasked.
        package var accessible: Set<Int>

        package init(label: String, first: Int, count: Int, accessible: Set<Int> = []) {
            self.label = label
            self.first = first
            self.count = count
            self.accessible = accessible
        }
    }

    package enum Kind: String, Sendable {
        /// Rows of numbered seats, the best row first.
        case seats
        /// Places without numbers for the public, sold by count: one row of them, labelled `areaLabel`.
        case area
    }

    /// The row label in the names of an area's places: `FLOOR-ga-17`.
    package static let areaLabel = "ga"

    package struct Section: Sendable, Equatable {
        package var name: String
        package var area: String
        package var price: Money
        package var kind: Kind
        package var rows: [Row]

        package init(name: String, area: String, price: Money, kind: Kind = .seats, rows: [Row]) {
            self.name = name
            self.area = area
            self.price = price
            self.kind = kind
            self.rows = rows
        }

        /// An area of so many places.
        package init(name: String, area: String, price: Money, places: Int) {
            let row = Row(label: SessionLayout.areaLabel, first: 1, count: places)
            self.init(name: name, area: area, price: price, kind: .area, rows: [row])
        }

        package var seatCount: Int { rows.reduce(0) { $0 + $1.count } }
        package var hasAccessible: Bool { rows.contains { !$0.accessible.isEmpty } }
    }

    /// Where a seat is: its section, and its byte in the section's string (each row is followed by one `|`).
    package struct Spot: Sendable, Equatable {
        package var section: Int
        package var offset: Int

        package init(section: Int, offset: Int) {
            self.section = section
            self.offset = offset
        }
    }

    package let sections: [Section]
    private let index: [String: SeatNumber]
    private let spots: [Spot]
    private let names: [String]
    private let accessibleSeats: Set<SeatNumber>

    package init(sections: [Section]) {
        self.sections = sections
        var index: [String: SeatNumber] = [:]
        var spots: [Spot] = []
        var names: [String] = []
        var accessible: Set<SeatNumber> = []
        for (number, section) in sections.enumerated() {
            var offset = 0
            for row in section.rows {
                for seat in 0..<row.count {
                    let name = "\(section.name)-\(row.label)-\(row.first + seat)"
                    index[name] = SeatNumber(names.count)
                    if row.accessible.contains(seat) { accessible.insert(SeatNumber(names.count)) }
                    names.append(name)
                    spots.append(Spot(section: number, offset: offset + seat))
                }
                offset += row.count + 1
            }
        }
        self.index = index
        self.spots = spots
        self.names = names
        accessibleSeats = accessible
    }

    package var seatCount: Int { names.count }

    /// The inside number of `<section>-<row>-<number>`.
    package func seat(named name: String) -> SeatNumber? { index[name] }

    package func contains(_ seat: SeatNumber) -> Bool { names.indices.contains(Int(seat)) }
    package func name(of seat: SeatNumber) -> String { names[Int(seat)] }
    package func spot(of seat: SeatNumber) -> Spot { spots[Int(seat)] }
    package func section(of seat: SeatNumber) -> Section { sections[spots[Int(seat)].section] }
    package func isAccessible(_ seat: SeatNumber) -> Bool { accessibleSeats.contains(seat) }
    package func price(of seat: SeatNumber) -> Money { section(of: seat).price }

    /// The section's string with every seat free: `FFFF|FFFF|`.
    package func emptyString(ofSection number: Int) -> String {
        sections[number].rows.map { String(repeating: "F", count: $0.count) + "|" }.joined()
    }

    /// Seats (sorted) in the groups that sit together: side by side in a row, or in the same area.
    package func groups(of seats: [SeatNumber]) -> [[SeatNumber]] {
        var groups: [[SeatNumber]] = []
        for seat in seats {
            if let last = groups.last?.last, isTogether(last, seat) {
                groups[groups.count - 1].append(seat)
            } else {
                groups.append([seat])
            }
        }
        return groups
    }

    private func isTogether(_ left: SeatNumber, _ right: SeatNumber) -> Bool {
        let (one, other) = (spot(of: left), spot(of: right))
        guard one.section == other.section else { return false }
        // Between rows there is a byte that belongs to no seat.
        return sections[one.section].kind == .area || other.offset == one.offset + 1
    }
}
