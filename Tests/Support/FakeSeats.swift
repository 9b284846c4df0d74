// One session's seats in memory, by the rules of the seat functions in Redis.

import Ordering

struct FakeSeats {
    static let dueMax = 16
    private static let extensionsMax = 5
    private static let fencesPerEpoch: Int64 = 1_000_000_000

    private enum Letter: Character {
        case free = "F"
        case held = "H"
        case sold = "S"
        case blocked = "B"
    }

    private struct Seat {
        var letter = Letter.free
        var owner: HoldID?
        /// Of the owner.
        var account: AccountID?
    }

    let epoch: Int64
    var now = Moment(milliseconds: 0)
    private(set) var passes: [String: AccountID]
    private(set) var gone: Set<HoldID>
    private let session: SessionID
    private let layout: SessionLayout
    private var seats: [Seat]
    private var holds: [HoldID: Hold] = [:]
    private var extensions: [HoldID: Int] = [:]
    private var born: [HoldID: Moment] = [:]
    private var sequence: Int64 = 0
    private(set) var log: [SeatChange] = []
    private var logged: [Letter] = []
    private var freed: Int64 = 0
    private var served: Int64 = 0
    private var kept = Moment(milliseconds: 0)
    private var fence: Int64

    init(_ inventory: SessionInventory, passes: [String: AccountID], gone: Set<HoldID>) {
        epoch = inventory.epoch
        session = inventory.session
        layout = inventory.layout
        self.passes = passes
        self.gone = gone
        fence = inventory.epoch * Self.fencesPerEpoch
        seats = Array(repeating: Seat(), count: inventory.layout.seatCount)
        for claim in inventory.claims {
            let letter: Letter =
                switch claim.state {
                case .pending: .held
                case .sold: .sold
                case .blocked: .blocked
                }
            seats[Int(claim.seat)] = Seat(letter: letter, owner: claim.hold, account: claim.account)
        }
        logged = seats.map(\.letter)
        let pending = Dictionary(grouping: inventory.claims.filter { $0.state == .pending }, by: \.hold)
        for (id, claims) in pending.sorted(by: { "\($0.key, default: "")" < "\($1.key, default: "")" }) {
            guard let id, let account = claims[0].account, let deadline = claims[0].deadline else { continue }
            fence += 1
            holds[id] = Hold(
                id: id,
                session: session,
                account: account,
                seats: claims.map(\.seat).sorted(),
                state: .pinned,
                fence: fence,
                deadline: deadline
            )
        }
    }

    var counts: SeatCounts {
        var counts = SeatCounts(free: 0, held: 0, pending: 0, sold: 0, blocked: 0)
        for seat in seats {
            switch seat.letter {
            case .free: counts.free += 1
            case .held:
                if let owner = seat.owner, holds[owner]?.state == .active {
                    counts.held += 1
                } else {
                    counts.pending += 1
                }
            case .sold: counts.sold += 1
            case .blocked: counts.blocked += 1
            }
        }
        return counts
    }

    var letters: SeatLetters {
        var sections = layout.sections.indices.map { Array(layout.emptyString(ofSection: $0)) }
        for (number, seat) in seats.enumerated() {
            let spot = layout.spot(of: SeatNumber(number))
            sections[spot.section][spot.offset] = seat.letter.rawValue
        }
        return SeatLetters(epoch: epoch, sequence: sequence, sections: sections.map { String($0) })
    }

    // MARK: Holds

    mutating func place(_ new: NewHold) throws(HoldFailure) -> Hold {
        if let known = holds[new.id] {
            guard known.account == new.account else { throw .notFound }
            guard !hasEnded(known) else { throw .expired }
            return known
        }
        guard !gone.contains(new.id) else { throw .expired }
        if let pass = new.pass, let holder = passes[pass], holder != new.account { throw .passBound }
        guard kept <= now || freed <= served || new.isOffer else { throw .keptForWaiting }
        let room = new.limit - seats.count { $0.account == new.account }
        var asked = new.selection.quantity
        if case .best(let best) = new.selection, best.isPartial { asked = 1 }
        guard asked <= room else { throw .limitExceeded(limit: new.limit, remaining: max(0, room)) }
        let chosen = try choose(new.selection, room: room)
        fence += 1
        let hold = Hold(
            id: new.id,
            session: session,
            account: new.account,
            seats: chosen,
            state: .active,
            fence: fence,
            deadline: now + new.lifetime
        )
        for seat in hold.seats { give(seat, .held, to: hold.id, of: hold.account) }
        holds[hold.id] = hold
        born[hold.id] = now
        if let pass = new.pass { passes[pass] = new.account }
        bump()
        return hold
    }

