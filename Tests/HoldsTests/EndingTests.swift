import Ordering
import TestSupport
import Testing

@Suite struct EndingTests {
    @Test(arguments: Subject.allCases)
    func `a hold ends at its deadline and the next call frees its seats`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let brief = try await world.place([0, 1], lifetime: .milliseconds(1))
            try await untilPast(brief.deadline)
            let next = try await world.place([0, 1], limit: 2)
            #expect(next.seats == [0, 1])
            await expectRefusal(.notFound) { try await world.store.hold(brief.id, in: world.session) }
            await expectRefusal(.expired) { try await world.touch(brief, atLeast: .seconds(1)) }
            #expect(try await world.counts() == SeatCounts(free: 18, held: 2, pending: 0, sold: 0, blocked: 0))
            // The buyer's limit was given back with the seats.
            _ = try await world.place([2, 3, 4, 5], by: brief.account, limit: 4)
        }
    }

    @Test(arguments: Subject.allCases)
    func `a call frees at most sixteen due holds, a sweep as many as asked`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            #expect(try await world.counts().free == 20)
            // Placed in one burst, so that all still live when they are counted.
            let deadlines = try await withThrowingTaskGroup(of: Moment.self) { tasks in
                for seat in 0..<20 {
                    tasks.addTask { try await world.place([SeatNumber(seat)], lifetime: .seconds(3)).deadline }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(try await world.counts().held == 20)
            let last = try #require(deadlines.max())
            try await untilPast(last)
            #expect(try await world.store.sweep(world.session, limit: 1) == 1)
            #expect(try await world.counts().held == 3)
            #expect(try await world.store.sweep(world.session, limit: 100) == 3)
            #expect(try await world.store.sweep(world.session, limit: 100) == 0)
            #expect(try await world.counts().free == 20)
        }
    }

    @Test(arguments: Subject.allCases)
    func `touch guarantees the time asked for, a bounded number of times`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0], lifetime: .seconds(100))
            let same = try await world.touch(hold, atLeast: .seconds(50))
            #expect(same == hold)
            var deadline = hold.deadline
            for extra in 1...5 {
                let longer = try await world.touch(hold, atLeast: .seconds(100 + 100 * extra))
                #expect(longer.deadline >= deadline + .seconds(50))
                deadline = longer.deadline
            }
            await expectRefusal(.expired) { try await world.touch(hold, atLeast: .seconds(5000)) }
            // It still lives, and no more time is needed for what is left.
            #expect(try await world.touch(hold, atLeast: .seconds(1)).deadline == deadline)
        }
    }

    @Test(arguments: Subject.allCases)
    func `touch refuses strangers, old epochs and holds that never were`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0])
            var unknown = hold
            unknown.id = .fresh()
            await expectRefusal(.notFound) { try await world.touch(hold, by: .fresh(), atLeast: .seconds(1)) }
            await expectRefusal(.notFound) { try await world.touch(unknown, atLeast: .seconds(1)) }
            await expectUnavailable { try await world.touch(hold, atLeast: .seconds(1), epoch: 0) }
        }
    }

    @Test(arguments: Subject.allCases)
    func `release gives seats back once, to nobody but the owner (T5)`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (store, session) = (world.store, world.session)
            let hold = try await world.place([0, 1])
            await expectRefusal(.notFound) { try await store.release(hold.id, in: session, by: .fresh()) }
            #expect(try await world.counts().held == 2)
            try await store.release(hold.id, in: session, by: hold.account)
            #expect(try await world.letters() == ["FFFFF|FFFFF|", "FFFFFFFFFF|"])
            let other = try await world.place([0])
            try await store.release(hold.id, in: session, by: hold.account)
            #expect(try await store.hold(other.id, in: session) == other)

            await world.project(world.projection(of: other, .pinned(until: inFuture(.seconds(60)))))
            await expectRefusal(.expired) { try await store.release(other.id, in: session, by: other.account) }
            #expect(try await world.counts().pending == 1)
        }
    }
}
