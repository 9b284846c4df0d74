// Each promise is broken once, and the check of that promise says so.
import Checking
import Ordering
import PaymentLedger
import Testing

/// One thing that goes wrong, and the promise that must be seen broken.
struct Damage: Sendable, CustomTestStringConvertible {
    let promise: String
    let testDescription: String
    let apply: @Sendable (inout World) -> Void

    init(_ promise: String, _ what: String, _ apply: @escaping @Sendable (inout World) -> Void) {
        self.promise = promise
        testDescription = "\(promise): \(what)"
        self.apply = apply
    }
}

struct CheckTests {
    @Test func `in a world as it should be every promise is kept and something was looked at`() {
        for finding in World().findings {
            #expect(finding.isKept, "\(finding.name): \(finding.examples)")
            #expect(finding.checked > 0, "\(finding.name)")
        }
    }

    @Test(arguments: orderDamages + moneyDamages + mapDamages + roomDamages)
    func `a broken promise is seen`(damage: Damage) {
        var world = World()
        damage.apply(&world)
        #expect(world.broken.contains(damage.promise), "broken are \(world.broken.sorted())")
    }

    @Test func `an accepted order keeps its hold without a claim, and only has yet to be decided`() {
        var world = World()
        world.booking.orders[World.waiting]?.state = .processing
        world.booking.claims.removeAll { $0.order == World.waiting }
        world.booking.quotas[0].used = 2
        #expect(world.broken == ["orders.decided"])
    }

    @Test func `in a drawn room the rank says who was called, not the number`() {
        var world = World()
        world.room.ranks = [3: 1, 1: 3]
        #expect(world.broken.isEmpty)
        world.room.ranks = [2: 4, 4: 2]
        #expect(world.broken == ["rooms.passes"])
    }

    @Test func `a pass the store had lost may come back in the record`() {
        var world = World()
        world.room.entries.append(.init(at: 90_000, .restore(pass: "p3", place: 3, expiry: 200_000)))
        #expect(world.broken.isEmpty, "broken are \(world.broken.sorted())")
        // Its grant may be what the store lost.
        world.room.entries.removeAll { if case .grant("p3", _, _) = $0.kind { true } else { false } }
        #expect(world.broken.isEmpty, "broken are \(world.broken.sorted())")
    }

    @Test func `every promise is broken by some example`() {
        let damaged = Set((Self.orderDamages + Self.moneyDamages + Self.mapDamages + Self.roomDamages).map(\.promise))
        #expect(Set(World().findings.map(\.name)) == damaged)
    }

    @Test func `the first ten breaches are told, all are counted`() {
        var world = World()
        world.booking.tickets += (0..<25).map { number in
            .init(
                id: TicketID(high: 9, low: number),
                order: World.paid,
                seat: Seat(session, 0),
                number: "T0",
                state: .void
            )
        }
        let finding = world.booking.oneOwner()
        #expect(finding.breachCount == 25 && finding.examples.count == 10)
    }