    private func choose(_ selection: SeatSelection, room: Int) throws(HoldFailure) -> [SeatNumber] {
        let isFree = seats.map { $0.letter == .free }
        switch selection {
        case .named(let wanted, let leavesNoOrphan):
            let taken = wanted.filter { !layout.contains($0) || !isFree[Int($0)] }
            guard taken.isEmpty, !wanted.isEmpty else { throw .seatsTaken(taken) }
            let alone = leavesNoOrphan ? orphans(of: wanted, isFree) : []
            guard alone.isEmpty else { throw .orphanSeats(alone) }
            return wanted
        case .best(let best):
            let chooser = BruteChooser(layout, isFree: isFree, sections: best.sections)
            let (chosen, found) = chooser.choose(best, room: room)
            if let chosen { return chosen }
            if best.isTogether, !best.isPartial { throw .notTogether }
            throw .tooFewFree(found)
        case .areas(let wishes):
            var chosen: [SeatNumber] = []
            for wish in wishes {
                let places = seats.indices.lazy.map { SeatNumber($0) }
                    .filter { isFree[Int($0)] && layout.spot(of: $0).section == wish.section }
                chosen += places.prefix(wish.quantity)
            }
            guard chosen.count == selection.quantity else { throw .tooFewFree(chosen.count) }
            return chosen.sorted()
        }
    }

    /// Free seats that have no free neighbour after the pick and had one before.
    private func orphans(of picked: [SeatNumber], _ isFree: [Bool]) -> [SeatNumber] {
        func isOpen(_ seat: SeatNumber, _ taken: [SeatNumber]) -> Bool {
            layout.contains(seat) && isFree[Int(seat)] && !layout.isAccessible(seat) && !taken.contains(seat)
        }
        func neighbours(_ seat: SeatNumber) -> [SeatNumber] {
            [seat - 1, seat + 1].filter { other in
                guard layout.contains(other) else { return false }
                let (one, two) = (layout.spot(of: seat), layout.spot(of: other))
                return one.section == two.section && abs(one.offset - two.offset) == 1
            }
        }
        return seats.indices.map { SeatNumber($0) }.filter { seat in
            let section = layout.spot(of: seat).section
            let size = picked.count { layout.spot(of: $0).section == section }
            return layout.sections[section].kind == .seats && isOpen(seat, picked)
                && !neighbours(seat).contains { isOpen($0, picked) } && neighbours(seat).contains { isOpen($0, []) }
                && BruteChooser(layout, isFree: isFree, sections: [section]).hasLegalRun(of: size)
        }
    }

    func liveHold(_ id: HoldID) throws(HoldFailure) -> Hold {
        guard let hold = holds[id], !hasEnded(hold) else { throw .notFound }
        return hold
    }

    mutating func touch(_ id: HoldID, by account: AccountID, atLeast: Duration) throws(HoldFailure) -> Hold {
        guard var hold = holds[id] else {
            if gone.contains(id) { throw .expired }
            throw .notFound
        }
        guard hold.account == account else { throw .notFound }
        guard !hasEnded(hold) else { throw .expired }
        if hold.state == .active, hold.deadline < now + atLeast {
            guard extensions[id, default: 0] < Self.extensionsMax else { throw .expired }
            extensions[id, default: 0] += 1
            hold.deadline = now + atLeast
            holds[id] = hold
        }
        return hold
    }

    mutating func extend(_ id: HoldID, by account: AccountID, _ rule: HoldExtension) throws(HoldFailure) -> Hold {
        guard var hold = holds[id] else {
            if gone.contains(id) { throw .expired }
            throw .notFound
        }
        guard hold.account == account else { throw .notFound }
        guard !hasEnded(hold) else { throw .expired }
        let deadline = min(now + rule.lifetime, (born[id] ?? now) + rule.sinceMadeMax)
        guard hold.state == .active, extensions[id, default: 0] < rule.timesMax, deadline > hold.deadline else {
            throw .extensionsSpent
        }
        extensions[id, default: 0] += 1
        hold.deadline = deadline
        holds[id] = hold
        return hold
    }

