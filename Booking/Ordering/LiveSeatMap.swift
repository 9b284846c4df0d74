/// `<epoch>-<sequence>` of a session's seats.
package struct MapVersion: Sendable, Equatable, CustomStringConvertible {
    package var epoch: Int64
    package var sequence: Int64

    package init(epoch: Int64, sequence: Int64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    /// Reads the text form; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let epoch = Int64(parts[0]), let sequence = Int64(parts[1])
        else { return nil }
        self.init(epoch: epoch, sequence: sequence)
    }

    package var description: String { "\(epoch)-\(sequence)" }
}

/// One change of a session's seats, as the store's log has it.
package struct SeatChange: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        /// `F`, `H`, `S` or `B`.
        package var letter: UInt8
        package var seats: [SeatNumber]

        package init(letter: UInt8, seats: [SeatNumber]) {
            self.letter = letter
            self.seats = seats
        }
    }

    package var sequence: Int64
    /// Applied in order.
    package var steps: [Step]

    package init(sequence: Int64, steps: [Step]) {
        self.sequence = sequence
        self.steps = steps
    }
}

/// What the store's log has after a version.
package struct SeatChanges: Sendable, Equatable {
    package var epoch: Int64
    /// In order, without a gap between them; fewer than there are when there are many.
    package var changes: [SeatChange]

    package init(epoch: Int64, changes: [SeatChange]) {
        self.epoch = epoch
        self.changes = changes
    }
}

/// A session's letters as its log of changes tells them, with enough of the past to bring somebody up to date who has
/// missed some of it. Several changes become one: what was held and let go in between is not told.
package struct LiveSeatMap: Sendable {
    /// Letters of seats side by side.
    package struct Run: Sendable, Equatable {
        package var section: Int
        package var row: Int
        /// Place in the row, from 0.
        package var at: Int
        package var letters: String

        package init(section: Int, row: Int, at: Int, letters: String) {
            self.section = section
            self.row = row
            self.at = at
            self.letters = letters
        }
    }

    package struct Delta: Sendable, Equatable {
        package var version: MapVersion
        package var runs: [Run]
        /// Free seats of the sections named in `runs`.
        package var free: [Int: Int]

        package init(version: MapVersion, runs: [Run], free: [Int: Int]) {
            self.version = version
            self.runs = runs
            self.free = free
        }
    }

    private struct Place: Sendable {
        var section: UInt16
        var row: UInt16
        var at: UInt32
    }

    /// Changes of the past that are remembered.
    package static let pastMax = 10_000

    package let layout: SessionLayout
    package private(set) var version: MapVersion
    package private(set) var free: [Int]
    private var letters: [UInt8]
    private var past: [SeatChange] = []
    private let places: [Place]

    /// `nil` when the letters are not those of the layout.
    package init?(_ snapshot: SeatLetters, of layout: SessionLayout) {
        self.layout = layout
        version = MapVersion(epoch: snapshot.epoch, sequence: snapshot.sequence)
        letters = snapshot.sections.flatMap { $0.utf8.filter { $0 != UInt8(ascii: "|") } }
        guard letters.count == layout.seatCount, snapshot.sections.count == layout.sections.count else { return nil }
        free = snapshot.sections.map { $0.utf8.count { $0 == UInt8(ascii: "F") } }
        places = layout.sections.enumerated().flatMap { section, part in
            part.rows.enumerated().flatMap { row, line in
                (0..<line.count).map { Place(section: UInt16(section), row: UInt16(row), at: UInt32($0)) }
            }
        }
    }

    /// The letters as a snapshot has them.
    package var snapshot: SeatLetters {
        var seat = 0
        let sections = layout.sections.map { section in
            section.rows.map { row in
                defer { seat += row.count }
                return String(decoding: letters[seat..<seat + row.count], as: UTF8.self) + "|"
            }.joined()
        }
        return SeatLetters(epoch: version.epoch, sequence: version.sequence, sections: sections)
    }

    /// Goes on by what the log has after `version`; `nil` when it does not follow on and a snapshot is needed. A delta
    /// may be without runs.
    package mutating func apply(_ news: SeatChanges) -> Delta? {
        guard news.epoch == version.epoch, isNext(news.changes) else { return nil }
        var before: [Int: UInt8] = [:]
        for change in news.changes {
            for step in change.steps {
                for seat in step.seats where layout.contains(seat) {
                    let index = Int(seat)
                    if before[index] == nil { before[index] = letters[index] }
                    set(index, step.letter)
                }
            }
            version.sequence = change.sequence
        }
        remember(news.changes)
        return delta(of: before.filter { letters[$0.key] != $0.value }.map(\.key))
    }

    /// What somebody needs who has seen everything up to a version; `nil` when that is not known any more, or never was.
    package func delta(after seen: MapVersion) -> Delta? {
        guard seen.epoch == version.epoch, seen.sequence <= version.sequence else { return nil }
        if seen.sequence == version.sequence { return delta(of: []) }
        guard let first = past.first, first.sequence <= seen.sequence + 1 else { return nil }
        let missed = past[Int(seen.sequence + 1 - first.sequence)...]
        let seats = Set(missed.flatMap { $0.steps.flatMap(\.seats) }.filter(layout.contains))
        return delta(of: seats.map { Int($0) })
    }

    /// Adds what the log has of the time before the snapshot, up to and with its version.
    package mutating func recall(_ earlier: SeatChanges) {
        guard past.isEmpty, earlier.epoch == version.epoch, earlier.changes.last?.sequence == version.sequence else {
            return
        }
        remember(earlier.changes)
    }

    private mutating func remember(_ changes: [SeatChange]) {
        past += changes
        // In large steps, as each moves the whole.
        if past.count > 2 * Self.pastMax { past.removeFirst(past.count - Self.pastMax) }
    }

    private func isNext(_ changes: [SeatChange]) -> Bool {
        guard let first = changes.first else { return true }
        return first.sequence == version.sequence + 1
    }

    private mutating func set(_ seat: Int, _ letter: UInt8) {
        let section = Int(places[seat].section)
        if letters[seat] == UInt8(ascii: "F") { free[section] -= 1 }
        if letter == UInt8(ascii: "F") { free[section] += 1 }
        letters[seat] = letter
    }

    private func delta(of seats: [Int]) -> Delta {
        var runs: [Run] = []
        var last: Int?
        for seat in seats.sorted() {
            let place = places[seat]
            let letter = Character(Unicode.Scalar(letters[seat]))
            if let last, last + 1 == seat, place.at > 0 {
                runs[runs.count - 1].letters.append(letter)
            } else {
                let (section, row) = (Int(place.section), Int(place.row))
                runs.append(Run(section: section, row: row, at: Int(place.at), letters: String(letter)))
            }
            last = seat
        }
        var counts: [Int: Int] = [:]
        for run in runs { counts[run.section] = free[run.section] }
        return Delta(version: version, runs: runs, free: counts)
    }
}
