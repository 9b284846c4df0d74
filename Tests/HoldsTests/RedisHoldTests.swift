// What only the real store can show: the stream, the file, the functions, and agreement with the fake.

import Foundation
import Holds
import Ordering
import Redis
import TestSupport
import Testing

@Suite struct RedisHoldTests {
    @Test func `the stream of deltas repeats the seats letter by letter`() async throws {
        try await withRedisHolds { world, redis in
            let kept = try await world.place([0, 5, 10])
            let dropped = try await world.place([1])
            try await world.store.release(dropped.id, in: world.session, by: dropped.account)
            await world.project(world.projection(of: kept, .sold))
            let brief = try await world.place([2], lifetime: .milliseconds(1))
            try await untilPast(brief.deadline)
            _ = try await world.place([2, 3])

            let entries = try await redis.withClient { client in
                try await client.call(["XRANGE", "{s:\(world.session)}:log", "-", "+"])
            }
            var letters = [Character](repeating: "F", count: world.layout.seatCount)
            for entry in entries.asArray ?? [] {
                let fields = (entry.asArray?.last?.asArray ?? []).compactMap(\.asText)
                for index in stride(from: 0, to: fields.count, by: 2) {
                    for seat in fields[index + 1].split(separator: ",").compactMap({ Int($0) }) {
                        letters[seat] = Character(fields[index])
                    }
                }
            }
            let snapshot = try await world.store.letters(of: world.session, sections: 2)
            #expect(String(letters) == snapshot.sections.joined().replacing("|", with: ""))
            let lastID = entries.asArray?.last?.asArray?.first?.asText
            #expect(lastID == "\(snapshot.epoch)-\(snapshot.sequence)")
        }
    }

    @Test func `a session is closed after a restart of the server until it is built anew (T30)`() async throws {
        try await withRedisHolds { world, redis in
            let (kept, forgotten) = (try await world.place([0]), try await world.place([1]))
            await world.project(world.projection(of: kept, .pinned(until: inFuture(.seconds(60)))))
            await redis.kill()
            try await eventually { await refusal { try await world.counts() }.isUnavailable }
            try await redis.restart()
            try await eventually { (try? await world.store.epochs(of: [world.session])) == [nil] }
            // What the file has may be older than what was answered: nothing is held or shown by it.
            await expectUnavailable { try await world.place([2]) }
            await expectUnavailable { try await world.letters() }
            let told = await world.store.project([world.projection(of: kept, .sold)])
            #expect(told[0].isUnavailable)

            let claim = SessionInventory.Claim(
                seat: 0,
                state: .pending,
                order: .fresh(),
                hold: kept.id,
                account: kept.account,
                deadline: inFuture(.seconds(60))
            )
            try await world.load(epoch: 2, claims: [claim])
            #expect(try await world.store.epochs(of: [world.session]) == [2])
            await expectRefusal(.notFound) { try await world.store.hold(forgotten.id, in: world.session) }
            await world.project(world.projection(of: kept, .sold))
            #expect(try await world.letters() == ["SFFFF|FFFFF|", "FFFFFFFFFF|"])
        }
    }

    @Test func `the same epoch is loaded again after a restart`() async throws {
        try await withRedisHolds { world, redis in
            await redis.kill()
            try await redis.restart()
            try await eventually { await refusal { try await world.load(epoch: 1) } == nil }
            #expect(try await world.counts().free == 20)
            _ = try await world.place([0])
        }
    }

    @Test func `a lost library is loaded again and the session goes on (T30)`() async throws {
        try await withRedisHolds { world, redis in
            let hold = try await world.place([0])
            try await redis.withClient { client in _ = try await client.call(["FUNCTION", "FLUSH"]) }
            #expect(try await world.store.hold(hold.id, in: world.session) == hold)
            try await redis.withClient { client in _ = try await client.call(["FUNCTION", "FLUSH"]) }
            #expect(try await world.store.epochs(of: [world.session]) == [1])
        }
    }

    @Test func `every key of a session carries its tag and none ends by itself`() async throws {
        try await withRedisHolds { world, redis in
            _ = try await world.place([0], pass: "p")
            try await redis.withClient { client in
                let keys = (try await client.call(["KEYS", "*"]).asArray ?? []).compactMap(\.asText)
                #expect(keys.count >= 8)
                for key in keys {
                    #expect(key.hasPrefix("{s:\(world.session)}:"))
                    let life = try await client.call(["TTL", .text(key)])
                    #expect(life == .integer(-1))
                }
            }
        }
    }

    @Test func `a session of fifty thousand seats is rebuilt in seconds`() async throws {
        let section = { (name: String) in
            SessionLayout.Section(
                name: name,
                area: name,
                price: Money(100, "EUR"),
                rows: (1...50).map { SessionLayout.Row(label: "\($0)", first: 1, count: 100) }
            )
        }
        let layout = SessionLayout(sections: "ABCDEFGHIJ".map { section(String($0)) })
        var claims: [SessionInventory.Claim] = []
        for first in stride(from: 0, to: 50_000, by: 4) {
            let (order, hold, account) = (OrderID.fresh(), HoldID.fresh(), AccountID.fresh())
            for seat in first..<first + 4 {
                claims.append(
                    .init(
                        seat: SeatNumber(seat),
                        state: first.isMultiple(of: 8) ? .sold : .pending,
                        order: order,
                        hold: hold,
                        account: account,
                        deadline: Moment(milliseconds: 1)
                    )
                )
            }
        }
        try await withRedisHolds { [claims] world, _ in
            let session = SessionID.fresh()
            let begin = ContinuousClock.now
            try await world.store.load(
                SessionInventory(session: session, epoch: 7, layout: layout, claims: claims)
            )
            #expect(ContinuousClock.now - begin < .seconds(10))
            let counts = try await world.store.counts(of: session)
            #expect(counts == SeatCounts(free: 0, held: 0, pending: 25_000, sold: 25_000, blocked: 0))
            let letters = try await world.store.letters(of: session, sections: 10)
            #expect(letters.sections.allSatisfy { $0.utf8.count == 5050 })
        }
    }
}