    mutating func force(_ change: ForcedChange, _ wanted: [SeatNumber]) -> Int {
        let letter: Letter = change == .block || change == .mendBlocked ? .blocked : .free
        var skipped = 0
        var ended: [Hold] = []
        for seat in wanted {
            guard layout.contains(seat) else {
                skipped += 1
                continue
            }
            let now = seats[Int(seat)]
            let hold = now.owner.flatMap { holds[$0] }
            let isOrdered = now.letter == .held && hold?.state != .active
            let mayChange =
                switch change {
                case .block: now.letter == .free || (now.letter == .held && !isOrdered)
                case .unblock: now.letter == .blocked
                case .mendBlocked: now.letter != .blocked
                case .mendFree: now.letter == .sold || now.letter == .blocked || isOrdered
                }
            guard mayChange else {
                skipped += 1
                continue
            }
            give(seat, letter, to: nil, of: nil)
            if let hold { ended.append(hold) }
        }
        for hold in ended { end(hold) }
        if skipped < wanted.count { bump() }
        return skipped
    }

    mutating func keep(_ lasting: Duration, _ sequence: Int64?) -> Int64 {
        kept = now + lasting
        if let sequence { served = sequence }
        return self.sequence
    }

    var standing: SeatStanding {
        SeatStanding(
            epoch: epoch,
            ordered: Set(holds.values.filter { $0.state == .pinned }.flatMap(\.seats)),
            letters: seats.map { $0.letter.rawValue.asciiValue ?? 0 }
        )
    }

    mutating func release(_ id: HoldID, by account: AccountID) throws(HoldFailure) {
        guard let hold = holds[id] else { return }
        guard hold.account == account else { throw .notFound }
        guard hold.state == .active else { throw .expired }
        end(hold)
        bump()
    }

    @discardableResult
    mutating func drain(_ limit: Int) -> Int {
        let due = holds.values.filter(hasEnded).sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }.prefix(limit)
        for hold in due { end(hold) }
        if !due.isEmpty { bump() }
        return due.count
    }

    // MARK: What PostgreSQL decided

    mutating func settle(_ projection: SeatProjection) {
        let known = holds[projection.hold]
        let before = seats.map(\.letter)
        var owned: [SeatNumber] = []
        var evicted: [Hold] = []
        for seat in projection.seats where layout.contains(seat) {
            let owner = seats[Int(seat)].owner
            switch projection.outcome {
            case .free:
                if owner == projection.hold { give(seat, .free, to: nil, of: nil) }
            case .blocked:
                if owner == projection.hold { give(seat, .blocked, to: nil, of: nil) }
            case .sold, .pinned:
                if owner != projection.hold, let owner, let other = holds[owner], other.state == .active {
                    evicted.append(other)
                } else if owner != projection.hold, seats[Int(seat)].letter != .free {
                    continue
                }
                if projection.outcome != .sold, owner == projection.hold, seats[Int(seat)].letter == .sold { continue }
                let letter: Letter = projection.outcome == .sold ? .sold : .held
                give(seat, letter, to: projection.hold, of: projection.account)
                owned.append(seat)
            }
        }
        for hold in evicted { end(hold) }
        if let known { end(known, keeping: owned) }
        gone.insert(projection.hold)
        if case .pinned(let until) = projection.outcome, !owned.isEmpty {
            gone.remove(projection.hold)
            if known == nil { fence += 1 }
            holds[projection.hold] = Hold(
                id: projection.hold,
                session: session,
                account: projection.account,
                seats: owned,
                state: .pinned,
                fence: known?.fence ?? fence,
                deadline: until
            )
        }
        if before != seats.map(\.letter) { bump() }
    }

    // MARK: Steps

    /// Adds what has changed since the last time to the log.
    private mutating func bump() {
        sequence += 1
        let before = logged
        logged = seats.map(\.letter)
        let changed = seats.indices.filter { before[$0] != logged[$0] }
        if changed.contains(where: { logged[$0] == .free }) { freed = sequence }
        let steps = Dictionary(grouping: changed, by: { logged[$0].rawValue }).sorted { $0.key < $1.key }.map {
            SeatChange.Step(letter: $0.key.asciiValue ?? 0, seats: $0.value.map { SeatNumber($0) })
        }
        log.append(SeatChange(sequence: sequence, steps: steps))
    }

    private func hasEnded(_ hold: Hold) -> Bool { hold.state == .active && hold.deadline <= now }

    private mutating func give(_ seat: SeatNumber, _ letter: Letter, to owner: HoldID?, of account: AccountID?) {
        seats[Int(seat)] = Seat(letter: letter, owner: owner, account: account)
    }

    private mutating func end(_ hold: Hold, keeping kept: [SeatNumber] = []) {
        for seat in hold.seats where !kept.contains(seat) {
            let now = seats[Int(seat)]
            if now.owner == hold.id, now.letter == .held { give(seat, .free, to: nil, of: nil) }
        }
        holds[hold.id] = nil
        gone.insert(hold.id)
    }
}
