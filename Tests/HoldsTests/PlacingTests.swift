import Ordering
import TestSupport
import Testing

@Suite struct PlacingTests {
    @Test(arguments: Subject.allCases)
    func `a hold takes its seats and says until when`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let account = AccountID.fresh()
            let before = FakeHoldStore.systemTime()
            let hold = try await world.place([3, 4, 10], by: account, lifetime: .seconds(60))
            #expect(hold.seats == [3, 4, 10])
            #expect(hold.account == account)
            #expect(hold.state == .active)
            #expect(hold.deadline >= before + .seconds(60))
            #expect(hold.deadline <= inFuture(.seconds(60)))
            #expect(try await world.letters() == ["FFFHH|FFFFF|", "HFFFFFFFFF|"])
            #expect(try await world.counts() == SeatCounts(free: 17, held: 3, pending: 0, sold: 0, blocked: 0))
            #expect(try await world.store.hold(hold.id, in: world.session) == hold)
            let later = try await world.place([5])
            #expect(later.fence > hold.fence)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var seats: [SeatNumber] = [0]
        var account = PlacingTests.buyer
        var limit = 4
        var epoch: Int64 = 1
        var pass: String?
        let failure: HoldFailure
    }

    static let buyer = AccountID(high: 1, low: 1)
    static let other = AccountID(high: 2, low: 2)

    @Test(
        arguments: Subject.allCases,
        [
            Refusal(testDescription: "one taken", seats: [8, 9], failure: .seatsTaken([8])),
            Refusal(testDescription: "all taken", seats: [7, 8], failure: .seatsTaken([7, 8])),
            Refusal(testDescription: "sold", seats: [0, 18], failure: .seatsTaken([18])),
            Refusal(testDescription: "blocked", seats: [19], failure: .seatsTaken([19])),
            Refusal(testDescription: "no such seat", seats: [0, 20], failure: .seatsTaken([20])),
            Refusal(testDescription: "no seats", seats: [], failure: .seatsTaken([])),
            Refusal(
                testDescription: "more than the limit at once",
                seats: [0, 1, 2, 3, 4],
                failure: .limitExceeded(limit: 4, remaining: 4)
            ),
            Refusal(
                testDescription: "more than the limit in all",
                seats: [0, 1, 2],
                account: PlacingTests.other,
                failure: .limitExceeded(limit: 4, remaining: 2)
            ),
            Refusal(
                testDescription: "limit lowered below what is held",
                account: PlacingTests.other,
                limit: 1,
                failure: .limitExceeded(limit: 1, remaining: 0)
            ),
            Refusal(testDescription: "somebody else's pass", pass: "pass-1", failure: .passBound),
            Refusal(
                testDescription: "old epoch",
                epoch: 0,
                failure: .inventoryUnavailable("the session has another epoch")
            ),
            Refusal(
                testDescription: "coming epoch",
                epoch: 2,
                failure: .inventoryUnavailable("the session has another epoch")
            ),
        ]
    )
    func `what cannot be held is refused and changes nothing`(_ subject: Subject, _ refusal: Refusal) async throws {
        let claims: [SessionInventory.Claim] = [
            .init(seat: 18, state: .sold, order: .fresh(), hold: .fresh(), account: .fresh(), deadline: nil),
            .init(seat: 19, state: .blocked, order: nil, hold: nil, account: nil, deadline: nil),
        ]
        try await withHolds(subject, claims: claims) { world in
            _ = try await world.place([7, 8], by: Self.other, pass: "pass-1")
            let before = try await world.store.letters(of: world.session, sections: 2)
            let counts = try await world.counts()
            let id = HoldID.fresh()
            let failure = await HoldsTests.refusal {
                try await world.place(
                    refusal.seats,
                    id: id,
                    by: refusal.account,
                    limit: refusal.limit,
                    epoch: refusal.epoch,
                    pass: refusal.pass
                )
            }
            #expect(failure == refusal.failure)
            #expect(try await world.store.letters(of: world.session, sections: 2) == before)
            #expect(try await world.counts() == counts)
            await expectRefusal(.notFound) { try await world.store.hold(id, in: world.session) }
        }
    }

    @Test(arguments: Subject.allCases)
    func `twenty buyers race for one seat and one wins (T1)`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let failures = await race(20) { _ in try await world.place([6]) }
            #expect(failures.count { $0 == nil } == 1)
            #expect(failures.count { $0 == .seatsTaken([6]) } == 19)
            let counts = try await world.counts()
            #expect(counts.held == 1)
        }
    }

    @Test(arguments: Subject.allCases)
    func `racing holds of one buyer stop at the limit (T7)`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let failures = await race(12) { try await world.place([SeatNumber($0)], by: Self.buyer, limit: 4) }
            #expect(failures.count { $0 == nil } == 4)
            #expect(failures.count { $0 == .limitExceeded(limit: 4, remaining: 0) } == 8)
            let counts = try await world.counts()
            #expect(counts.held == 4)
        }
    }

    @Test(arguments: Subject.allCases)
    func `the same id again gives the same hold`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let first = try await world.place([1, 2], by: Self.buyer, limit: 2)
            let again = try await world.place([1, 2], id: first.id, by: Self.buyer, limit: 2)
            #expect(again == first)
            await expectRefusal(.notFound) { try await world.place([1, 2], id: first.id, by: Self.other) }
            try await world.store.release(first.id, in: world.session, by: Self.buyer)
            await expectRefusal(.expired) { try await world.place([1, 2], id: first.id, by: Self.buyer) }
            #expect(try await world.counts().free == 20)
        }
    }

    @Test(arguments: Subject.allCases)
    func `a pass belongs to the account of its first hold`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            await expectRefusal(.seatsTaken([99])) { try await world.place([0, 99], by: Self.other, pass: "p") }
            // A refused hold binds nothing.
            let first = try await world.place([0], by: Self.buyer, pass: "p")
            _ = try await world.place([1], by: Self.buyer, pass: "p")
            await expectRefusal(.passBound) { try await world.place([2], by: Self.other, pass: "p") }
            // The bond outlives the holds.
            try await world.store.release(first.id, in: world.session, by: Self.buyer)
            await expectRefusal(.passBound) { try await world.place([2], by: Self.other, pass: "p") }
            _ = try await world.place([2], by: Self.other, pass: "q")
        }
    }

    private func race(
        _ count: Int,
        _ body: @escaping @Sendable (Int) async throws -> Hold
    ) async -> [HoldFailure?] {
        await withTaskGroup(of: HoldFailure?.self) { tasks in
            for number in 0..<count {
                tasks.addTask { await refusal { try await body(number) } }
            }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
    }
}
