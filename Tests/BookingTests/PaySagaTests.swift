import BookingDatabase
import Ordering
import Testing

@testable import BookingServer

/// The saga's shell against a real database: each answer of the provider, each with the state it must leave behind.
@Suite struct PaySagaTests {
    private static func seen(
        _ status: ProviderState.Status,
        _ work: SagaWork,
        amount: Int64 = 5000
    ) -> ProviderAnswer {
        .state(
            ProviderState(
                reference: "pi_\(work.payment.id)",
                status: status,
                amount: Money(amount, "EUR"),
                captured: status == .captured ? amount : 0,
                payment: work.payment.id,
                declineCode: nil
            )
        )
    }

    @Test func `an authorized payment is confirmed, captured, and its tickets are valid`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([Self.seen(.requiresCapture, work), Self.seen(.captured, work)])
            await world.saga(provider).drive(work)
            let order = try await world.order(of: work)
            #expect(order.state == .paid)
            #expect(order.payment?.state == .captured)
            #expect(order.tickets.map(\.state) == [.valid, .valid])
            #expect(try await world.claims().allSatisfy { $0.state == .sold })
            #expect(provider.calls == ["authorize \(work.payment.authorizeKey)", "capture \(work.payment.captureKey)"])
        }
    }

    @Test func `a declined payment leaves the seats claimed and the order payable`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            await world.saga(ScriptedProvider([.declined(code: "insufficient_funds", reference: nil)])).drive(work)
            let order = try await world.order(of: work)
            #expect(order.state == .pending)
            #expect(order.payment?.state == .failed)
            #expect(order.payment?.declineCode == "insufficient_funds")
            #expect(try await world.claims().map(\.state) == [.pending, .pending])
        }
    }

    @Test func `without an answer the payment is unknown and a rescuer asks again with the same key`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let silent = ScriptedProvider([.unknown("time-out")])
            await world.saga(silent).drive(work)
            #expect(try await world.order(of: work).payment?.state == .unknown)

            let rescued = try await world.orders.leaseSagas(owner: "rescuer", lease: .seconds(10), limit: 8)
            #expect(rescued.map(\.payment.id) == [work.payment.id])
            let provider = ScriptedProvider([Self.seen(.requiresCapture, work), Self.seen(.captured, work)])
            for item in rescued { await world.saga(provider).drive(item) }
            #expect(try await world.order(of: work).state == .paid)
            #expect(provider.calls.first == silent.calls.first)
        }
    }

    @Test func `a process that died between confirm and capture is continued with the capture alone`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let dying = ScriptedProvider([Self.seen(.requiresCapture, work), .unknown("connection lost")])
            await world.saga(dying).drive(work)
            #expect(try await world.order(of: work).state == .confirmed)
            #expect(try await world.order(of: work).tickets.map(\.state) == [.pending, .pending])

            let rescued = try await world.orders.leaseSagas(owner: "rescuer", lease: .seconds(10), limit: 8)
            let provider = ScriptedProvider([Self.seen(.captured, work)])
            for item in rescued { await world.saga(provider).drive(item) }
            #expect(provider.calls == ["capture \(work.payment.captureKey)"])
            #expect(try await world.order(of: work).state == .paid)
        }
    }

    @Test func `a reservation of the wrong amount is given back and the seats are free again`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([
                Self.seen(.requiresCapture, work, amount: 4999), Self.seen(.cancelled, work, amount: 4999),
            ])
            await world.saga(provider).drive(work)
            let order = try await world.order(of: work)
            #expect(order.state == .expired)
            #expect(order.payment?.state == .voided)
            #expect(try await world.claims().isEmpty)
        }
    }

    @Test func `a capture that has become impossible voids the tickets and frees the seats`() async throws {
        try await ShopWorld.with { world in
            let work = try await world.beginPayment()
            let provider = ScriptedProvider([Self.seen(.requiresCapture, work), Self.seen(.cancelled, work)])
            await world.saga(provider).drive(work)
            let order = try await world.order(of: work)
            #expect(order.state == .failed)
            #expect(order.payment?.state == .failed)
            #expect(order.tickets.allSatisfy { $0.state == .void })
            #expect(try await world.claims().isEmpty)
        }
    }
}
