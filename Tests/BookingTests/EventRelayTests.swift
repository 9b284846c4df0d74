import BookingDatabase
import Events
import Foundation
import Ordering
import Postgres
import Redis
import TestSupport
import Testing

@testable import BookingServer

@Suite struct EventRelayTests {
    @Test func `what a transaction writes is published once, in order, as CloudEvents`() async throws {
        try await EventWorld.with { world in
            let order = EventWorld.aggregate()
            try await world.write(order, 1...3)
            let relay = try world.relay()
            try await eventually {
                _ = try await relay.step()
                return try await world.sequences(of: order) == [1, 2, 3]
            }
            _ = try await relay.step()
            #expect(try await world.sequences(of: order) == [1, 2, 3])
            let event = try #require(try await world.published().first)
            #expect(event.type == "dev.usher.order.changed.v1")
            let json = try #require(try JSONSerialization.jsonObject(with: Data(event.body.utf8)) as? [String: Any])
            #expect(json["subject"] as? String == EventWorld.subject(order))
            #expect(json["id"] as? String == event.id)
            #expect(try await world.events.waiting(countMax: 10).count == 0)
        }
    }

    @Test func `T16: an event that commits late is not passed over, although its number is lower`() async throws {
        try await EventWorld.with { world in
            let (early, late) = (EventWorld.aggregate(), EventWorld.aggregate())
            let slow = try await world.open()
            try await slow.script(EventWorld.insert(late, 1...1))
            try await world.write(early, 1...1)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 1)

            let relay = try world.relay()
            _ = try await relay.step()
            // Its number is higher and it is there, but something may still come before it.
            #expect(try await world.published().isEmpty)

            try await world.commit(slow)
            try await eventually {
                _ = try await relay.step()
                return try await world.published().count == 2
            }
            #expect(try await world.sequences(of: late) == [1])
            #expect(try await world.sequences(of: early) == [1])
        }
    }

    @Test func `T16: an aggregate keeps its order when the later event's transaction began first`() async throws {
        try await EventWorld.with { world in
            let order = EventWorld.aggregate()
            let first = try await world.open()
            // Between both: holds the horizon where only the transaction that began first is below it.
            let between = try await world.open()
            try await world.write(order, 1...1)
            try await first.script(EventWorld.insert(order, 2...2))
            try await world.commit(first)

            let relay = try world.relay()
            try await eventually {
                _ = try await relay.step()
                return try await !world.published().isEmpty
            }
            #expect(try await world.sequences(of: order) == [1, 2])

            try await world.commit(between)
            try await eventually {
                _ = try await relay.step()
                return try await world.events.waiting(countMax: 10).count == 0
            }
            // Told again in its own turn: at least once.
            #expect(try await world.sequences(of: order) == [1, 2, 1])
            let member = try world.member()
            try await world.handleAll(member)
            #expect(try await world.effects(of: order) == [1, 2])
        }
    }

    @Test func `T32: what gathered while Redis was away is published when it is back`() async throws {
        try await EventWorld.with { world in
            let orders = (0..<40).map { _ in EventWorld.aggregate() }
            let relay = try world.relay()
            await world.redis.kill()
            for order in orders { try await world.write(order, 1...30) }
            try await eventually {
                do {
                    _ = try await relay.step()
                    return false
                } catch {
                    return true
                }
            }
            #expect(try await world.events.waiting(countMax: 10_000).count == 1200)
            try await world.redis.restart()
            try await eventually {
                while (try? await relay.step()) == true {}
                return try await world.events.waiting(countMax: 1).count == 0
            }
            for order in orders {
                var last = 0
                for sequence in try await world.sequences(of: order) {
                    #expect(sequence <= last + 1, "no first telling before its turn")
                    last = max(last, sequence)
                }
                #expect(last == 30)
            }
        }
    }

    @Test func `a relay that lost its lease records nothing`() async throws {
        try await EventWorld.with { world in
            let old = try #require(try await world.events.takeRelay(owner: "old", lease: .zero))
            let new = try #require(try await world.events.takeRelay(owner: "new", lease: .seconds(30)))
            #expect(new.batch > old.batch)
            #expect(try await world.events.takeRelay(owner: "old", lease: .seconds(30)) == nil)
            let place = OutboxPlace(transaction: 9, number: 9)
            let moved = try await world.events.advanceRelay(
                owner: "old",
                batch: old.batch,
                to: place,
                tails: old.tails,
                lease: .seconds(30)
            )
            #expect(moved == nil)
            #expect(try await world.events.relayState() == new)
        }
    }

    @Test func `two relays side by side publish everything, one at a time`() async throws {
        try await EventWorld.with { world in
            let order = EventWorld.aggregate()
            let relays = [
                try world.relay("one", lease: .milliseconds(200)), try world.relay("two", lease: .milliseconds(200)),
            ]
            try await world.write(order, 1...10)
            try await eventually {
                _ = try await relays[0].step()
                return try await world.sequences(of: order).count == 10
            }
            #expect(try await relays[1].step() == false)
            try await world.write(order, 11...20)
            // The first is never heard of again.
            try await eventually {
                _ = try await relays[1].step()
                return try await world.sequences(of: order) == Array(1...20)
            }
        }
    }

    @Test func `streams that are ahead of the database are overtaken`() async throws {
        try await EventWorld.with { world in
            for number in 0..<EventPartition.count {
                _ = try await world.client.call(["XADD", EventStreams.key(number), "5000-0", "x", "y"])
            }
            let order = EventWorld.aggregate()
            try await world.write(order, 1...2)
            let relay = try world.relay()
            try await eventually {
                _ = try? await relay.step()
                return try await world.sequences(of: order) == [1, 2]
            }
            #expect(try await world.events.relayState().batch > 5000)
            let member = try world.member()
            try await eventually {
                _ = try await member.step()
                return try await world.effects(of: order) == [1, 2]
            }
        }
    }

    @Test func `a stream stays near its bound and old events leave the outbox once all have them`() async throws {
        try await EventWorld.with(lengthMax: 100) { world in
            let order = EventWorld.aggregate()
            try await world.write(order, 1...1000, age: "2 hours")
            let (relay, member) = (try world.relay(), try world.member())
            let times = RetentionTimes(outbox: .seconds(3600), inbox: .seconds(7200), deliveries: .seconds(3600))
            _ = try await member.step()
            _ = try await world.events.clean(times, limit: 5000)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 1000)
            try await eventually {
                try await world.publishAll(relay)
                return try await world.events.waiting(countMax: 1).count == 0
            }
            #expect(try await world.sequences(of: order).count < 400)
            _ = try await world.events.clean(times, limit: 5000)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 1000)

            try await eventually {
                try await world.handleAll(member)
                return try await world.effectCount() == 1000
            }
            #expect(try await world.effects(of: order) == Array(1...1000))
            // Partitions without events follow with the next sign of life.
            let fresh = try world.member("member")
            _ = try await fresh.step()
            _ = try await world.events.clean(times, limit: 5000)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 0)
        }
    }
}
