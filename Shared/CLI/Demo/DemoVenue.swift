import BookingDatabase
import Foundation
import Ordering

/// A large venue for load runs: a show with sessions of as many seats as asked for, all behind one room or none.
struct DemoVenue: Sendable {
    static let seatsMax = 100_000
    static let sessionsMax = 32

    private static let rowSeats = 50
    private static let sectionRows = 25
    private static let payWindow = Duration.seconds(900)
    /// Days until the first session.
    private static let daysAhead: Int64 = 60
    private static let day: Int64 = 86_400_000

    let seats: Int
    let room: String?

    /// The sessions made, in order.
    func make(_ count: Int, in catalogue: CatalogueDatabase) async throws -> [SessionID] {
        let show = Show(
            id: try WallClock.makeID(),
            title: "The Long Night",
            description: "Everybody who ever wanted a ticket.",
            venue: "The Great Arena"
        )
        let layout = Self.layout(seats: seats)
        let start = WallClock.now().milliseconds / Self.day + Self.daysAhead
        let sessions = try (0..<count).map { number in
            NewSession(session: try session(number, of: show, startDay: start), layout: layout)
        }
        try await catalogue.insert(show, sessions: sessions)
        return sessions.map(\.session.id)
    }

    private func session(_ number: Int, of show: Show, startDay: Int64) throws -> Session {
        Session(
            id: try WallClock.makeID(),
            show: show.id,
            title: "Night \(number + 1)",
            startsAt: Moment(milliseconds: (startDay + Int64(number)) * Self.day + 20 * 3_600_000),
            state: .onSale,
            room: room,
            limitPerBuyer: DemoCatalogue.limitPerBuyer,
            currency: DemoCatalogue.currency,
            payWindow: Self.payWindow,
            epoch: 0
        )
    }

    /// Sections of 25 rows of 50 seats, the last ones shorter.
    static func layout(seats: Int) -> SessionLayout {
        var sections: [SessionLayout.Section] = []
        var left = seats
        while left > 0 {
            var rows: [SessionLayout.Row] = []
            while left > 0, rows.count < sectionRows {
                rows.append(.init(label: "\(rows.count + 1)", first: 1, count: min(left, rowSeats)))
                left -= min(left, rowSeats)
            }
            let number = sections.count
            sections.append(
                .init(
                    name: "S\(number + 1)",
                    area: number % 4 == 0 ? "Front" : "Back",
                    price: Money(number % 4 == 0 ? 9500 : 4500, DemoCatalogue.currency),
                    rows: rows
                )
            )
        }
        return SessionLayout(sections: sections)
    }
}
