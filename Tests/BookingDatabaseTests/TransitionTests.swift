import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

/// Every step of the saga tried in every situation: the legal moves, and that all others change nothing.
@Suite struct TransitionTests {
    enum Situation: String, CaseIterable, Sendable {
        case pending, authorizing, requiresAction, unknown, declined, capturing, paid, captureImpossible, voiding
        case abandoning, abandoned, voided, cancelled, expired, stray, strayPaid, adopted, refunded
    }

    enum Step: String, CaseIterable, Sendable {
        case begin, noAnswer, action, decline, confirm, captured, captureImpossible, beginVoid, abandon, voided, cancel
        case expire, stray, strayMoney, adopt, refund
    }

    struct States: Equatable, CustomStringConvertible {
        var order: OrderState
        var payment: PaymentState?

        var description: String { "\(order)/\(payment.map { "\($0)" } ?? "-")" }
    }

    private static func states(_ order: OrderState, _ payment: PaymentState?) -> States {
        States(order: order, payment: payment)
    }

    /// The legal moves; a pair that is not here changes nothing.
    private static let waiting: [Step: States] = [
        .decline: states(.pending, .failed), .confirm: states(.confirmed, .capturing),
        .beginVoid: states(.expired, .voiding), .abandon: states(.authorizing, .voiding),
        .stray: states(.pending, .stray), .strayMoney: states(.pending, .stray),
    ]
    private static let payable: [Step: States] = [.begin: states(.authorizing, .authorizing)]

    private static func over(_ order: OrderState) -> [Step: States] {
        [.stray: states(order, .stray), .strayMoney: states(order, .stray)]
    }

    /// The legal moves; a pair that is not here changes nothing.
    private static let legal: [Situation: [Step: States]] = [
        .pending: payable.merging([.cancel: states(.cancelled, nil), .expire: states(.expired, nil)]) { $1 },
        .authorizing: waiting.merging([
            .noAnswer: states(.authorizing, .unknown), .action: states(.authorizing, .requiresAction),
        ]) { $1 },
        .requiresAction: waiting.merging([.action: states(.authorizing, .requiresAction)]) { $1 },
        .unknown: waiting.merging([
            .noAnswer: states(.authorizing, .unknown), .action: states(.authorizing, .requiresAction),
        ]) { $1 },
        .declined: payable.merging(over(.pending)) { $1 }.merging([
            .cancel: states(.cancelled, .failed), .expire: states(.expired, .failed),
            .adopt: states(.authorized, .authorized),
        ]) { $1 },
        .capturing: [
            .captured: states(.paid, .captured), .captureImpossible: states(.failed, .failed),
            .stray: states(.failed, .stray), .strayMoney: states(.failed, .stray),
        ],
        .captureImpossible: over(.failed),
        .voiding: over(.expired).merging([.voided: states(.expired, .voided)]) { $1 },
        .abandoning: [
            .confirm: states(.confirmed, .capturing), .voided: states(.expired, .voided),
            .stray: states(.pending, .stray), .strayMoney: states(.pending, .stray),
        ],
        .abandoned: over(.expired).merging([.adopt: states(.authorized, .authorized)]) { $1 },
        .voided: over(.expired).merging([.adopt: states(.authorized, .authorized)]) { $1 },
        .stray: payable.merging([
            .cancel: states(.cancelled, .stray), .expire: states(.expired, .stray), .voided: states(.pending, .voided),
            .adopt: states(.authorized, .authorized), .strayMoney: states(.pending, .stray),
        ]) { $1 },
        .strayPaid: payable.merging([.cancel: states(.cancelled, .stray), .expire: states(.expired, .stray)]) { $1 },
        .adopted: [
            .decline: states(.expired, .failed), .confirm: states(.confirmed, .capturing),
            .beginVoid: states(.expired, .voiding), .abandon: states(.authorized, .voiding),
            .stray: states(.expired, .stray), .strayMoney: states(.expired, .stray),
        ],
        .paid: [.refund: states(.refunded, .captured)],
    ]

    @Test(arguments: Situation.allCases)
    func `only legal moves change anything`(situation: Situation) async throws {
        try await withBooking { (booking) async throws in
            for (seat, step) in Step.allCases.enumerated() {
                let order = try await booking.create([SeatNumber(seat * 2), SeatNumber(seat * 2 + 1)])
                let payment = try await Self.reach(situation, order, booking)
                let before = try await Self.read(order, booking)
                let events = try await booking.count("SELECT count(*) FROM outbox WHERE aggregatetype = 'order'")
                await Self.take(step, order, payment, booking)
                let after = try await Self.read(order, booking)
                let expected = Self.legal[situation]?[step] ?? before
                #expect(after == expected, "\(step) when \(situation)")
                let isMove = Self.legal[situation]?[step] != nil && after.order != before.order && step != .begin
                let told = try await booking.count("SELECT count(*) FROM outbox WHERE aggregatetype = 'order'")
                #expect(told == events + (isMove ? 1 : 0), "\(step) when \(situation)")
            }
        }
    }