    static let orderDamages: [Damage] = [
        Damage("seats.one-owner", "a seat claimed twice") {
            $0.booking.claims.append(.init(seat: Seat(session, 0), state: .pending, order: World.waiting))
        },
        Damage("seats.one-owner", "two live tickets for a seat") { world in
            world.booking.tickets[1].seat = Seat(session, 0)
        },
        Damage("seats.one-owner", "a ticket number given twice") { $0.booking.tickets[1].number = "T0" },
        Damage("seats.sold-is-paid", "a sold seat without ticket") { $0.booking.tickets.removeLast() },
        Damage("seats.sold-is-paid", "a ticket without claim") { $0.booking.claims.removeFirst() },
        Damage("seats.sold-is-paid", "a sold seat of an unpaid order") { $0.booking.claims[2].state = .sold },
        Damage("seats.sold-is-paid", "a valid ticket of an order that is not paid") {
            $0.booking.orders[World.paid]?.state = .cancelled
        },
        Damage("orders.complete", "a pending order with a lost claim") { $0.booking.claims.remove(at: 2) },
        Damage("orders.complete", "an expired order that keeps its claim") {
            $0.booking.claims.append(.init(seat: Seat(session, 5), state: .pending, order: World.expired))
        },
        Damage("orders.complete", "a paid order with a ticket still pending") {
            $0.booking.tickets[0].state = .pending
        },
        Damage("orders.complete", "an order without seats") { $0.booking.orders[World.expired]?.items = [:] },
        Damage("orders.complete", "a claim of no order") { $0.booking.orders[World.waiting] = nil },
        Damage("orders.money", "a paid order without captured money") { $0.booking.payments[0].state = .failed },
        Damage("orders.money", "captured money of an order not paid") {
            $0.booking.orders[World.paid]?.state = .confirmed
        },
        Damage("orders.money", "two live payments for one order") { world in
            var second = world.booking.payments[0]
            second.id = PaymentID(high: 5, low: 9)
            world.booking.payments.append(second)
        },
        Damage("orders.money", "less captured than the total") { $0.booking.payments[0].captured = 9999 },
        Damage("orders.money", "a total that is not the sum") {
            $0.booking.orders[World.waiting]?.total.amountMinor = 1
        },
        Damage("orders.money", "a payment of no order") { $0.booking.orders[World.expired] = nil },
        Damage("orders.decided", "an accepted order that still waits") {
            $0.booking.orders[World.waiting]?.state = .processing
        },
        Damage("payments.finished", "a payment still authorizing") { $0.booking.payments[1].state = .authorizing },
        Damage("refunds.sums", "given back more than its refunds") { $0.booking.payments[0].refunded = 3001 },
        Damage("refunds.sums", "given back more than was taken") { world in
            world.booking.payments[0].refunded = 13_000
            world.booking.refunds[0].amount = 13_000
        },
        Damage("refunds.sums", "a refund left half done") { world in
            world.booking.refunds[1].state = .submitting
            world.booking.payments[0].refunding = 5000
        },
        Damage("refunds.tickets", "a ticket given back that is good still") { world in
            world.booking.refunds[0].tickets = [world.booking.tickets[0].id]
        },
        Damage("refunds.tickets", "a ticket in two refunds") { world in
            world.booking.refunds[1].state = .pending
            for index in 0..<2 { world.booking.refunds[index].tickets = [world.booking.tickets[0].id] }
        },
        Damage("quotas.exact", "more used than claimed") { $0.booking.quotas[0].used = 4 },
        Damage("quotas.exact", "more used than allowed") { $0.booking.quotas[0].limit = 2 },
        Damage("quotas.exact", "claims without quota") { $0.booking.quotas = [] },
        Damage("outbox.complete", "a decision Redis does not show") { $0.booking.waitingProjections = 1 },
        Damage("outbox.complete", "an event that is missing") { $0.booking.orders[World.paid]?.version = 2 },
        Damage("outbox.complete", "an event with a wrong number") { $0.booking.orders[World.paid]?.lastEvent = 2 },
    ]

    static let moneyDamages: [Damage] = [
        Damage("money.same-story", "captured here, reserved there") {
            $0.intents[0] = World.intent("pi_1", for: World.payment, 10000, .requiresCapture)
        },
        Damage("money.same-story", "voided here, captured there") {
            $0.intents[1] = World.intent("pi_2", for: World.voided, 4000, .succeeded, received: 4000)
        },
        Damage("money.same-story", "another amount") {
            $0.intents[0] = World.intent("pi_1", for: World.payment, 10001, .succeeded, received: 10000)
        },
        Damage("money.same-story", "less captured there") {
            $0.intents[0] = World.intent("pi_1", for: World.payment, 10000, .succeeded, received: 9000)
        },
        Damage("money.same-story", "another payment's id") {
            $0.intents[0] = World.intent("pi_1", for: World.voided, 10000, .succeeded, received: 10000)
        },
        Damage("money.same-story", "unknown to the ledger") { $0.intents.removeFirst() },
        Damage("money.same-story", "captured without the provider's id") { $0.booking.payments[0].reference = nil },
        Damage("money.known", "money taken for a payment that does not know it") {
            $0.intents.append(World.intent("pi_3", for: World.voided, 4000, .succeeded, received: 4000))
        },
        Damage("money.known", "money taken twice for one payment") {
            $0.intents.append(World.intent("pi_3", for: World.payment, 10000, .succeeded, received: 10000))
        },
        Damage("money.no-open-authorization", "a reservation left behind") {
            $0.intents[1] = World.intent("pi_2", for: World.voided, 4000, .requiresCapture)
        },
        Damage("money.refunds", "a refund the ledger does not have") { $0.intents[0].refunds = [] },
        Damage("money.refunds", "a refund the bank sent back") { $0.intents[0].refunds[0].state = .failed },
        Damage("money.disputes", "a dispute nobody noticed") {
            $0.intents[0].dispute = .init(id: "dp_1", amount: 10_000, state: .needsResponse)
        },
        Damage("money.disputes", "a dispute that was lost and changed nothing") {
            $0.intents[0].dispute = .init(id: "dp_1", amount: 10_000, state: .lost)
        },
        Damage("money.same-sum", "a capture nobody wrote down") {
            $0.intents.append(World.intent("pi_3", for: World.voided, 100, .succeeded, received: 100))
        },
    ]

