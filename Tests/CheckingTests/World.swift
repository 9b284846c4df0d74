// A small sale in which every promise is kept, for tests to break one thing at a time.
import Checking
import Ordering
import PaymentLedger

let session = SessionID(high: 1, low: 1)
let buyer = AccountID(high: 2, low: 1)
let other = AccountID(high: 2, low: 2)

/// Session of 8 seats: 0 and 1 sold, 2 pending, 3 held, 4 blocked, 5 to 7 free; one order each paid, waiting, expired.
struct World {
    var booking = BookingFacts()
    var intents: [PaymentIntent] = []
    var seats: SeatFacts
    var room: RoomFacts

    static let paid = OrderID(high: 3, low: 1)
    static let waiting = OrderID(high: 3, low: 2)
    static let expired = OrderID(high: 3, low: 3)
    static let paidHold = HoldID(high: 4, low: 1)
    static let waitingHold = HoldID(high: 4, low: 2)
    static let liveHold = HoldID(high: 4, low: 3)
    static let payment = PaymentID(high: 5, low: 1)
    static let voided = PaymentID(high: 5, low: 2)
    static let refund = RefundID(high: 7, low: 1)

    init() {
        seats = SeatFacts(
            session: session,
            epoch: 3,
            letters: Array("SSHHBFFF".utf8),
            counts: SeatCounts(free: 3, held: 1, pending: 1, sold: 2, blocked: 1)
        )
        room = RoomFacts(
            name: "arena",
            allowance: .init(perMinute: 60, burst: 2, activeMax: 2),
            now: 100_000
        )
        fillBooking()
        fillLedger()
        fillSeats()
        fillRoom()
    }

    private mutating func fillBooking() {
        booking.sessions = [.init(id: session, epoch: 3, seatCount: 8, isLoaded: true)]
        for (id, hold, state, items) in [
            (Self.paid, Self.paidHold, OrderState.paid, [0: 5000, 1: 5000]),
            (Self.waiting, Self.waitingHold, .pending, [2: 4000]),
            (Self.expired, HoldID(high: 4, low: 9), .expired, [5: 4000]),
        ] as [(OrderID, HoldID, OrderState, [SeatNumber: Int64])] {
            booking.orders[id] = .init(
                id: id,
                session: session,
                account: buyer,
                hold: hold,
                state: state,
                total: Money(items.values.reduce(0, +), "EUR"),
                items: items
            )
        }
        booking.claims = [
            .init(seat: Seat(session, 0), state: .sold, order: Self.paid),
            .init(seat: Seat(session, 1), state: .sold, order: Self.paid),
            .init(seat: Seat(session, 2), state: .pending, order: Self.waiting),
            .init(seat: Seat(session, 4), state: .blocked, order: nil),
        ]
        booking.tickets = (0..<2).map { number in
            .init(
                id: TicketID(high: 6, low: UInt64(number)),
                order: Self.paid,
                seat: Seat(session, SeatNumber(number)),
                number: "T\(number)",
                state: .valid
            )
        }
        booking.payments = [
            .init(
                id: Self.payment,
                order: Self.paid,
                state: .captured,
                amount: Money(10000, "EUR"),
                captured: 10000,
                reference: "pi_1"
            ),
            .init(
                id: Self.voided,
                order: Self.expired,
                state: .voided,
                amount: Money(4000, "EUR"),
                captured: 0,
                reference: "pi_2"
            ),
        ]
        // A third of the paid order's money went back, and no ticket with it.
        booking.payments[0].refunded = 3000
        booking.refunds = [
            .init(
                id: Self.refund,
                payment: Self.payment,
                kind: .staff,
                state: .succeeded,
                amount: 3000,
                tickets: []
            ),
            .init(
                id: RefundID(high: 7, low: 2),
                payment: Self.payment,
                kind: .buyer,
                state: .failed,
                amount: 5000,
                tickets: []
            ),
        ]
        booking.orders[Self.paid]?.state = .partiallyRefunded
        booking.quotas = [.init(session: session, account: buyer, used: 3, limit: 4)]
    }

    private mutating func fillLedger() {
        intents = [
            Self.intent("pi_1", for: Self.payment, 10000, .succeeded, received: 10000),
            Self.intent("pi_2", for: Self.voided, 4000, .canceled),
        ]
        intents[0].refunds = [.init(id: "re_1", amount: 3000, state: .succeeded, reason: nil, metadata: [:])]
    }

    /// As the ledger would have it.
    static func intent(
        _ id: String,
        for payment: PaymentID?,
        _ amount: Int64,
        _ state: IntentState,
        received: Int64 = 0
    ) -> PaymentIntent {
        var ledger = Ledger()
        let metadata = payment.map { ["payment": "\($0)"] } ?? [:]
        let terms = PaymentTerms(amount: amount, currency: "eur", paymentMethod: "pm_card_visa", metadata: metadata)
        var facts: [LedgerFact] = [.created(intent: id, clientSecret: "s", terms: terms)]
        if state != .requiresConfirmation {
            facts.append(.authorized(intent: id, paymentMethod: "pm_card_visa", charge: "ch"))
        }
        if state == .succeeded { facts.append(.captured(intent: id, amount: received)) }
        if state == .canceled { facts.append(.canceled(intent: id, reason: nil)) }
        guard (try? ledger.apply(LedgerLine(seq: 1, at: 0, facts: facts))) != nil, let made = ledger.intents[id] else {
            preconditionFailure("no such payment can be")
        }
        return made
    }

    private mutating func fillSeats() {
        seats.owners = [0: Self.paidHold, 1: Self.paidHold, 2: Self.waitingHold, 3: Self.liveHold]
        seats.holds = [
            Self.waitingHold: .init(state: .pinned, account: buyer, order: Self.waiting, seats: [2]),
            Self.liveHold: .init(state: .active, account: other, order: nil, seats: [3]),
        ]
        seats.buyers = [buyer: 3, other: 1]
    }

    private mutating func fillRoom() {
        room.number = 4
        room.cursor = 3
        room.placesByTag = [1, 2, 3, 4]
        room.logBytes = 4 * 24
        room.passes = [1: "p1", 2: "p2", 3: "p3"]
        room.entries = [
            .init(at: 10_000, .grant(pass: "p1", place: 1, expiry: 40_000)),
            .init(at: 10_000, .grant(pass: "p2", place: 2, expiry: 40_000)),
            .init(at: 12_000, .end(pass: "p1")),
            .init(at: 13_000, .grant(pass: "p3", place: 3, expiry: 43_000)),
            .init(at: 42_000, .renew(pass: "p3", expiry: 200_000)),
        ]
        room.active = ["p3": 200_000, "p2": 40_000]
        room.granted = 3
    }

    var findings: [Finding] {
        booking.findings() + MoneyFacts(booking: booking, intents: intents).findings()
            + MapFacts(booking: booking, seats: [session: seats]).findings() + RoomsFacts(rooms: [room]).findings()
    }

    /// Names of the promises that are broken.
    var broken: Set<String> { Set(findings.filter { !$0.isKept }.map(\.name)) }
}
