// Promises about Redis: its seats show what PostgreSQL decided.

package import Ordering

/// The seats of all sessions in Redis beside PostgreSQL's claims.
package struct MapFacts: Sendable {
    package var booking: BookingFacts
    package var seats: [SessionID: SeatFacts]

    package init(booking: BookingFacts, seats: [SessionID: SeatFacts]) {
        self.booking = booking
        self.seats = seats
    }

    package func findings() -> [Finding] { [loaded(), letters(), holds(), counts(), buyers()] }

    private static let free = UInt8(ascii: "F")
    private static let held = UInt8(ascii: "H")
    private static let sold = UInt8(ascii: "S")
    private static let blocked = UInt8(ascii: "B")

    package func loaded() -> Finding {
        var finding = Finding("map.loaded", "Redis has every open session whole and of PostgreSQL's epoch.")
        for session in booking.sessions where session.isLoaded {
            guard let seats = seats[session.id] else {
                finding.expect(false, "\(session.id) is not in Redis")
                continue
            }
            finding.expect(
                seats.epoch == session.epoch && seats.letters.count == session.seatCount,
                "\(session.id) has epoch \(seats.epoch) and \(seats.letters.count) seats in Redis, "
                    + "\(session.epoch) and \(session.seatCount) in PostgreSQL"
            )
            for fault in seats.unreadable { finding.report("\(session.id): \(fault)") }
        }
        return finding
    }

    package func letters() -> Finding {
        var finding = Finding(
            "map.letters",
            "A seat is shown sold exactly when it is, held exactly when an order or a live hold has it."
        )
        var claims: [Seat: BookingFacts.Claim] = [:]
        for claim in booking.claims { claims[claim.seat] = claim }
        for (session, seats) in seats.sorted(by: { $0.key < $1.key }) {
            for (index, letter) in seats.letters.enumerated() {
                let seat = Seat(session, SeatNumber(index))
                let fault = fault(of: seat, letter, claim: claims[seat], in: seats)
                finding.expect(fault == nil, "\(seat) is shown \(Character(Unicode.Scalar(letter))): \(fault, or: "")")
            }
        }
        return finding
    }

    private func fault(
        of seat: Seat,
        _ letter: UInt8,
        claim: BookingFacts.Claim?,
        in seats: SeatFacts
    ) -> String? {
        let owner = seats.owners[seat.number]
        switch claim?.state {
        case .sold: return letter == Self.sold ? nil : "it is sold to \(claim?.order, or: "nobody")"
        case .blocked: return letter == Self.blocked ? nil : "it is blocked"
        case .pending:
            guard let order = claim?.order.flatMap({ booking.orders[$0] }) else { return "its order does not exist" }
            guard letter == Self.held else { return "\(order.id) has claimed it" }
            return owner == order.hold ? nil : "\(order.id) has claimed it, and hold \(owner, or: "none") has it"
        case nil:
            if letter == Self.free { return owner == nil ? nil : "hold \(owner, or: "none") still has it" }
            guard letter == Self.held else { return "nobody has claimed it" }
            guard let owner, let hold = seats.holds[owner] else { return "no hold has it" }
            guard hold.seats.contains(seat.number) else { return "\(owner) does not list it" }
            // An order that was accepted has no claim until it is decided.
            let isWaiting = hold.order.flatMap { booking.orders[$0] }?.state == .processing
            guard hold.state == .pinned, !isWaiting else { return nil }
            return "\(owner), pinned for \(hold.order, or: "nobody"), has no claim of it"
        }
    }

    package func holds() -> Finding {
        var finding = Finding("map.holds", "Each hold has all of its seats, and a pinned one belongs to an open order.")
        for (session, seats) in seats.sorted(by: { $0.key < $1.key }) {
            for (id, hold) in seats.holds.sorted(by: { $0.key < $1.key }) {
                let lost = hold.seats.filter { number in
                    seats.owners[number] != id || !seats.letters.indices.contains(Int(number))
                        || seats.letters[Int(number)] != Self.held
                }
                finding.expect(lost.isEmpty, "\(id) of \(session) has lost seats \(lost)")
                guard hold.state == .pinned else { continue }
                let order = hold.order.flatMap { booking.orders[$0] }
                finding.expect(
                    order.map { $0.hold == id && !$0.state.isFinal && $0.state != .confirmed } ?? false,
                    "\(id) is pinned for \(hold.order, or: "no order"), which is \(order?.state.rawValue, or: "not there")"
                )
            }
        }
        return finding
    }

    package func counts() -> Finding {
        var finding = Finding("map.counts", "The counters of each session are what its seats add up to.")
        for (session, seats) in seats.sorted(by: { $0.key < $1.key }) {
            var counted = SeatCounts(free: 0, held: 0, pending: 0, sold: 0, blocked: 0)
            for (index, letter) in seats.letters.enumerated() {
                switch letter {
                case Self.free: counted.free += 1
                case Self.sold: counted.sold += 1
                case Self.blocked: counted.blocked += 1
                default:
                    let owner = seats.owners[SeatNumber(index)].flatMap { seats.holds[$0] }
                    if owner?.state == .pinned { counted.pending += 1 } else { counted.held += 1 }
                }
            }
            finding.expect(counted == seats.counts, "\(session) counts \(seats.counts), its seats are \(counted)")
        }
        return finding
    }

    package func buyers() -> Finding {
        var finding = Finding("map.buyers", "What counts against each buyer's limit is what they hold and have bought.")
        let sold = Dictionary(grouping: booking.claims.filter { $0.state == .sold }, by: \.seat.session)
        for (session, seats) in seats.sorted(by: { $0.key < $1.key }) {
            var counted: [AccountID: Int] = [:]
            for hold in seats.holds.values { counted[hold.account, default: 0] += hold.seats.count }
            for claim in sold[session] ?? [] {
                if let order = claim.order.flatMap({ booking.orders[$0] }) { counted[order.account, default: 0] += 1 }
            }
            for account in Set(counted.keys).union(seats.buyers.keys).sorted() {
                let (has, shown) = (counted[account] ?? 0, seats.buyers[account] ?? 0)
                finding.expect(has == shown, "\(account) has \(has) seats of \(session), counted are \(shown)")
            }
        }
        return finding
    }
}
