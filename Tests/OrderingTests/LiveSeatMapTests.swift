import Ordering
import Testing

@Suite struct LiveSeatMapTests {
    private static let layout = SessionLayout(sections: [
        .init(
            name: "A",
            area: "A",
            price: Money(100, "EUR"),
            rows: [.init(label: "1", first: 1, count: 3), .init(label: "2", first: 1, count: 3)]
        ),
        .init(name: "GA", area: "GA", price: Money(100, "EUR"), places: 4),
    ])

    private static func map(_ sections: [String] = ["FFF|FFF|", "FFFF|"], at sequence: Int64 = 5) throws -> LiveSeatMap
    {
        let letters = SeatLetters(epoch: 2, sequence: sequence, sections: sections)
        return try #require(LiveSeatMap(letters, of: layout))
    }

    private static func change(_ sequence: Int64, _ steps: (Character, [SeatNumber])...) -> SeatChange {
        SeatChange(sequence: sequence, steps: steps.map { .init(letter: $0.asciiValue ?? 0, seats: $1) })
    }

    @Test func `several changes become one, and what came to nothing is not told`() throws {
        var map = try Self.map()
        let news = SeatChanges(
            epoch: 2,
            changes: [
                Self.change(6, ("H", [1, 2, 3])), Self.change(7, ("H", [5]), ("H", [8])),
                Self.change(8, ("F", [1]), ("S", [2])),
            ]
        )
        let applied = map.apply(news)
        let delta = try #require(applied)
        #expect(delta.version == MapVersion(epoch: 2, sequence: 8))
        #expect(
            delta.runs == [
                .init(section: 0, row: 0, at: 2, letters: "S"), .init(section: 0, row: 1, at: 0, letters: "H"),
                .init(section: 0, row: 1, at: 2, letters: "H"), .init(section: 1, row: 0, at: 2, letters: "H"),
            ]
        )
        #expect(delta.free == [0: 3, 1: 3])
        #expect(map.snapshot == SeatLetters(epoch: 2, sequence: 8, sections: ["FFS|HFH|", "FFHF|"]))
        let nothing = map.apply(SeatChanges(epoch: 2, changes: []))
        #expect(nothing?.runs.isEmpty == true)
    }

    @Test func `seats side by side in a row are one run, in two rows two`() throws {
        var map = try Self.map()
        let delta = map.apply(SeatChanges(epoch: 2, changes: [Self.change(6, ("H", [1, 2, 3, 4]))]))
        #expect(
            delta?.runs == [
                .init(section: 0, row: 0, at: 1, letters: "HH"), .init(section: 0, row: 1, at: 0, letters: "HH"),
            ]
        )
    }

    @Test(arguments: [
        SeatChanges(epoch: 3, changes: []), SeatChanges(epoch: 2, changes: [SeatChange(sequence: 7, steps: [])]),
        SeatChanges(epoch: 2, changes: [SeatChange(sequence: 5, steps: [])]),
    ])
    func `what does not follow on asks for a snapshot`(news: SeatChanges) throws {
        var map = try Self.map()
        let delta = map.apply(news)
        #expect(delta == nil)
        #expect(map.version.sequence == 5)
    }

    @Test func `who comes back gets what was missed, or a snapshot when that is not known (T19)`() throws {
        var map = try Self.map(["FHF|FFF|", "FFFF|"], at: 5)
        map.recall(
            SeatChanges(epoch: 2, changes: [Self.change(4, ("H", [0])), Self.change(5, ("F", [0]), ("H", [1]))])
        )
        _ = map.apply(SeatChanges(epoch: 2, changes: [Self.change(6, ("S", [1]))]))
        func missed(_ epoch: Int64, _ sequence: Int64) -> [LiveSeatMap.Run]? {
            map.delta(after: MapVersion(epoch: epoch, sequence: sequence))?.runs
        }
        #expect(missed(2, 6) == [])
        #expect(missed(2, 5) == [.init(section: 0, row: 0, at: 1, letters: "S")])
        #expect(missed(2, 3) == [.init(section: 0, row: 0, at: 0, letters: "FS")])
        // Too old, of the future, of another epoch.
        #expect(missed(2, 2) == nil && missed(2, 7) == nil && missed(1, 5) == nil && missed(3, 5) == nil)
    }

    @Test(arguments: ["", "-", "1", "1-", "-1", "1-2-3", "a-b", "1--2", "99999999999999999999-1", "1-2 ", "+1-2"])
    func `garbage is no version (T19)`(text: String) {
        #expect(MapVersion(text) == nil)
    }

    @Test func `a version is read as it was written`() {
        #expect(MapVersion("12-345") == MapVersion(epoch: 12, sequence: 345))
        #expect(MapVersion("12-345")?.description == "12-345")
    }

    @Test func `letters of another layout make no map`() {
        #expect(LiveSeatMap(SeatLetters(epoch: 1, sequence: 0, sections: ["FFF|FFF|"]), of: Self.layout) == nil)
        #expect(LiveSeatMap(SeatLetters(epoch: 1, sequence: 0, sections: ["F|", "F|"]), of: Self.layout) == nil)
    }

    @Test func `seats sit together in a row, or in an area`() {
        #expect(Self.layout.groups(of: [0, 1, 3, 6, 9]) == [[0, 1], [3], [6, 9]])
        #expect(Self.layout.groups(of: [2, 3]) == [[2], [3]])
    }
}
