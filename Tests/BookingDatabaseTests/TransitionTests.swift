import BookingDatabase
import Ordering
import Postgres
import TestSupport
import Testing

/// Every step of the saga tried in every situation: the legal moves, and that all others change nothing.
@Suite struct TransitionTests {
    enum Situation: String, CaseIterable, Sendable {
        case pending, authorizing, unknown, declined, capturing, paid, captureImpossible, voiding, voided, cancelled
        case expired
    }

    enum Step: String, CaseIterable, Sendable {
        case begin, noAnswer, decline, confirm, captured, captureImpossible, beginVoid, voided, cancel, expire
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
    private static let legal: [Situation: [Step: States]] = [
        .pending: [
            .begin: states(.authorizing, .authorizing), .cancel: states(.cancelled, nil),
            .expire: states(.expired, nil),
        ],
        .authorizing: [
            .noAnswer: states(.authorizing, .unknown), .decline: states(.pending, .failed),
            .confirm: states(.confirmed, .capturing), .beginVoid: states(.expired, .voiding),
        ],
        .unknown: [
            .noAnswer: states(.authorizing, .unknown), .decline: states(.pending, .failed),
            .confirm: states(.confirmed, .capturing), .beginVoid: states(.expired, .voiding),
        ],
        .declined: [
            .begin: states(.authorizing, .authorizing), .cancel: states(.cancelled, .failed),
            .expire: states(.expired, .failed),
        ],
        .capturing: [.captured: states(.paid, .captured), .captureImpossible: states(.failed, .failed)],
        .voiding: [.voided: states(.expired, .voided)],
    ]

    @Test(arguments: Situation.allCases)
    func `only legal moves change anything`(situation: Situation) async throws {
        try await withBooking { (booking) async throws in
            for (seat, step) in Step.allCases.enumerated() {
                let order = try await booking.create([SeatNumber(seat * 2), SeatNumber(seat * 2 + 1)])
                let payment = try await Self.reach(situation, order, booking)
                let before = try await Self.read(order, booking)
                let events = try await booking.count("SELECT count(*) FROM outbox")
                await Self.take(step, order, payment, booking)
                let after = try await Self.read(order, booking)
                let expected = Self.legal[situation]?[step] ?? before
                #expect(after == expected, "\(step) when \(situation)")
                let isMove = Self.legal[situation]?[step] != nil && after.order != before.order && step != .begin
                #expect(try await booking.count("SELECT count(*) FROM outbox") == events + (isMove ? 1 : 0))
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

    /// A step that is refused may say so; what counts is what it changed.
    private static func take(_ step: Step, _ order: NewOrder, _ payment: Payment?, _ booking: Booking) async {
        let orders = booking.orders
        let id = payment?.id ?? .fresh()
        do {
            switch step {
            case .begin: _ = try await booking.begin(order)
            case .noAnswer: try await orders.recordNoAnswer(id, retryAfter: .seconds(1))
            case .decline:
                try await orders.recordDeclined(id, code: "no", reference: nil, retryWindow: .seconds(60))
            case .confirm: if let payment { _ = try await booking.confirm(payment, seats: 2) }
            case .captured: try await orders.recordCaptured(id, amount: order.total)
            case .captureImpossible: try await orders.recordCaptureImpossible(id, code: "gone")
            case .beginVoid: try await orders.beginVoid(id, reference: "pi_\(id)")
            case .voided: try await orders.recordVoided(id)
            case .cancel: _ = try await orders.cancel(order.id, by: order.account)
            case .expire:
                try await booking.run(
                    "UPDATE orders SET deadline = now() - interval '1 s' WHERE id = '\(order.id.hex)'"
                )
                _ = try await orders.expireDue(limit: 100)
            }
        } catch {
            #expect(error is StoreFailure || error is PostgresFailure)
        }
    }
}

extension Identifier {
    var hex: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