    private static func read(_ order: NewOrder, _ booking: Booking) async throws -> States {
        let order = try #require(try await booking.orders.order(order.id))
        return States(order: order.state, payment: order.payment?.state)
    }

    /// - Returns: the newest payment, or a made-up one where there is none.
    private static func reach(
        _ situation: Situation,
        _ order: NewOrder,
        _ booking: Booking
    ) async throws -> Payment {
        switch situation {
        case .pending: break
        case .cancelled: try #require(await booking.orders.cancel(order.id, by: order.account) == .cancelled)
        case .expired: await take(.expire, order, nil, booking)
        case .authorizing: return try await booking.beginPayment(order)
        case .unknown: return try await reach([.noAnswer], order, booking)
        case .requiresAction: return try await reach([.action], order, booking)
        case .abandoning: return try await reach([.abandon], order, booking)
        case .abandoned: return try await reach([.abandon, .voided], order, booking)
        case .stray: return try await reach([.decline, .stray], order, booking)
        case .strayPaid: return try await reach([.decline, .strayMoney], order, booking)
        case .adopted: return try await reach([.decline, .adopt], order, booking)
        case .refunded: return try await reach([.confirm, .captured, .refund], order, booking)
        case .declined: return try await reach([.decline], order, booking)
        case .capturing: return try await reach([.confirm], order, booking)
        case .paid: return try await reach([.confirm, .captured], order, booking)
        case .captureImpossible: return try await reach([.confirm, .captureImpossible], order, booking)
        case .voiding: return try await reach([.beginVoid], order, booking)
        case .voided: return try await reach([.beginVoid, .voided], order, booking)
        }
        return Payment(
            id: .fresh(),
            order: order.id,
            session: order.session,
            attempt: 1,
            state: .authorizing,
            amount: order.total,
            method: "",
            reference: nil,
            declineCode: nil,
            startedAt: Booking.now
        )
    }

    private static func reach(_ steps: [Step], _ order: NewOrder, _ booking: Booking) async throws -> Payment {
        let payment = try await booking.beginPayment(order)
        for step in steps { await take(step, order, payment, booking) }
        return payment
    }

    private static func refundAll(_ order: NewOrder, _ booking: Booking) async throws {
        guard let found = try await booking.orders.order(order.id) else { return }
        let refund = try RefundRules.plan(
            RefundWish(reason: "", isByStaff: true),
            as: .fresh(),
            of: found,
            sessionStart: Moment(milliseconds: .max / 2),
            kind: .staff,
            at: Booking.now
        )
        _ = try await booking.refunds.request(refund, isForced: false, by: nil, owner: "t", lease: .seconds(10))
        try await booking.refunds.recordSucceeded(refund.id, reference: "re_\(refund.id)")
    }

    /// A step that is refused may say so; what counts is what it changed.
    private static func take(_ step: Step, _ order: NewOrder, _ payment: Payment?, _ booking: Booking) async {
        let orders = booking.orders
        let id = payment?.id ?? .fresh()
        do {
            switch step {
            case .begin: _ = try await booking.begin(order)
            case .noAnswer: try await orders.recordNoAnswer(id, retryAfter: .seconds(1))
            case .decline:
                try await orders.recordDeclined(
                    id,
                    code: "no",
                    reference: nil,
                    counts: true,
                    retryWindow: .seconds(60)
                )
            case .action:
                let action = PaymentAction(kind: .redirect, value: "http://bank")
                try await orders.recordAction(id, action, reference: "pi_\(id)", lookAfter: .seconds(5))
            case .stray, .strayMoney:
                let money = Money(step == .stray ? 0 : order.total.amountMinor, "EUR")
                try await orders.recordStray(id, reference: "pi_\(id)", captured: money, retryWindow: .seconds(60))
            case .adopt: _ = try await orders.adopt(id, reference: "pi_\(id)", reclaim: true)
            case .refund: try await refundAll(order, booking)
            case .confirm: if let payment { _ = try await booking.confirm(payment, seats: 2) }
            case .captured: try await orders.recordCaptured(id, amount: order.total)
            case .captureImpossible: try await orders.recordCaptureImpossible(id, code: "gone")
            case .beginVoid:
                try await orders.beginVoid(id, reference: "pi_\(id)", then: .expired, endsNow: true)
            case .abandon:
                try await orders.beginVoid(id, reference: "pi_\(id)", then: .expired, endsNow: false)
            case .voided: try await orders.recordVoided(id, retryWindow: .seconds(60))
            case .cancel: _ = try await orders.cancel(order.id, by: order.account)
            case .expire:
                try await booking.run(
                    "UPDATE orders SET deadline = now() - interval '1 s' WHERE id = '\(order.id.hex)'"
                )
                _ = try await orders.expireDue(limit: 100)
            }
        } catch {
            #expect(error is StoreFailure || error is PostgresFailure || error is RefundRefusal)
        }
    }
}

extension Identifier {
    var hex: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
