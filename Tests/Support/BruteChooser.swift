// The ladder of best-available seats, written down a second time: every place in every row is looked at.

package import Ordering

package struct BruteChooser {
    private struct Row {
        var number: Int
        var section: Int
        var first: SeatNumber
        var free: [Bool]
        var accessible: [Bool]

        var count: Int { free.count }
        /// Free for everybody.
        var general: [Bool] { zip(free, accessible).map { $0 && !$1 } }
    }

    private struct Block {
        var row: Int
        var at: Int
        var size: Int
    }

    private static let halvesMax = 16
    private var rows: [Row]

    /// `isFree` by seat number.
    package init(_ layout: SessionLayout, isFree: [Bool], sections: [Int]) {
        rows = []
        var (number, seat) = (0, 0)
        for (index, section) in layout.sections.enumerated() {
            for line in section.rows {
                let isWanted = sections.isEmpty || sections.contains(index)
                let row = Row(
                    number: number,
                    section: index,
                    first: SeatNumber(seat),
                    free: Array(isFree[seat..<seat + line.count]),
                    accessible: (0..<line.count).map { line.accessible.contains($0) }
                )
                if isWanted, section.kind == .seats { rows.append(row) }
                number += 1
                seat += line.count
            }
        }
    }

    /// The seats, or `nil` and how many there are.
    package func choose(_ best: BestSeats, room: Int) -> (seats: [SeatNumber]?, found: Int) {
        var wanted = best.isPartial ? min(best.quantity, room) : best.quantity
        while true {
            var copy = self
            let seats =
                best.isAccessible
                ? copy.accessible(wanted, together: best.isTogether) : copy.ladder(wanted, together: best.isTogether)
            if seats.count == wanted { return (seats.sorted(), wanted) }
            let found = best.isTogether ? wanted - 1 : seats.count
            guard best.isPartial, found >= 1 else { return (nil, found) }
            wanted = found
        }
    }

    /// Whether some row of the section has room for so many side by side that leaves nobody alone.
    package func hasLegalRun(of size: Int) -> Bool { together(size, isStrict: true) != nil }

    // MARK: The rungs

    private mutating func ladder(_ size: Int, together isTogether: Bool) -> [SeatNumber] {
        if let block = together(size, isStrict: true) ?? together(size, isStrict: false) { return take([block]) }
        if isTogether { return [] }
        if size >= 4, let pair = halves(size) { return take(pair) }
        return blocks(size)
    }

    private mutating func blocks(_ size: Int) -> [SeatNumber] {
        var seats: [SeatNumber] = []
        while seats.count < size {
            let left = size - seats.count
            let block = together(left, isStrict: true) ?? together(left, isStrict: false) ?? longest(below: left)
            guard let block else { break }
            seats += take([block])
        }
        return seats
    }

    private mutating func accessible(_ size: Int, together isTogether: Bool) -> [SeatNumber] {
        var block = accessibleBlock(size)
        if !isTogether {
            for smaller in (1..<size).reversed() where block == nil { block = accessibleBlock(smaller) }
        }
        guard let block else { return [] }
        var seats = take([block])
        seats += blocks(size - seats.count)
        while seats.count < size, let next = accessibleBlock(1) { seats += take([next]) }
        return seats
    }

    private func together(_ size: Int, isStrict: Bool) -> Block? {
        for index in rows.indices {
            if let at = place(size, in: index, isStrict: isStrict, target: rows[index].count) {
                return Block(row: index, at: at, size: size)
            }
        }
        return nil
    }

    private func halves(_ size: Int) -> [Block]? {
        let (large, small) = ((size + 1) / 2, size / 2)
        func takes(_ row: Int, _ size: Int) -> Bool { place(size, in: row, isStrict: false, target: 0) != nil }
        let fitting = rows.indices.filter { takes($0, small) }
        guard let firstLarge = fitting.first(where: { takes($0, large) }) else { return nil }
        var window = Array(fitting.prefix(Self.halvesMax))
        if !window.contains(firstLarge) { window[window.count - 1] = firstLarge }
        var best: (distance: Int, pair: [Block])?
        for (place, row) in window.enumerated() {
            if takes(row, large), let pair = halvesInRow(row, large, small) { return pair }
            guard place + 1 < window.count else { continue }
            let after = window[place + 1]
            guard takes(row, large) || takes(after, large) else { continue }
            let isElsewhere = rows[row].section != rows[after].section
            let distance = rows[after].number - rows[row].number + (isElsewhere ? 1_000_000 : 0)
            if best.map({ distance < $0.distance }) ?? true {
                let pair = takes(row, large) ? halves(row, after, large, small) : halves(after, row, large, small)
                best = (distance, pair)
            }
            if distance == 1 { break }
        }
        return best?.pair
    }

    private func halves(_ one: Int, _ other: Int, _ large: Int, _ small: Int) -> [Block] {
        func at(_ row: Int, _ size: Int, _ target: Int) -> Int {
            place(size, in: row, isStrict: true, target: target)
                ?? place(size, in: row, isStrict: false, target: target) ?? 0
        }
        let first = Block(row: one, at: at(one, large, rows[one].count), size: large)
        let shift = 2 * first.at + large - rows[one].count
        return [first, Block(row: other, at: at(other, small, rows[other].count + shift), size: small)]
    }

    private func halvesInRow(_ row: Int, _ large: Int, _ small: Int) -> [Block]? {
        let runs = Self.runs(rows[row].general)
        var best: (gap: Int, pair: [Block])?
        for left in runs.indices {
            for (size, other) in [(large, small), (small, large)] {
                for right in runs.indices where right > left {
                    guard runs[left].count >= size, runs[right].count >= other else { continue }
                    let gap = runs[right].lowerBound - runs[left].upperBound
                    guard best.map({ gap < $0.gap }) ?? true else { continue }
                    let pair = [
                        Block(row: row, at: runs[left].upperBound - size, size: size),
                        Block(row: row, at: runs[right].lowerBound, size: other),
                    ]
                    best = (gap, pair)
                }
            }
        }
        return best?.pair
    }

    private func longest(below size: Int) -> Block? {
        var best: (length: Int, distance: Int, block: Block)?
        for index in rows.indices {
            for run in Self.runs(rows[index].general) where run.count <= size {
                let distance = abs(2 * run.lowerBound + run.count - rows[index].count)
                let isBetter =
                    best.map {
                        run.count > $0.length
                            || (run.count == $0.length && $0.block.row == index && distance < $0.distance)
                    } ?? true
                guard isBetter else { continue }
                best = (run.count, distance, Block(row: index, at: run.lowerBound, size: run.count))
            }
        }
        return best?.block
    }

    private func accessibleBlock(_ size: Int) -> Block? {
        for (index, row) in rows.enumerated() where row.accessible.contains(true) {
            var best: (count: Int, distance: Int, at: Int)?
            for at in 0...max(0, row.count - size) where at + size <= row.count {
                let span = at..<at + size
                let count = row.accessible[span].count { $0 }
                guard row.free[span].allSatisfy({ $0 }), count > 0 else { continue }
                let candidate = (count, abs(2 * at + size - row.count), at)
                if best.map({ candidate < $0 }) ?? true { best = candidate }
            }
            if let best { return Block(row: index, at: best.at, size: size) }
        }
        return nil
    }

    // MARK: Steps

    /// Every place of the row, by how far its middle is from the target (both doubled).
    private func place(_ size: Int, in index: Int, isStrict: Bool, target: Int) -> Int? {
        let row = rows[index].general
        var best: (distance: Int, at: Int)?
        for at in 0..<max(0, row.count - size + 1) {
            guard row[at..<at + size].allSatisfy({ $0 }) else { continue }
            let isBad =
                Self.isAlone(at - 1, in: row, beside: at) || Self.isAlone(at + size, in: row, beside: at + size - 1)
            if isStrict, isBad { continue }
            let candidate = (abs(2 * at + size - target), at)
            if best.map({ candidate < $0 }) ?? true { best = candidate }
        }
        return best?.at
    }

    /// Whether a free seat beside a block has no other free neighbour.
    private static func isAlone(_ seat: Int, in row: [Bool], beside block: Int) -> Bool {
        guard row.indices.contains(seat), row[seat] else { return false }
        let beyond = seat + (seat - block)
        return !row.indices.contains(beyond) || !row[beyond]
    }

    private static func runs(_ free: [Bool]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, isFree) in free.enumerated() where isFree {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    private mutating func take(_ blocks: [Block]) -> [SeatNumber] {
        blocks.flatMap { block in
            (block.at..<block.at + block.size).map { index in
                rows[block.row].free[index] = false
                return rows[block.row].first + SeatNumber(index)
            }
        }
    }
}
