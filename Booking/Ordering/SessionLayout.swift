/// A seat's number inside a session: 0, 1, 2 … over sections, rows and seats in order. Never shown outside.
package typealias SeatNumber = Int32

/// The seats of a session and their prices. Section and row names hold letters and digits only.
package struct SessionLayout: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var label: String
        /// Number of the first seat; the next ones count up by one.
        package var first: Int
        package var count: Int

        package init(label: String, first: Int, count: Int) {
            self.label = label
            self.first = first
            self.count = count
        }
    }

    package struct Section: Sendable, Equatable {
        package var name: String
        package var area: String
        package var price: Money
        package var rows: [Row]

        package init(name: String, area: String, price: Money, rows: [Row]) {
            self.name = name
            self.area = area
            self.price = price
            self.rows = rows
        }

        package var seatCount: Int { rows.reduce(0) { $0 + $1.count } }
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

    package init(sections: [Section]) {
        self.sections = sections
        var index: [String: SeatNumber] = [:]
        var spots: [Spot] = []
        var names: [String] = []
        for (number, section) in sections.enumerated() {
            var offset = 0
            for row in section.rows {
                for seat in 0..<row.count {
                    let name = "\(section.name)-\(row.label)-\(row.first + seat)"
                    index[name] = SeatNumber(names.count)
                    names.append(name)
                    spots.append(Spot(section: number, offset: offset + seat))
                }
                offset += row.count + 1
            }
        }
        self.index = index
        self.spots = spots
        self.names = names
    }

    package var seatCount: Int { names.count }

    /// The inside number of `<section>-<row>-<number>`.
    package func seat(named name: String) -> SeatNumber? { index[name] }

    package func contains(_ seat: SeatNumber) -> Bool { names.indices.contains(Int(seat)) }
    package func name(of seat: SeatNumber) -> String { names[Int(seat)] }
    package func spot(of seat: SeatNumber) -> Spot { spots[Int(seat)] }
    package func section(of seat: SeatNumber) -> Section { sections[spots[Int(seat)].section] }
    package func price(of seat: SeatNumber) -> Money { section(of: seat).price }

    /// The section's string with every seat free: `FFFF|FFFF|`.
    package func emptyString(ofSection number: Int) -> String {
        sections[number].rows.map { String(repeating: "F", count: $0.count) + "|" }.joined()
    }
}
