import Ordering
import TestSupport
import Testing

@Suite struct LoadingTests {
    @Test(arguments: Subject.allCases)
    func `a session that is not there holds nothing`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0])
            try await world.wipe()
            let (store, session) = (world.store, world.session)
            await expectUnavailable { try await world.place([1]) }
            await expectUnavailable { try await store.hold(hold.id, in: session) }
            await expectUnavailable { try await world.touch(hold, atLeast: .seconds(1)) }
            await expectUnavailable { try await store.release(hold.id, in: session, by: hold.account) }
            await expectUnavailable { try await store.sweep(session, limit: 1) }
            await expectUnavailable { try await world.letters() }
            await expectUnavailable { try await world.counts() }
            #expect(await store.project([world.projection(of: hold, .sold)])[0].isUnavailable)
            #expect(try await store.epochs(of: [session]) == [nil])
        }
    }

    @Test(arguments: Subject.allCases)
    func `a rebuild restores claims, pinned holds and limits, and forgets holds without order`(
        _ subject: Subject
    ) async throws {
        try await withHolds(subject) { world in
            let forgotten = try await world.place([9])
            let (order, hold, buyer, owner) = (OrderID.fresh(), HoldID.fresh(), AccountID.fresh(), AccountID.fresh())
            let deadline = inFuture(.seconds(60))
            let (soldOrder, soldHold) = (OrderID.fresh(), HoldID.fresh())
            try await world.load(
                epoch: 2,
                claims: [
                    .init(seat: 5, state: .pending, order: order, hold: hold, account: buyer, deadline: deadline),
                    .init(seat: 4, state: .pending, order: order, hold: hold, account: buyer, deadline: deadline),
                    .init(seat: 10, state: .sold, order: soldOrder, hold: soldHold, account: owner, deadline: nil),
                    .init(seat: 19, state: .blocked, order: nil, hold: nil, account: nil, deadline: nil),
                ]
            )
            #expect(try await world.store.epochs(of: [world.session, .fresh()]) == [2, nil])
            #expect(try await world.letters() == ["FFFFH|HFFFF|", "SFFFFFFFFB|"])
            #expect(try await world.counts() == SeatCounts(free: 16, held: 0, pending: 2, sold: 1, blocked: 1))
            let pinned = try await world.store.hold(hold, in: world.session)
            #expect(pinned.seats == [4, 5])
            #expect(pinned.state == .pinned)
            #expect(pinned.account == buyer)
            #expect(pinned.deadline == deadline)
            #expect(pinned.fence > forgotten.fence)
            await expectRefusal(.notFound) { try await world.store.hold(forgotten.id, in: world.session) }

            await expectUnavailable { try await world.place([0]) }
            await expectRefusal(.limitExceeded(limit: 4, remaining: 2)) {
                try await world.place([0, 1, 2], by: buyer, limit: 4, epoch: 2)
            }
            await expectRefusal(.limitExceeded(limit: 1, remaining: 0)) {
                try await world.place([0], by: owner, limit: 1, epoch: 2)
            }
            // The restored hold goes on as any other.
            await world.project(world.projection(of: pinned, order: order, .sold))
            #expect(try await world.letters() == ["FFFFS|SFFFF|", "SFFFFFFFFB|"])
            // A sold seat knows its order, so that a refund can free it.
            var sold = pinned
            (sold.id, sold.account, sold.seats) = (soldHold, owner, [10])
            await world.project(world.projection(of: sold, order: soldOrder, .free))
            #expect(try await world.letters() == ["FFFFS|SFFFF|", "FFFFFFFFFB|"])
        }
    }

    @Test(arguments: Subject.allCases)
    func `an older load is refused and the same one kept`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            try await world.load(epoch: 5)
            let hold = try await world.place([0], epoch: 5)
            await expectUnavailable { try await world.load(epoch: 4) }
            try await world.load(epoch: 5)
            #expect(try await world.store.hold(hold.id, in: world.session) == hold)
            #expect(try await world.store.epochs(of: [world.session]) == [5])
        }
    }

    @Test(arguments: Subject.allCases)
    func `the sequence grows with every visible change and only then`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            func sequence() async throws -> Int64 {
                try await world.store.letters(of: world.session, sections: 2).sequence
            }
            let start = try await sequence()
            let hold = try await world.place([0, 1])
            let held = try await sequence()
            #expect(held > start)
            _ = await refusal { try await world.place([0]) }
            _ = try await world.touch(hold, atLeast: .seconds(1))
            await world.project(world.projection(of: hold, .pinned(until: inFuture(.seconds(60)))))
            #expect(try await sequence() == held)
            await world.project(world.projection(of: hold, .sold))
            #expect(try await sequence() > held)
            let other = await refusal { try await world.store.letters(of: world.session, sections: 3) }
            #expect(other.isUnavailable)
        }
    }
}
