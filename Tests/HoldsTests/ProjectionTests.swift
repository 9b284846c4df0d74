// Redis shows what PostgreSQL decided, whatever Redis believed before.

import Ordering
import TestSupport
import Testing

@Suite struct ProjectionTests {
    @Test(arguments: Subject.allCases)
    func `an order pins its seats, then sells or frees them`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (bought, dropped) = (try await world.place([0, 1]), try await world.place([2]))
            let deadline = inFuture(.seconds(60))
            await world.project(
                world.projection(of: bought, .pinned(until: deadline)),
                world.projection(of: dropped, .pinned(until: deadline))
            )
            #expect(try await world.counts() == SeatCounts(free: 17, held: 0, pending: 3, sold: 0, blocked: 0))
            let pinned = try await world.store.hold(bought.id, in: world.session)
            #expect(pinned.state == .pinned)
            #expect(pinned.deadline == deadline)
            #expect(pinned.fence == bought.fence)

            await world.project(world.projection(of: bought, .sold), world.projection(of: dropped, .free))
            #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 0, sold: 2, blocked: 0))
            #expect(try await world.letters() == ["SSFFF|FFFFF|", "FFFFFFFFFF|"])
            // Bought seats count for the limit, freed ones do not.
            await expectRefusal(.limitExceeded(limit: 4, remaining: 2)) {
                try await world.place([3, 4, 5], by: bought.account, limit: 4)
            }
            _ = try await world.place([2, 3, 4, 5], by: dropped.account, limit: 4)

            await world.project(world.projection(of: bought, .free))
            #expect(try await world.letters() == ["FFHHH|HFFFF|", "FFFFFFFFFF|"])
        }
    }

    @Test(arguments: Subject.allCases)
    func `a pinned hold is not ended by time`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0], lifetime: .milliseconds(1500))
            await world.project(world.projection(of: hold, .pinned(until: inFuture(.milliseconds(1)))))
            try await untilPast(hold.deadline)
            #expect(try await world.store.sweep(world.session, limit: 16) == 0)
            #expect(try await world.store.hold(hold.id, in: world.session).state == .pinned)
            #expect(try await world.counts().pending == 1)
        }
    }

    @Test(arguments: Subject.allCases)
    func `T16 the same projections again change nothing`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (bought, dropped) = (try await world.place([0, 1]), try await world.place([2]))
            let deadline = inFuture(.seconds(60))
            let all = [
                world.projection(of: bought, .pinned(until: deadline)),
                world.projection(of: dropped, .pinned(until: deadline)),
                world.projection(of: bought, .sold), world.projection(of: dropped, .free),
            ]
            for _ in 0..<2 {
                #expect(await world.store.project(all) == [nil, nil, nil, nil])
                #expect(try await world.letters() == ["SSFFF|FFFFF|", "FFFFFFFFFF|"])
                #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 0, sold: 2, blocked: 0))
            }
        }
    }

    @Test(arguments: Subject.allCases)
    func `a hold that was lost is made again`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let lost = try await world.place([0, 1])
            try await world.wipe()
            try await world.load(epoch: 2)
            await expectRefusal(.notFound) { try await world.store.hold(lost.id, in: world.session) }
            await world.project(world.projection(of: lost, .pinned(until: inFuture(.seconds(60)))))
            let made = try await world.store.hold(lost.id, in: world.session)
            #expect(made.state == .pinned)
            #expect(made.account == lost.account)
            #expect(made.seats == lost.seats)
            #expect(made.fence > lost.fence)
            await expectRefusal(.limitExceeded(limit: 3, remaining: 1)) {
                try await world.place([3, 4], by: lost.account, limit: 3, epoch: 2)
            }
        }
    }

    @Test(arguments: Subject.allCases)
    func `an order's seats are taken back from a hold that came later`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let buyer = try await world.place([0, 1], lifetime: .milliseconds(1))
            try await untilPast(buyer.deadline)
            // The order was committed in time; Redis had let the seats go before it was told.
            let later = try await world.place([1, 2])
            await world.project(world.projection(of: buyer, .pinned(until: inFuture(.seconds(60)))))
            #expect(try await world.letters() == ["HHFFF|FFFFF|", "FFFFFFFFFF|"])
            #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 2, sold: 0, blocked: 0))
            await expectRefusal(.notFound) { try await world.store.hold(later.id, in: world.session) }
            _ = try await world.place([2, 3, 4, 5], by: later.account, limit: 4)
        }
    }

    @Test(arguments: Subject.allCases, [SeatProjection.Outcome.pinned(until: inFuture(.seconds(60))), .sold, .free])
    func `T16 a projection that is out of date leaves others' seats alone`(
        _ subject: Subject,
        _ outcome: SeatProjection.Outcome
    ) async throws {
        try await withHolds(subject) { world in
            let first = try await world.place([0, 1])
            try await world.store.release(first.id, in: world.session, by: first.account)
            let (second, third) = (try await world.place([0]), try await world.place([1]))
            await world.project(
                world.projection(of: second, .sold),
                world.projection(of: third, .pinned(until: inFuture(.seconds(60))))
            )
            let counts = try await world.counts()
            await world.project(world.projection(of: first, outcome))
            #expect(try await world.letters() == ["SHFFF|FFFFF|", "FFFFFFFFFF|"])
            #expect(try await world.counts() == counts)
            #expect(try await world.store.hold(third.id, in: world.session).account == third.account)
        }
    }

    @Test(arguments: Subject.allCases)
    func `T16 what comes after a gap is shown without what is missing`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (bought, dropped) = (try await world.place([0, 1]), try await world.place([2, 3]))
            await world.project(world.projection(of: bought, .sold), world.projection(of: dropped, .free))
            #expect(try await world.letters() == ["SSFFF|FFFFF|", "FFFFFFFFFF|"])
            #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 0, sold: 2, blocked: 0))
            // The missing one comes in the end: it tells of what is over.
            await world.project(world.projection(of: bought, .pinned(until: inFuture(.seconds(60)))))
            #expect(try await world.letters() == ["SSFFF|FFFFF|", "FFFFFFFFFF|"])
        }
    }

    @Test(arguments: Subject.allCases)
    func `many projections are carried out in order, each with its own outcome`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0])
            let order = OrderID.fresh()
            var elsewhere = world.projection(of: hold, .sold)
            elsewhere.session = .fresh()
            var all: [SeatProjection] = []
            for _ in 0..<300 {
                all.append(world.projection(of: hold, order: order, .pinned(until: inFuture(.seconds(60)))))
                all.append(world.projection(of: hold, order: order, .free))
            }
            all.append(elsewhere)
            all.append(world.projection(of: hold, order: order, .sold))
            let outcomes = await world.store.project(all)
            #expect(outcomes.count == all.count)
            #expect(outcomes[600].isUnavailable)
            #expect(outcomes.count { $0 != nil } == 1)
            #expect(try await world.letters() == ["SFFFF|FFFFF|", "FFFFFFFFFF|"])
        }
    }
}