    static let mapDamages: [Damage] = [
        Damage("map.loaded", "another epoch") { $0.seats.epoch = 2 },
        Damage("map.loaded", "a seat too few") { $0.seats.letters.removeLast() },
        Damage("map.loaded", "an open session Redis does not have") {
            $0.booking.sessions.append(.init(id: SessionID(high: 1, low: 2), epoch: 1, seatCount: 1, isLoaded: true))
        },
        Damage("map.loaded", "a value that cannot be read") { $0.seats.unreadable = ["hold x is odd"] },
        Damage("map.letters", "a sold seat shown free") { $0.seats.letters[0] = UInt8(ascii: "F") },
        Damage("map.letters", "a free seat shown sold") { $0.seats.letters[6] = UInt8(ascii: "S") },
        Damage("map.letters", "a claimed seat shown free") { $0.seats.letters[2] = UInt8(ascii: "F") },
        Damage("map.letters", "a claimed seat in another hold") { $0.seats.owners[2] = World.liveHold },
        Damage("map.letters", "a seat held by nobody") { $0.seats.letters[6] = UInt8(ascii: "H") },
        Damage("map.letters", "a free seat that a hold still has") { $0.seats.owners[6] = World.liveHold },
        Damage("map.letters", "a blocked seat shown free") { $0.seats.letters[4] = UInt8(ascii: "F") },
        Damage("map.letters", "a seat pinned for an order without claim") {
            $0.seats.holds[World.liveHold]?.state = .pinned
        },
        Damage("map.holds", "a hold that lost a seat") { $0.seats.holds[World.liveHold]?.seats = [3, 6] },
        Damage("map.holds", "a pinned hold of an order that is over") {
            $0.booking.orders[World.waiting]?.state = .cancelled
        },
        Damage("map.counts", "a counter that is off") { $0.seats.counts.free = 4 },
        Damage("map.buyers", "a buyer charged for a seat too many") { $0.seats.buyers[other] = 2 },
        Damage("map.buyers", "a buyer not charged") { $0.seats.buyers[buyer] = nil },
    ]

    static let roomDamages: [Damage] = [
        Damage("rooms.places", "a number issued twice") { $0.room.placesByTag = [1, 2, 3, 3] },
        Damage("rooms.places", "a number above the last") { $0.room.placesByTag = [1, 2, 3, 5] },
        Damage("rooms.places", "a log too short") { $0.room.logBytes = 3 * 24 },
        Damage("rooms.places", "an empty leaf") { $0.room.emptyLeaves = [2] },
        Damage("rooms.places", "a cursor past the last number") { $0.room.cursor = 5 },
        Damage("rooms.passes", "two passes for a place") { world in
            world.room.entries.append(.init(at: 90_000, .grant(pass: "p4", place: 3, expiry: 95_000)))
        },
        Damage("rooms.passes", "a pass granted twice") { world in
            world.room.entries.append(.init(at: 90_000, .grant(pass: "p3", place: 4, expiry: 95_000)))
        },
        Damage("rooms.passes", "a place that was not called") { $0.room.cursor = 2 },
        Damage("rooms.passes", "another pass that came back") {
            $0.room.entries.append(.init(at: 90_000, .restore(pass: "p9", place: 3, expiry: 95_000)))
        },
        Damage("rooms.passes", "a place whose rank was not called") { $0.room.ranks = [3: 4, 4: 3] },
        Damage("rooms.passes", "another pass kept for the place") { $0.room.passes[3] = "p9" },
        Damage("rooms.record", "a live pass nobody recorded") { $0.room.active["p9"] = 200_000 },
        Damage("rooms.record", "a pass that lives longer than recorded") { $0.room.active["p3"] = 300_000 },
        Damage("rooms.record", "a recorded pass that is gone") { $0.room.active = [:] },
        Damage("rooms.record", "more recorded than granted") { $0.room.granted = 2 },
        Damage("rooms.pace", "three at once with a burst of two") { world in
            world.room.entries[3] = .init(at: 10_900, .grant(pass: "p3", place: 3, expiry: 43_000))
        },
        Damage("rooms.cap", "three live with room for two") { $0.room.entries.remove(at: 2) },
    ]
}
