// What staff and the comparison do to seats, more time for a hold, and the cool-down.

import Ordering
import Redis
import TestSupport
import Testing

@Suite struct ForcingTests {
    @Test(arguments: Subject.allCases)
    func `a block takes free seats and those of holds without an order (T9)`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (kept, lost) = (try await world.place([0, 1]), try await world.place([2, 3]))
            await world.project(world.projection(of: kept, .pinned(until: inFuture(.seconds(60)))))
            let skipped = try await world.store.force(.block, [1, 2, 4, 99], in: world.session)
            #expect(skipped == 2)
            #expect(try await world.letters()[0] == "HHBFB|FFFFF|")
            await expectRefusal(.notFound) { try await world.store.hold(lost.id, in: world.session) }
            await expectRefusal(.expired) { try await world.touch(lost, atLeast: .seconds(1)) }
            #expect(try await world.counts() == SeatCounts(free: 16, held: 0, pending: 2, sold: 0, blocked: 2))
            await expectRefusal(.seatsTaken([4])) { try await world.place([4, 5]) }
            // Its buyer may have as many seats as before.
            _ = try await world.place([5, 6, 7, 8], by: lost.account)
            #expect(try await world.store.force(.unblock, [2, 4, 0, 10], in: world.session) == 2)
            #expect(try await world.letters()[0] == "HHFFF|HHHHF|")
            #expect(try await world.counts().blocked == 0)
        }
    }

    @Test(arguments: Subject.allCases)
    func `mending makes a seat free or blocked whatever has it`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (ordered, bought, held) = (
                try await world.place([0, 1]), try await world.place([2]), try await world.place([3])
            )
            await world.project(
                world.projection(of: ordered, .pinned(until: inFuture(.seconds(60)))),
                world.projection(of: bought, .sold)
            )
            // A hold without an order is the buyer's: PostgreSQL knows nothing of it.
            #expect(try await world.store.force(.mendFree, [0, 2, 3, 4], in: world.session) == 2)
            #expect(try await world.letters()[0] == "FFFHF|FFFFF|")
            #expect(try await world.store.force(.mendBlocked, [3, 5], in: world.session) == 0)
            #expect(try await world.letters()[0] == "FFFBF|BFFFF|")
            await expectRefusal(.notFound) { try await world.store.hold(held.id, in: world.session) }
            #expect(try await world.counts() == SeatCounts(free: 18, held: 0, pending: 0, sold: 0, blocked: 2))
        }
    }

    @Test(arguments: Subject.allCases)
    func `ordered seats are told apart from held ones`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let (one, two) = (try await world.place([0, 1]), try await world.place([2]))
            await world.project(world.projection(of: one, .pinned(until: inFuture(.seconds(60)))))
            let standing = try await world.store.standing(of: world.session, sections: 2)
            #expect(standing.epoch == 1 && standing.ordered == [0, 1])
            #expect(String(decoding: standing.letters, as: UTF8.self) == "HHHFFFFFFFFFFFFFFFFF")
            #expect(two.seats == [2])
        }
    }

    @Test(arguments: Subject.allCases)
    func `a hold is lengthened twice, within its bound, by its buyer alone`(_ subject: Subject) async throws {
        try await withHolds(subject) { world in
            let hold = try await world.place([0], lifetime: .seconds(60))
            func extend(
                by account: AccountID? = nil,
                lifetime: Duration = .seconds(120),
                cap: Duration = .seconds(600)
            ) async throws(HoldFailure) -> Hold {
                let rule = HoldExtension(lifetime: lifetime, timesMax: 2, sinceMadeMax: cap, epoch: 1)
                return try await world.store.extend(hold.id, in: world.session, by: account ?? hold.account, rule)
            }
            await expectRefusal(.notFound) { try await extend(by: .fresh()) }
            // Nothing to be had: it would end sooner.
            await expectRefusal(.extensionsSpent) { try await extend(lifetime: .seconds(30)) }
            await expectRefusal(.extensionsSpent) { try await extend(cap: .seconds(60)) }
            let once = try await extend(cap: .seconds(90))
            #expect(once.deadline == hold.deadline + .seconds(30))
            let twice = try await extend()
            #expect(twice.deadline > once.deadline)
            await expectRefusal(.extensionsSpent) { try await extend(lifetime: .seconds(500)) }
            try await world.store.release(hold.id, in: world.session, by: hold.account)
            await expectRefusal(.expired) { try await extend() }
        }
    }

    @Test func `who drops holds again and again has to wait longer each time (T36)`() async throws {
        try await withRedisHolds { world, _ in
            let dropper = AccountID.fresh()
            func place(_ account: AccountID) async throws(HoldFailure) -> Hold {
                try await world.store.place(
                    NewHold(
                        id: .fresh(),
                        session: world.session,
                        account: account,
                        selection: .best(.init(quantity: 2)),
                        limit: 4,
                        lifetime: .seconds(60),
                        epoch: 1,
                        pass: nil,
                        coolsDown: true
                    )
                )
            }
            for _ in 0..<6 {
                let hold = try await place(dropper)
                try await world.store.release(hold.id, in: world.session, by: dropper)
            }
            let failure = await refusal { try await place(dropper) }
            guard case .coolingDown(let left) = failure else {
                Issue.record("not cooled down: \(String(describing: failure))")
                return
            }
            #expect(left > .seconds(10) && left <= .seconds(15))
            // Others are not concerned.
            let other = try await place(.fresh())
            #expect(other.seats.count == 2)
            #expect(try await world.counts().free == 18)
        }
    }

    @Test func `holds sprayed to leave single seats are refused, and what is left stays sellable (T38)`() async throws {
        try await withRedisHolds { world, _ in
            var refused = 0
            for seat in stride(from: SeatNumber(1), to: 20, by: 2) {
                let failure = await refusal { try await world.choose(.named([seat], leavesNoOrphan: true)) }
                if case .orphanSeats = failure { refused += 1 }
            }
            #expect(refused > 0)
            let letters = try await world.letters().joined()
            var together = 0
            while (try? await world.choose(.best(.init(quantity: 2, isTogether: true)))) != nil { together += 1 }
            #expect(together >= letters.count { $0 == "F" } / 4, "\(letters)")
        }
    }
}
