// Best-available seats, area places, and the rule for seats picked by hand, on maps drawn in the tests.

import Ordering
import TestSupport
import Testing

/// Rows as text: `F` free, `f` free and accessible, `x` taken; rows parted by `|`.
private struct Drawing {
    var layout: SessionLayout
    var claims: [SessionInventory.Claim] = []

    init(_ sections: [String], places: Int = 0) {
        var parts: [SessionLayout.Section] = []
        var seat: SeatNumber = 0
        for (index, text) in sections.enumerated() {
            var rows: [SessionLayout.Row] = []
            for (number, row) in text.split(separator: "|").enumerated() {
                let accessible = row.enumerated().filter { $0.element == "f" }.map(\.offset)
                rows.append(.init(label: "\(number + 1)", first: 1, count: row.count, accessible: Set(accessible)))
                for letter in row {
                    if letter == "x" { claims.append(Self.blocked(seat)) }
                    seat += 1
                }
            }
            let name = String(Array("ABCDEF")[index])
            parts.append(.init(name: name, area: name, price: Money(100, "EUR"), rows: rows))
        }
        if places > 0 { parts.append(.init(name: "GA", area: "GA", price: Money(100, "EUR"), places: places)) }
        layout = SessionLayout(sections: parts)
    }

    static func blocked(_ seat: SeatNumber) -> SessionInventory.Claim {
        .init(seat: seat, state: .blocked, order: nil, hold: nil, account: nil, deadline: nil)
    }
}

@Suite struct ChoosingTests {
    struct Rung: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var map: [String]
        var best: BestSeats
        var names: [String]

