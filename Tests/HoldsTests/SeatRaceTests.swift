// Things that happen to the same seats at the same time; whatever comes first, nothing is given twice or lost.

import Ordering
import TestSupport
import Testing

@Suite struct SeatRaceTests {
    @Test func `overlapping picks in opposite orders are whole or nothing (T2)`() async throws {
        try await withRedisHolds { world, _ in
            let picks: [[SeatNumber]] = (0..<40).map { number in
                let first = SeatNumber(number % 8)
                return number.isMultiple(of: 2) ? [first, first + 1, first + 2] : [first + 2, first + 1, first]
            }
            let holds: [Hold] = await withTaskGroup(of: Hold?.self) { tasks in
                for pick in picks { tasks.addTask { try? await world.place(pick) } }
                return await tasks.reduce(into: [Hold]()) { if let hold = $1 { $0.append(hold) } }
            }
            let seats = holds.flatMap(\.seats)
            #expect(!holds.isEmpty && holds.allSatisfy { $0.seats.count == 3 })
            #expect(Set(seats).count == seats.count)
            let counts = try await world.counts()
            #expect(counts.held == seats.count)
        }
    }

    @Test func `a hold that ends while it is ordered, lengthened and released has one end (T4)`() async throws {
        try await withRedisHolds { world, _ in
            for round in 0..<30 {
                let hold = try await world.place([0, 1], lifetime: .milliseconds(Int64(round % 4 + 1)))
                let rule = HoldExtension(
                    lifetime: .seconds(60),
                    timesMax: 2,
                    sinceMadeMax: .seconds(600),
                    epoch: 1
                )
                await withTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { _ = try? await world.touch(hold, atLeast: .seconds(30)) }
                    tasks.addTask {
                        _ = try? await world.store.extend(hold.id, in: world.session, by: hold.account, rule)
                    }
                    tasks.addTask { _ = try? await world.store.sweep(world.session, limit: 16) }
                    tasks.addTask {
                        await world.project(world.projection(of: hold, .pinned(until: inFuture(.seconds(60)))))
                    }
                }
                // The order decides, whether the hold had ended or not.
                #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 2, sold: 0, blocked: 0))
                #expect(try await world.store.hold(hold.id, in: world.session).state == .pinned)
                await world.project(world.projection(of: hold, .free))
                #expect(try await world.counts().free == 20)
            }
        }
    }

    @Test func `an old hold never frees the seats of the next one (T5)`() async throws {
        try await withRedisHolds { world, _ in
            for _ in 0..<30 {
                let old = try await world.place([0, 1], lifetime: .milliseconds(2))
                try await untilPast(old.deadline)
                let owner = await withTaskGroup(of: Hold?.self) { tasks in
                    tasks.addTask { try? await world.place([0, 1]) }
                    tasks.addTask {
                        try? await world.store.release(old.id, in: world.session, by: old.account)
                        return nil
                    }
                    tasks.addTask {
                        _ = try? await world.store.sweep(world.session, limit: 16)
                        return nil
                    }
                    return await tasks.reduce(into: Hold?.none) { if let hold = $1 { $0 = hold } }
                }
                let next = try #require(owner)
                try? await world.store.release(old.id, in: world.session, by: old.account)
                #expect(try await world.store.hold(next.id, in: world.session) == next)
                #expect(try await world.counts().held == 2)
                try await world.store.release(next.id, in: world.session, by: next.account)
            }
        }
    }

    @Test func `two sweepers free each hold once (T10)`() async throws {
        try await withRedisHolds { world, _ in
            var last = Moment(milliseconds: 0)
            for seat in 0..<20 {
                last = max(last, try await world.place([SeatNumber(seat)], lifetime: .milliseconds(400)).deadline)
            }
            try await untilPast(last)
            let freed = await withTaskGroup(of: Int.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { (try? await world.store.sweep(world.session, limit: 3)) ?? 0 }
                }
                return await tasks.reduce(0, +)
            }
            let rest = try await world.store.sweep(world.session, limit: 100)
            #expect(freed + rest == 20)
            #expect(try await world.counts() == SeatCounts(free: 20, held: 0, pending: 0, sold: 0, blocked: 0))
        }
    }
}
