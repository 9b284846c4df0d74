import BookingDatabase
import Events
import Ordering
import Redis
import Synchronization
import TestSupport
import Testing

@testable import BookingServer

@Suite struct EventMemberTests {
    private static func publish(_ world: EventWorld, _ relay: EventRelay) async throws {
        try await eventually {
            try await world.publishAll(relay)
            return try await world.events.waiting(countMax: 1).count == 0
        }
    }

    @Test func `T16: an event that is delivered again has no second effect`() async throws {
        try await EventWorld.with { world in
            let orders = (0..<20).map { _ in EventWorld.aggregate() }
            for order in orders { try await world.write(order, 1...3) }
            try await Self.publish(world, try world.relay())
            try await world.handleAll(try world.member())
            #expect(try await world.effectCount() == 60)

            for change in ["position = 0", "position = 0, cut_xid = '0', cut_pos = 0"] {
                try await world.run("UPDATE event_partition SET \(change)")
                try await world.handleAll(try world.member())
            }
            #expect(try await world.effectCount() == 60)
            for order in orders { #expect(try await world.effects(of: order) == [1, 2, 3]) }
        }
    }

    @Test(arguments: ["FLUSHALL", "XTRIM", "XDEL"])
    func `T32: what Redis loses between relay and consumer is read from the outbox`(loss: String) async throws {
        try await EventWorld.with { world in
            let orders = (0..<30).map { _ in EventWorld.aggregate() }
            let (relay, member) = (try world.relay(), try world.member("member", lease: .milliseconds(400)))
            for order in orders { try await world.write(order, 1...2) }
            try await Self.publish(world, relay)
            try await world.handleAll(member)
            for order in orders { try await world.write(order, 3...6) }
            try await Self.publish(world, relay)
            switch loss {
            case "FLUSHALL": _ = try await world.client.call(["FLUSHALL"])
            case "XTRIM":
                for number in 0..<EventPartition.count {
                    _ = try await world.client.call(["XTRIM", EventStreams.key(number), "MAXLEN", 1])
                }
            default:
                // Holes in the middle.
                for number in 0..<EventPartition.count {
                    let last = try await world.client.call(["XRANGE", EventStreams.key(number), "-", "+"])
                    let ids = last.asArray?.compactMap { $0.asArray?.first?.asText } ?? []
                    for id in ids.dropLast(2).suffix(3) {
                        _ = try await world.client.call(["XDEL", EventStreams.key(number), .text(id)])
                    }
                }
            }
            for order in orders.prefix(5) { try await world.write(order, 7...7) }
            try await Self.publish(world, relay)
            try await eventually {
                try await world.handleAll(member)
                return try await world.effectCount() == 185
            }
            for (index, order) in orders.enumerated() {
                #expect(try await world.effects(of: order) == Array(1...(index < 5 ? 7 : 6)))
            }
        }
    }

    @Test func `T32: an event that cannot be handled is parked, its successors behind it, others go on`() async throws {
        try await EventWorld.with { world in
            let (sick, well) = (EventWorld.aggregate(), EventWorld.aggregate())
            let (relay, member) = (try world.relay(), try world.member("member", lease: .milliseconds(200)))
            try await world.run("INSERT INTO poison VALUES ('\(EventWorld.subject(sick))', 2)")
            try await world.write(sick, 1...4)
            try await world.write(well, 1...4)
            try await Self.publish(world, relay)
            try await world.handleAll(member)
            #expect(try await world.effects(of: sick) == [1])
            #expect(try await world.effects(of: well) == [1, 2, 3, 4])

            try await world.write(sick, 5...5)
            try await Self.publish(world, relay)
            try await world.handleAll(member)
            let parked = try await world.events.parked(limit: 10).sorted { $0.event.sequence < $1.event.sequence }
            #expect(parked.map(\.event.sequence) == [2, 3, 4, 5])
            #expect(parked.map(\.attempts) == [2, 0, 0, 0])
            #expect(parked[0].reason.contains("division by zero"))

            // Tried again in vain, then with success.
            #expect(try await world.events.retryParked(group: "test", event: parked[0].event.id))
            try await eventually {
                _ = try await member.step()
                return try await world.events.parked(limit: 10).contains { $0.attempts == 3 && !$0.isToBeRetried }
            }
            #expect(try await world.effects(of: sick) == [1])
            try await world.run("DELETE FROM poison")
            #expect(try await world.events.retryParked(group: "test", event: parked[0].event.id))
            try await eventually {
                _ = try await member.step()
                return try await world.effects(of: sick) == [1, 2, 3, 4, 5]
            }
            #expect(try await world.events.parkedCount() == 0)
        }
    }

    @Test func `a group's lag is what is published and not yet handled`() async throws {
        try await EventWorld.with { world in
            let (relay, member) = (try world.relay(), try world.member("member", lease: .milliseconds(400)))
            try await world.handleAll(member)
            for _ in 0..<20 { try await world.write(EventWorld.aggregate(), 1...3, age: "1 hour") }
            let before = try await world.events.lags(countMax: 100)
            #expect(before == [GroupLag(group: "test", count: 0, oldest: .zero)])
            try await Self.publish(world, relay)
            let behind = try #require(try await world.events.lags(countMax: 100).first)
            #expect(behind.count == 60)
            #expect(behind.oldest >= .seconds(3600))
            try await eventually {
                try await world.handleAll(member)
                return try await world.events.lags(countMax: 100).first?.count == 0
            }
            #expect(try await world.effectCount() == 60)
        }
    }

    @Test func `an event that staff give up lets those behind it go on`() async throws {
        try await EventWorld.with { world in
            let sick = EventWorld.aggregate()
            let member = try world.member("member", lease: .milliseconds(200))
            try await world.run("INSERT INTO poison VALUES ('\(EventWorld.subject(sick))', 1)")
            try await world.write(sick, 1...3)
            try await Self.publish(world, try world.relay())
            try await world.handleAll(member)
            let first = try #require(try await world.events.parked(limit: 10).first { $0.event.sequence == 1 })
            #expect(try await world.events.skipParked(group: "test", event: first.event.id))
            #expect(try await !world.events.skipParked(group: "test", event: first.event.id))
            try await eventually {
                _ = try await member.step()
                return try await world.effects(of: sick) == [2, 3]
            }
        }
    }

    @Test func `members share the partitions and one that leaves gives its own back`() async throws {
        try await EventWorld.with { world in
            let members = [
                try world.member("a", lease: .milliseconds(400)), try world.member("b", lease: .milliseconds(400)),
            ]
            _ = try await members[0].step()
            #expect(await members[0].heldPartitions == Array(0..<10))
            try await eventually {
                for member in members { _ = try await member.step() }
                return await members[0].heldPartitions.count == 5
            }
            try await eventually {
                for member in members { _ = try await member.step() }
                return await members[1].heldPartitions.count == 5
            }
            #expect(await Set(members[0].heldPartitions).isDisjoint(with: members[1].heldPartitions))
            try await world.events.leave(group: "test", owner: "a")
            try await eventually {
                _ = try await members[1].step()
                return await members[1].heldPartitions == Array(0..<10)
            }
        }
    }

    @Test func `T16: a member that acts on partitions it has lost has no effect of its own`() async throws {
        try await EventWorld.with { world in
            let order = EventWorld.aggregate()
            try await world.write(order, 1...3)
            try await Self.publish(world, try world.relay())
            let lost = try world.member("lost")
            _ = try await world.events.begin(group: "test")
            // Both believe that they hold everything.
            _ = try await world.events.beat(group: "test", owner: "lost", lease: .seconds(30), passing: false)
            let events = try await world.published()
            try await world.run("UPDATE event_partition SET owner = 'new'")
            let effect = world.group.effect(events)
            let done = try await world.events.handle(events, effect: effect, group: "test", owner: "new", moved: [])
            let late = try await world.events.handle(events, effect: effect, group: "test", owner: "lost", moved: [])
            #expect(done == .done)
            #expect(late == .repeated)
            try await world.handleAll(lost)
            #expect(try await world.effects(of: order) == [1, 2, 3])
        }
    }

    @Test func `T16: members that come, die and are torn from their work keep each order's events in order`()
        async throws
    {
        try await EventWorld.with { world in
            let orders = (0..<40).map { _ in EventWorld.aggregate() }
            let rounds = 12
            let end = End()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<rounds {
                        for order in orders { try await world.write(order, round * 2 + 1...round * 2 + 2) }
                    }
                }
                group.addTask {
                    let relay = try world.relay()
                    while !end.isReached {
                        _ = try await relay.step()
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
                for chain in 0..<3 {
                    group.addTask {
                        // One member after the other ends without a word, at any point of its work.
                        var life = 0
                        while !end.isReached {
                            life += 1
                            let member = try world.member("member-\(chain)-\(life)", lease: .milliseconds(200))
                            for _ in 0..<Int.random(in: 5...60) {
                                // What fails here is tried again by whoever comes next.
                                _ = try? await member.step()
                                try await Task.sleep(for: .milliseconds(2))
                            }
                        }
                    }
                }
                group.addTask {
                    defer { end.reach() }
                    try await eventually(within: .seconds(90)) {
                        try await world.effectCount() == orders.count * rounds * 2
                    }
                }
                try await group.waitForAll()
            }
            for order in orders { #expect(try await world.effects(of: order) == Array(1...rounds * 2)) }
        }
    }
}

private final class End: Sendable {
    private let flag = Atomic(false)
    var isReached: Bool { flag.load(ordering: .relaxed) }
    func reach() { flag.store(true, ordering: .relaxed) }
}