        init(_ what: String, _ map: [String], _ best: BestSeats, _ names: [String]) {
            (testDescription, self.map, self.best, self.names) = (what, map, best, names)
        }
    }

    static let rungs: [Rung] = [
        .init("centre of the best row", ["FFFFFFFF|FFFFFFFF"], .init(quantity: 2), ["A-1-4", "A-1-5"]),
        .init("a filled run before a broken one", ["FFFxFFxx"], .init(quantity: 2), ["A-1-5", "A-1-6"]),
        .init("a worse row before an orphan", ["FFFx|FFFF"], .init(quantity: 2), ["A-2-1", "A-2-2"]),
        .init("an orphan where nothing else fits", ["FFFx|xFFF"], .init(quantity: 2), ["A-1-2", "A-1-3"]),
        .init("a single seat that is single already", ["FFFFFx|FxFFFF"], .init(quantity: 1), ["A-1-3"]),
        .init("halves in one row", ["FFFxFFF"], .init(quantity: 4), ["A-1-2", "A-1-3", "A-1-5", "A-1-6"]),
        .init(
            "halves in neighbouring rows",
            ["FFxx|xxxx|xFFx|xxFF"],
            .init(quantity: 4),
            ["A-3-2", "A-3-3", "A-4-3", "A-4-4"]
        ),
        .init(
            "five is three and two",
            ["FFFxx|xFFxx"],
            .init(quantity: 5),
            ["A-1-1", "A-1-2", "A-1-3", "A-2-2", "A-2-3"]
        ),
        .init(
            "three and one when two and two cannot be",
            ["FFFxF"],
            .init(quantity: 4),
            ["A-1-1", "A-1-2", "A-1-3", "A-1-5"]
        ),
        .init("three is two and one", ["FxFFx"], .init(quantity: 3), ["A-1-1", "A-1-3", "A-1-4"]),
        .init("single seats at last", ["FxF|xFx"], .init(quantity: 3), ["A-1-1", "A-1-3", "A-2-2"]),
        .init("only the section asked for", ["FFFF", "FFFF"], .init(quantity: 2, sections: [1]), ["B-1-1", "B-1-2"]),
        .init("partial takes what there is", ["FxF"], .init(quantity: 4, isPartial: true), ["A-1-1", "A-1-3"]),
        .init(
            "partial is chosen for its size",
            ["FxxxFF"],
            .init(quantity: 3, isPartial: true),
            ["A-1-1", "A-1-5", "A-1-6"]
        ),
        .init("accessible seats are not given unasked", ["ffff|FFFF"], .init(quantity: 2), ["A-2-1", "A-2-2"]),
        .init(
            "one accessible seat and a neighbour",
            ["FFFFFF|FFFFff"],
            .init(quantity: 2, isAccessible: true),
            ["A-2-4", "A-2-5"]
        ),
        .init(
            "an accessible seat and others elsewhere",
            ["xFFx|fxxx"],
            .init(quantity: 3, isAccessible: true),
            ["A-1-2", "A-1-3", "A-2-1"]
        ),
    ]

    @Test(arguments: Subject.allCases, rungs)
    func `the best seats are chosen rung by rung`(_ subject: Subject, _ rung: Rung) async throws {
        let drawing = Drawing(rung.map)
        try await withHolds(subject, layout: drawing.layout, claims: drawing.claims) { world in
            let hold = try await world.choose(.best(rung.best), limit: 50)
            #expect(hold.seats.map { world.layout.name(of: $0) } == rung.names)
        }
    }

    @Test(arguments: Subject.allCases)
    func `what cannot be had is refused with what there is`(_ subject: Subject) async throws {
        let drawing = Drawing(["FFxF|xxxx", "xxxx"], places: 3)
        try await withHolds(subject, layout: drawing.layout, claims: drawing.claims) { world in
            await expectRefusal(.tooFewFree(3)) { try await world.choose(.best(.init(quantity: 4))) }
            await expectRefusal(.notTogether) {
                try await world.choose(.best(.init(quantity: 3, isTogether: true)))
            }
            await expectRefusal(.tooFewFree(0)) {
                try await world.choose(.best(.init(quantity: 1, sections: [1], isPartial: true)))
            }
            await expectRefusal(.tooFewFree(0)) {
                try await world.choose(.best(.init(quantity: 1, isAccessible: true)))
            }
            await expectRefusal(.tooFewFree(3)) { try await world.choose(.areas([.init(section: 2, quantity: 4)])) }
            await expectRefusal(.limitExceeded(limit: 2, remaining: 2)) {
                try await world.choose(.best(.init(quantity: 3)), limit: 2)
            }
            #expect(try await world.counts().free == 6)
            let partial = try await world.choose(.best(.init(quantity: 4, isPartial: true)), limit: 2)
            #expect(partial.seats == [0, 1])
        }
    }

    @Test(arguments: Subject.allCases)
    func `places of areas are given by count, all or none`(_ subject: Subject) async throws {
        let drawing = Drawing(["FFFF"], places: 5)
        try await withHolds(subject, layout: drawing.layout, claims: drawing.claims) { world in
            let first = try await world.choose(.areas([.init(section: 1, quantity: 2)]))
            #expect(first.seats.map { world.layout.name(of: $0) } == ["GA-ga-1", "GA-ga-2"])
            #expect(world.layout.groups(of: first.seats).count == 1)
            let second = try await world.choose(.areas([.init(section: 1, quantity: 2)]))
            try await world.store.release(first.id, in: world.session, by: first.account)
            let third = try await world.choose(.areas([.init(section: 1, quantity: 3)]))
            #expect(third.seats.map { world.layout.name(of: $0) } == ["GA-ga-1", "GA-ga-2", "GA-ga-5"])
            #expect(second.seats.count == 2)
            #expect(try await world.letters().last == "HHHHH|")
            let seat = try await world.choose(.best(.init(quantity: 1)))
            #expect(world.layout.name(of: seat.seats[0]) == "A-1-1")
        }
    }

    @Test(
        arguments: Subject.allCases,
        [
            (map: "FFFFF", pick: [1], alone: [0]), (map: "FFFFF", pick: [1, 2], alone: [0]),
            (map: "FFFFF", pick: [0, 2], alone: [1]), (map: "FFFFF", pick: [2], alone: []),
            (map: "FFFFF", pick: [0], alone: []), (map: "FxFFF", pick: [2], alone: []),
            // No other two leave nobody alone.
            (map: "FFF", pick: [0, 1], alone: []), (map: "FFFxFF", pick: [0, 1], alone: [2]),
            // An accessible seat keeps nobody company.
            (map: "fFFFF", pick: [2], alone: [1]),
        ] as [(map: String, pick: [SeatNumber], alone: [SeatNumber])]
    )
    func `a pick that leaves a seat alone is refused while another would not`(
        _ subject: Subject,
        _ given: (map: String, pick: [SeatNumber], alone: [SeatNumber])
    ) async throws {
        let drawing = Drawing([given.map])
        try await withHolds(subject, layout: drawing.layout, claims: drawing.claims) { world in
            let failure = await refusal { try await world.choose(.named(given.pick, leavesNoOrphan: true)) }
            #expect(failure == (given.alone.isEmpty ? nil : .orphanSeats(given.alone)))
            guard failure != nil else { return }
            let free = try await world.choose(.named(given.pick, leavesNoOrphan: false))
            #expect(free.seats == given.pick)
        }
    }

    @Test(arguments: Subject.allCases)
    func `the same id gives the seats that were chosen first`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let first = try await world.choose(.best(.init(quantity: 2)))
            let again = try await world.choose(.best(.init(quantity: 2)), id: first.id, by: first.account)
            #expect(again == first)
            #expect(try await world.counts().held == 2)
        }
    }
}
