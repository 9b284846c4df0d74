// Long random histories: Redis and the fake give the same answers, and the counts match the letters.

import Ordering
import TestSupport
import Testing

@Suite struct AgreementTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `Redis and the fake agree on a random history`(_ seed: UInt64) async throws {
        try await withRedisHolds { real, _ in
            let fakeStore = FakeHoldStore()
            let fake = HoldWorld(store: fakeStore, layout: real.layout, session: real.session) {}
            try await fake.load()
            var random = Seeded(state: seed)
            var holds: [Hold] = []
            let accounts = (1...5).map { AccountID(high: 0, low: $0) }
            for step in 0..<600 {
                let account = accounts[Int.random(in: 0..<5, using: &random)]
                let known = holds.randomElement(using: &random)
                let (left, right): (Answer, Answer)
                switch Int.random(in: 0..<10, using: &random) {
                case 0...4:
                    let seats = Set(
                        (0..<Int.random(in: 1...3, using: &random)).map { _ in
                            SeatNumber.random(in: 0...20, using: &random)
                        }
                    ).sorted()
                    let id = HoldID(high: 0, low: UInt64(step))
                    let pass = Bool.random(using: &random) ? "pass-\(Int.random(in: 0..<8, using: &random))" : nil
                    left = await answer { try await real.place(seats, id: id, by: account, limit: 6, pass: pass) }
                    right = await answer { try await fake.place(seats, id: id, by: account, limit: 6, pass: pass) }
                    if case .hold(let hold) = left { holds.append(hold) }
                case 5:
                    guard let known else { continue }
                    let by = Bool.random(using: &random) ? known.account : account
                    left = await answer { try await real.store.release(known.id, in: real.session, by: by) }
                    right = await answer { try await fake.store.release(known.id, in: real.session, by: by) }
                case 6:
                    guard let known else { continue }
                    left = await answer { try await real.store.hold(known.id, in: real.session) }
                    right = await answer { try await fake.store.hold(known.id, in: real.session) }
                default:
                    guard let known else { continue }
                    let outcomes: [SeatProjection.Outcome] = [
                        .pinned(until: Moment(milliseconds: 9_000_000_000_000)), .sold, .free,
                    ]
                    guard let outcome = outcomes.randomElement(using: &random) else { continue }
                    let projection = real.projection(of: known, order: OrderID(high: 0, low: known.id.low), outcome)
                    left = .failure(await real.store.project([projection])[0])
                    right = .failure(await fake.store.project([projection])[0])
                }
                #expect(left.isSame(as: right), "step \(step): \(left) and \(right)")
                let state = try await real.store.letters(of: real.session, sections: 2)
                #expect(state == (try await fake.store.letters(of: real.session, sections: 2)), "step \(step)")
                let counts = try await real.counts()
                #expect(counts == (try await fake.counts()), "step \(step)")
                let letters = state.sections.joined()
                #expect(counts.free == letters.count { $0 == "F" })
                #expect(counts.held + counts.pending == letters.count { $0 == "H" })
                #expect(counts.sold == letters.count { $0 == "S" })
            }
            #expect(holds.count > 20)
        }
    }

    private enum Answer {
        case hold(Hold)
        case done
        case failure(HoldFailure?)

        /// Deadlines are set by two clocks, so they are not compared.
        func isSame(as other: Answer) -> Bool {
            switch (self, other) {
            case (.hold(let left), .hold(var right)):
                right.deadline = left.deadline
                return left == right
            case (.done, .done): return true
            case (.failure(let left), .failure(let right)): return left == right
            default: return false
            }
        }
    }

    private func answer<Value>(_ call: () async throws -> Value) async -> Answer {
        do {
            let value = try await call()
            return (value as? Hold).map { .hold($0) } ?? .done
        } catch {
            if let failure = error as? HoldFailure { return .failure(failure) }
            Issue.record(error)
            return .done
        }
    }
}

/// SplitMix64: the same history for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
