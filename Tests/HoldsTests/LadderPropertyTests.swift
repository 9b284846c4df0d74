// The chooser in Redis beside one that looks at every place, over random maps; and what must hold of any answer.

import Holds
import Ordering
import Redis
import TestSupport
import Testing

@Suite struct LadderPropertyTests {
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `on random maps the choice is the one of looking everywhere`(_ seed: UInt64) async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                var random = Seeded(state: seed)
                var adjacent = 0
                for map in 0..<60 {
                    adjacent += try await Self.play(map, RedisHoldStore(redis: client), &random)
                }
                #expect(adjacent > 50)
            }
        }
    }

    @Test func `a storm of best-available holds sells every seat and refuses nobody while seats are left (T3)`()
        async throws
    {
        let layout = Self.layout(rows: 20, seats: 10)
        try await withHolds(.redis, layout: layout) { world in
            let total = world.layout.seatCount
            let outcomes = await withTaskGroup(of: (wanted: Int, Result<Hold, any Error>).self) { tasks in
                for number in 0..<120 {
                    tasks.addTask {
                        let wanted = number % 4 + 1
                        do {
                            return (wanted, .success(try await world.choose(.best(.init(quantity: wanted)))))
                        } catch {
                            return (wanted, .failure(error))
                        }
                    }
                }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
            var held: [SeatNumber] = []
            for (wanted, outcome) in outcomes {
                switch outcome {
                case .success(let hold):
                    #expect(hold.seats.count == wanted)
                    held += hold.seats
                case .failure(let failure):
                    guard case .tooFewFree(let free) = failure as? HoldFailure else { throw failure }
                    #expect(free < wanted)
                }
            }
            #expect(Set(held).count == held.count)
            while let rest = try? await world.choose(.best(.init(quantity: 4, isPartial: true))) { held += rest.seats }
            #expect(Set(held).count == total && held.count == total)
            #expect(try await world.counts().free == 0)
        }
    }

    private static func layout(rows: Int, seats: Int) -> SessionLayout {
        let lines = (1...rows).map { SessionLayout.Row(label: "\($0)", first: 1, count: seats) }
        return SessionLayout(sections: [.init(name: "A", area: "A", price: Money(100, "EUR"), rows: lines)])
    }

    /// A random map and a dozen requests on it; how many were answered with seats together.
    private static func play(_ map: Int, _ store: RedisHoldStore, _ random: inout Seeded) async throws -> Int {
        let layout = randomLayout(&random)
        let taken = Double.random(in: 0...1, using: &random)
        let claims = (0..<layout.seatCount).filter { _ in Double.random(in: 0..<1, using: &random) < taken }.map {
            SessionInventory.Claim(
                seat: SeatNumber($0),
                state: .blocked,
                order: nil,
                hold: nil,
                account: nil,
                deadline: nil
            )
        }
        let world = HoldWorld(store: store, layout: layout, session: .fresh()) {}
        try await world.load(claims: claims)
        var adjacent = 0
        var holds: [Hold] = []
        for step in 0..<12 {
            let best = randomWish(layout, &random)
            let isFree = try await freeSeats(world)
            let brute = BruteChooser(layout, isFree: isFree, sections: best.sections)
            let (expected, found) = brute.choose(best, room: 60)
            let failure = await refusal { holds.append(try await world.choose(.best(best), limit: 60)) }
            let context = "map \(map) step \(step) \(best) \(try await world.letters())"
            if let expected {
                #expect(failure == nil && holds.last?.seats == expected, "\(context)")
                adjacent += try check(holds.last, best, isFree, layout, context)
            } else {
                #expect(
                    failure == (best.isTogether && !best.isPartial ? .notTogether : .tooFewFree(found)),
                    "\(context)"
                )
                let free = isFree.indices.count { seat in
                    isFree[seat] && isWanted(SeatNumber(seat), best, layout) && !layout.isAccessible(SeatNumber(seat))
                }
                #expect(best.isTogether || best.isAccessible || free < best.quantity, "\(context)")
            }
            if step % 4 == 3, let hold = holds.randomElement(using: &random) {
                try await store.release(hold.id, in: world.session, by: hold.account)
            }
        }
        return adjacent
    }

    /// What holds of any answer, whatever the ladder: free seats of the scope, as many as asked for, together if
    /// anything is together, and nobody left alone if that can be.
    private static func check(
        _ hold: Hold?,
        _ best: BestSeats,
        _ isFree: [Bool],
        _ layout: SessionLayout,
        _ context: String
    ) throws -> Int {
        let hold = try #require(hold)
        #expect(hold.seats.allSatisfy { isFree[Int($0)] && isWanted($0, best, layout) }, "\(context)")
        #expect(best.isPartial || hold.seats.count == best.quantity, "\(context)")
        #expect(hold.seats.contains(where: layout.isAccessible) == best.isAccessible, "\(context)")
        let isTogether = layout.groups(of: hold.seats).count == 1
        guard !best.isAccessible else { return isTogether ? 1 : 0 }
        let size = hold.seats.count
        let brute = BruteChooser(layout, isFree: isFree, sections: best.sections)
        let together = brute.choose(.init(quantity: size, isTogether: true), room: 60).seats
        #expect(isTogether == (together != nil), "\(context)")
        return isTogether ? 1 : 0
    }

    private static func isWanted(_ seat: SeatNumber, _ best: BestSeats, _ layout: SessionLayout) -> Bool {
        let section = layout.spot(of: seat).section
        return layout.sections[section].kind == .seats && (best.sections.isEmpty || best.sections.contains(section))
    }

    private static func freeSeats(_ world: HoldWorld) async throws -> [Bool] {
        try await world.letters().joined().filter { $0 != "|" }.map { $0 == "F" }
    }

    private static func randomLayout(_ random: inout Seeded) -> SessionLayout {
        let sections = (0..<Int.random(in: 1...3, using: &random)).map { index in
            let rows = (1...Int.random(in: 1...6, using: &random)).map { label in
                let count = Int.random(in: 1...18, using: &random)
                let isSpecial = Int.random(in: 0..<4, using: &random) == 0
                let accessible = (0..<count).filter { _ in isSpecial && Int.random(in: 0..<3, using: &random) == 0 }
                return SessionLayout.Row(label: "\(label)", first: 1, count: count, accessible: Set(accessible))
            }
            return SessionLayout.Section(name: "S\(index)", area: "S", price: Money(100, "EUR"), rows: rows)
        }
        let hall = SessionLayout.Section(name: "GA", area: "GA", price: Money(100, "EUR"), places: 9)
        return SessionLayout(sections: Bool.random(using: &random) ? sections + [hall] : sections)
    }

    private static func randomWish(_ layout: SessionLayout, _ random: inout Seeded) -> BestSeats {
        let sections = layout.sections.indices.filter { index in
            layout.sections[index].kind == .seats && Int.random(in: 0..<3, using: &random) == 0
        }
        return BestSeats(
            quantity: Int.random(in: 0..<10, using: &random) == 0 ? 14 : Int.random(in: 1...7, using: &random),
            sections: Bool.random(using: &random) ? sections.shuffled(using: &random) : [],
            isPartial: Bool.random(using: &random),
            isTogether: Int.random(in: 0..<5, using: &random) == 0,
            isAccessible: Int.random(in: 0..<6, using: &random) == 0
        )
    }
}
