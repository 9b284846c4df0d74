import Ordering

/// The demo's venue, five shows and fifteen sessions of 400 seats. Ids are fixed, so that a tour can name them.
enum DemoCatalogue {
    static let venue = "Playhouse at the Harbour"
    static let limitPerBuyer = 4
    static let currency = "EUR"
    static let payWindow = Duration.seconds(300)

    private static let titles: [(title: String, text: String)] = [
        ("The Lighthouse Keeper", "A play for four voices and one lamp."),
        ("Night of the Cellos", "Twelve cellos, no conductor."),
        ("Paper Planets", "Puppets and planets for everyone over six."),
        ("Salt and Smoke", "A dance evening in two acts."),
        ("The Last Tram", "A comedy about being late together."),
    ]
    private static let sessionsPerShow = 3
    /// 2026-01-01, the time part of the fixed UUIDs.
    private static let epoch: UInt64 = 1_767_225_600_000

    /// The session of the tour in the README: protected by its own room.
    static let tourSession: SessionID = identifier(100 + UInt64(sessionsPerShow))
    static let tourRoom = "tour"

    private static let letters = Array("ABCDEFGHIJKLMNOPQRST").map(String.init)

    private static func rows(_ labels: ArraySlice<String>) -> [SessionLayout.Row] {
        labels.map { .init(label: $0, first: 1, count: 20) }
    }

    static let layout = SessionLayout(sections: [
        .init(name: "VIP", area: "VIP", price: Money(9500, currency), rows: rows(letters[..<4])),
        .init(name: "MAIN", area: "Main", price: Money(4500, currency), rows: rows(letters[4...])),
    ])

    /// The tour's session has accessible seats in its last row, which has a door at each end, and 100 standing places.
    static let tourLayout: SessionLayout = {
        let back = SessionLayout.Row(label: "T", first: 1, count: 20, accessible: [0, 1, 18, 19])
        return SessionLayout(sections: [
            layout.sections[0],
            .init(name: "MAIN", area: "Main", price: Money(4500, currency), rows: rows(letters[4..<19]) + [back]),
            .init(name: "FLOOR", area: "Standing", price: Money(2500, currency), places: 100),
        ])
    }()

    /// Session times are on the evenings after `now`.
    static func shows(at now: Moment) -> [(show: Show, sessions: [NewSession])] {
        titles.enumerated().map { index, words in
            let show = Show(
                id: identifier(1 + UInt64(index)),
                title: words.title,
                description: words.text,
                venue: venue
            )
            let sessions = (0..<sessionsPerShow).map { evening in
                let number = UInt64(index * sessionsPerShow + evening)
                let session = Session(
                    id: identifier(100 + number),
                    show: show.id,
                    title: "Evening \(evening + 1)",
                    startsAt: eveningStart(days: 14 + index * 7 + evening, after: now),
                    state: .onSale,
                    room: nil,
                    limitPerBuyer: limitPerBuyer,
                    currency: currency,
                    payWindow: payWindow,
                    epoch: 0
                )
                return NewSession(session: session, layout: session.id == tourSession ? tourLayout : layout)
            }
            return (show, sessions)
        }
    }

    private static func eveningStart(days: Int, after now: Moment) -> Moment {
        let day: Int64 = 86_400_000
        return Moment(milliseconds: (now.milliseconds / day + Int64(days)) * day + 19 * 3_600_000)
    }

    private static func identifier<Kind: IdentifierKind>(_ number: UInt64) -> Identifier<Kind> {
        Identifier(high: epoch << 16 | 0x7000, low: 0x8000_0000_0000_0000 | number)
    }
}
