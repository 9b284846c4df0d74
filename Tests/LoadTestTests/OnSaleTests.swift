// Whole runs against the scripted sale: an honest one holds every promise, each kind of cheating is named.
import NIOPosix
import Testing
import UsherAPI

@testable import LoadTest

struct OnSaleTests {
    private func run(
        _ scripted: ScriptedSale,
        visitors: Int,
        registerPercent: Double = 0,
        abandonPercent: Double = 0,
        declinePercent: Double = 0,
        within window: Duration = .milliseconds(100),
        timeout: Duration = .seconds(60),
        waves: Int = 1
    ) async throws -> Report {
        try await withServer(scripted) { port in
            let target = try #require(Target(url: "http://127.0.0.1:\(port)"))
            let crowd = Crowd(
                want: 1...3,
                abandonPercent: abandonPercent,
                declinePercent: declinePercent,
                registerPercent: registerPercent,
                think: .zero,
                seed: 7
            )
            let sale = Sale(
                target: target,
                address: try target.lookUp(),
                session: "ses_1",
                room: "arena",
                limitPerBuyer: 4,
                crowd: crowd,
                runID: "test",
                start: .now,
                scoreboard: Scoreboard()
            )
            let onSale = OnSale(
                sale: sale,
                pacer: Pacer(visitors: visitors, window: window),
                accounts: try Accounts.assign(crowd, visitors: visitors) { count in
                    (0..<count).map { PreparedAccount(account: "usr_\($0)", token: "t") }
                },
                timeout: timeout,
                group: MultiThreadedEventLoopGroup.singleton
            )
            // A wave comes when everybody of the one before has gone.
            for _ in 1..<waves { _ = await onSale.run { _ in } }
            return await onSale.run { _ in }
        }
    }

    @Test func `an honest sale sells every seat once and tells everybody else`() async throws {
        let scripted = ScriptedSale(seats: 20)
        let report = try await run(scripted, visitors: 60, registerPercent: 10)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.seatsSold == 20 && scripted.seen.free.isEmpty)
        #expect(report.orders + report.toldSoldOut + report.gaveUpPicking == 60)
        #expect(report.joined == 60 && report.arrived == 60 && report.unfinished.isEmpty)
        #expect(Set(report.steps.map(\.step)) == Set(Step.allCases.map(\.rawValue)).subtracting(["challenge"]))
    }

    @Test func `visitors of a room that asks for work solve its puzzles`() async throws {
        let scripted = ScriptedSale(seats: 10, Misbehaviour(asksForWork: true))
        let report = try await run(scripted, visitors: 20)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.joined == 20 && report.seatsSold == 10)
        #expect(report.refusedByCode["challenge_required"] == 20)
        #expect(scripted.seen.solved == 20)
    }

    @Test func `every visitor has one address and one device of its own`() async throws {
        let scripted = ScriptedSale(seats: 10)
        _ = try await run(scripted, visitors: 30)
        let seen = scripted.seen
        #expect(seen.addresses.count == 30 && seen.addresses.allSatisfy { $0.hasPrefix("127.10.") })
        #expect(seen.devicesOfAddresses.values.allSatisfy { $0.count == 1 })
        #expect(Set(seen.devicesOfAddresses.values.flatMap { $0 }).count == 30)
    }

    @Test func `replies lost on the way cost nobody a place, a seat or a second order`() async throws {
        let scripted = ScriptedSale(seats: 20, Misbehaviour(cutsConnections: true))
        let report = try await run(scripted, visitors: 30, registerPercent: 20)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.lostConnections > 30)
        #expect(report.seatsSold == 20 && scripted.seen.orders.values.allSatisfy(\.paid))
        #expect(report.joined == 30 && scripted.seen.numbers.count == 30)
    }

    @Test func `an overloaded server is asked again`() async throws {
        let report = try await run(ScriptedSale(seats: 10, Misbehaviour(isOverloaded: true)), visitors: 15)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.seatsSold == 10 && (report.refusedByCode["overloaded"] ?? 0) > 10)
    }

    @Test func `a declined card is followed by a good one`() async throws {
        let report = try await run(ScriptedSale(seats: 30), visitors: 5, declinePercent: 100)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.orders == 5 && report.refusedByCode["payment_declined"] == 5)
    }

    @Test func `leaving without a word is counted, not a broken promise`() async throws {
        let report = try await run(ScriptedSale(seats: 30), visitors: 40, abandonPercent: 100)
        #expect(report.brokenPromises.isEmpty, "\(report.brokenPromises)")
        #expect(report.abandoned.values.reduce(0, +) == 40 - report.toldSoldOut - report.gaveUpPicking)
        #expect(report.orders == 0)
        #expect(report.abandoned.count == LeavingPoint.allCases.count)
    }

    @Test(arguments: [
        (Misbehaviour(countsDown: true), "inversions"), (Misbehaviour(sellsTwice: true), "sold twice"),
        (Misbehaviour(failsHolds: true), "hold: internal_error"),
    ])
    func `a cheating sale is found out`(misbehaviour: Misbehaviour, promise: String) async throws {
        let report = try await run(ScriptedSale(seats: 3, misbehaviour), visitors: 12, waves: 2)
        #expect(report.brokenPromises.contains { $0.contains(promise) }, "\(report.brokenPromises)")
    }

    @Test func `visitors who are never called are without an end when the time is over`() async throws {
        let sale = ScriptedSale(seats: 3, Misbehaviour(neverCalls: true))
        let report = try await run(sale, visitors: 4, timeout: .seconds(1))
        #expect(report.unfinished == ["poll": 4])
        #expect(report.brokenPromises.count == 1)
    }

    @Test func `nobody listening is trouble, not a crash`() async throws {
        let target = try #require(Target(url: "http://127.0.0.1:1"))
        let group = MultiThreadedEventLoopGroup.singleton
        let connection = VisitorConnection(
            target: target,
            address: try target.lookUp(),
            source: "127.10.0.0",
            group: group
        )
        await #expect(throws: TransportFailure.notConnected) { try await connection.send(.get("/")) }
    }
}
