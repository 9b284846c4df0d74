import BookingDatabase
import Ordering
import Testing

@testable import BookingServer

/// The saga's shell against a real database where the provider is late, asks the buyer for something, or is wrong.
@Suite struct LateMoneySagaTests {
    private static func seen(
        _ status: ProviderState.Status,
        _ work: SagaWork,
        amount: Int64 = 5000,
        captured: Int64? = nil
    ) -> ProviderAnswer {
        var state = ProviderState(
            reference: "pi_\(work.payment.id)",
            status: status,
            amount: Money(amount, "EUR"),
            captured: captured ?? (status == .captured ? amount : 0),
            payment: work.payment.id,
            declineCode: nil
        )
        if status == .requiresAction { state.action = PaymentAction(kind: .redirect, value: "http://bank/1") }
        return .state(state)
    }

    private static func reference(_ work: SagaWork) -> String { "pi_\(work.payment.id)" }

    @Test func `a buyer is sent to the bank, comes back, and the saga goes on by a webhook`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresAction, work), Self.seen(.requiresCapture, work), Self.seen(.captured, work),
            ])
            let saga = world.saga(provider)
            await saga.drive(work)
            let waiting = try await world.order(of: work)
            #expect(waiting.state == .authorizing && waiting.payment?.state == .requiresAction)
            #expect(waiting.payment?.action == PaymentAction(kind: .redirect, value: "http://bank/1"))
            try await saga.look(at: work.payment.id, reference: Self.reference(work))
            let order = try await world.order(of: work)
            #expect(order.state == .paid && order.tickets.map(\.state) == [.valid, .valid])
            #expect(provider.calls.map { $0.split(separator: " ")[0] } == ["authorize", "state", "capture"])
        }
    }

    @Test func `a buyer who fails at the bank may try another card`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresAction, work), Self.seen(.requiresPaymentMethod, work),
            ])
            await world.saga(provider).drive(work)
            try await world.saga(provider).look(at: work.payment.id, reference: nil)
            let order = try await world.order(of: work)
            #expect(order.state == .pending && order.payment?.state == .failed)
            #expect(try await world.claims().map(\.state) == [.pending, .pending])
        }
    }

    @Test func `a method that is taken at once makes valid tickets without a capture`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment(method: "pm_qr")
            let provider = ScriptedProvider([Self.seen(.requiresAction, work), Self.seen(.captured, work)])
            await world.saga(provider).drive(work)
            try await world.saga(provider).look(at: work.payment.id, reference: nil)
            let order = try await world.order(of: work)
            #expect(order.state == .paid && order.payment?.captured == 5000)
            #expect(!provider.calls.contains { $0.hasPrefix("capture") })
        }
    }

    @Test func `T6 a cancel while the buyer is at the bank ends when the provider agrees`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresAction, work), Self.seen(.requiresAction, work), .unknown("lost"),
                Self.seen(.requiresAction, work), Self.seen(.cancelled, work),
            ])
            await world.saga(provider).drive(work)
            #expect(try await world.orders.cancel(work.payment.order, by: world.account) == .requested)
            try await world.saga(provider).look(at: work.payment.id, reference: nil)
            #expect(try await world.order(of: work).state == .authorizing, "the provider has not agreed")
            for item in try await world.orders.leaseSagas(owner: "r", lease: .zero, limit: 8) {
                await world.saga(provider).drive(item)
            }
            let order = try await world.order(of: work)
            #expect(order.state == .cancelled && order.payment?.state == .voided)
            #expect(try await world.claims().isEmpty)
        }
    }

    @Test func `T20 money of a declined attempt is used while its order waits`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                .declined(code: "no", reference: Self.reference(work)), Self.seen(.requiresCapture, work),
                Self.seen(.requiresCapture, work), Self.seen(.captured, work),
            ])
            await world.saga(provider).drive(work)
            #expect(try await world.order(of: work).state == .pending)
            try await world.saga(provider).look(at: work.payment.id, reference: Self.reference(work))
            #expect(try await world.order(of: work).state == .paid)
        }
    }

    @Test(arguments: [LatePayment.void, .reclaim])
    func `T20 authorized after expiry is voided, or its seats are taken again`(late: LatePayment) async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            try await world.orders.beginVoid(
                work.payment.id,
                reference: Self.reference(work),
                then: .expired,
                endsNow: true
            )
            try await world.orders.recordVoided(work.payment.id, retryWindow: .zero)
            let answers =
                late == .void
                ? [Self.seen(.requiresCapture, work), Self.seen(.cancelled, work)]
                : [
                    Self.seen(.requiresCapture, work), Self.seen(.requiresCapture, work), Self.seen(.captured, work),
                ]
            try await world.saga(ScriptedProvider(answers), late: late)
                .look(at: work.payment.id, reference: Self.reference(work))
            let order = try await world.order(of: work)
            #expect(order.state == (late == .void ? .expired : .paid))
            #expect(order.payment?.state == (late == .void ? .voided : .captured))
            #expect(try await world.claims().count == (late == .void ? 0 : 2))
        }
    }

    @Test func `T20 captured after a cancel is refunded with its reason`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            await world.saga(ScriptedProvider([.declined(code: "no", reference: nil)])).drive(work)
            #expect(try await world.orders.cancel(work.payment.order, by: world.account) == .cancelled)
            for _ in 0..<3 {
                try await world.saga(ScriptedProvider([Self.seen(.captured, work)]))
                    .look(at: work.payment.id, reference: Self.reference(work))
            }
            let order = try await world.order(of: work)
            #expect(order.state == .cancelled && order.payment?.state == .stray)
            #expect(order.refunds.map(\.kind) == [.lateMoney] && order.refunds.map(\.amount.amountMinor) == [5000])
        }
    }

    @Test func `T20 less than was due never issues tickets`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresCapture, work), Self.seen(.captured, work, amount: 5000, captured: 4000),
            ])
            await world.saga(provider).drive(work)
            let order = try await world.order(of: work)
            #expect(order.state == .failed && order.tickets.allSatisfy { $0.state == .void })
            #expect(order.refunds.map(\.amount.amountMinor) == [4000])
            #expect(try await world.claims().isEmpty)
        }
    }

    @Test func `T29 an error that the provider keeps as its answer is seen through`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresCapture, work), .unknown("status 500"), Self.seen(.captured, work),
            ])
            await world.saga(provider).drive(work)
            #expect(try await world.order(of: work).state == .paid)
        }
    }

    @Test func `a saga that nobody can go on with is told, and gets new keys from staff`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresCapture, work), .refused(code: "odd", message: "never"),
            ])
            await world.saga(provider).drive(work)
            #expect(try await world.orders.sagaCounts(stuckAfter: .seconds(600)) == SagaCounts(open: 1, stuck: 1))
            #expect(try await world.orders.retrySaga(work.payment.id))
            #expect(try await world.orders.sagaCounts(stuckAfter: .seconds(600)) == SagaCounts(open: 1, stuck: 0))
            let again = ScriptedProvider([Self.seen(.captured, work)])
            for item in try await world.orders.leaseSagas(owner: "r", lease: .zero, limit: 8) {
                await world.saga(again).drive(item)
            }
            #expect(again.calls == ["capture \(work.payment.captureKey):1"])
            #expect(try await world.order(of: work).state == .paid)
            #expect(try await !world.orders.retrySaga(work.payment.id))
        }
    }
}
