import Foundation
import Glibc
import Testing

/// Who leads a room of three gateways when its leader is killed, or frozen and woken again.
@Suite(.serialized) struct TrioLeaderTests {
    /// A room that calls a place a second, so that whoever leads shows it.
    private func open(_ trio: Trio) async throws -> Int {
        try await trio.makeRoom(Trio.policy(perMinute: 60, activeMax: 200))
        _ = try await trio.joinAll(0..<60)
        return try await leader(trio, among: [0, 1, 2])
    }

    private func leader(_ trio: Trio, among indices: [Int]) async throws -> Int {
        var found: Int?
        try await eventually("one of \(indices) leads", within: .seconds(60)) {
            found = await trio.leader(of: trio.room, among: indices)
            return found != nil
        }
        return try #require(found)
    }

    private func lease(_ trio: Trio) async throws -> (owner: String, fence: Int) {
        let lease = try await trio.redis("HMGET", "{r:\(trio.room)}:leader", "owner", "fence").split(separator: "\n")
        return (lease.first.map(String.init) ?? "", lease.last.flatMap { Int($0) } ?? 0)
    }

    private func cursor(_ trio: Trio) async throws -> Int {
        Int(try await trio.redis("HGET", "{r:\(trio.room)}:meta", "cursor")) ?? 0
    }

    /// Says how long the room stood without a leader.
    private func takeOver(_ trio: Trio, from old: Int, since: ContinuousClock.Instant) async throws -> Int {
        let next = try await leader(trio, among: [0, 1, 2].filter { $0 != old })
        print("another gateway leads \(ContinuousClock.now - since) after the leader was gone")
        return next
    }

    @Test func `another takes over from a leader that is killed, and from one that is frozen and wakes`() async throws {
        try await Trio.with { trio in
            try await killLeader(trio.with(room: "killed"))
            try await freezeLeader(trio.with(room: "frozen"))
        }
    }

    private func killLeader(_ trio: Trio) async throws {
        let old = try await open(trio)
        let before = try await lease(trio)
        let called = try await cursor(trio)
        let since = ContinuousClock.now
        try await trio.kill(old)
        let next = try await takeOver(trio, from: old, since: since)
        let after = try await lease(trio)
        #expect(next != old && after.owner != before.owner && after.fence > before.fence)
        try await eventually("the line goes on", within: .seconds(60)) { try await cursor(trio) > called + 2 }
        if old == 0 { try await trio.waitUntilReady(0) } else { try await trio.start(old) }
        try await trio.expectOrderIsProved()
    }

    /// A leader that wakes after its lease changes nothing more.
    private func freezeLeader(_ trio: Trio) async throws {
        let old = try await open(trio)
        let before = try await lease(trio)
        let since = ContinuousClock.now
        try await trio.signal(SIGSTOP, gateway: old)
        let next = try await takeOver(trio, from: old, since: since)
        #expect(next != old)
        let fence = try await lease(trio).fence
        #expect(fence > before.fence)
        try await trio.signal(SIGCONT, gateway: old)
        try await eventually("the old leader knows that another leads", within: .seconds(60)) {
            await trio.leader(of: trio.room) == next
        }
        // Every call since was the new leader's: the lease never went back, and no second is called twice.
        let now = try await lease(trio)
        #expect(now.fence == fence && now.owner != before.owner)
        // What it would still say with its old lease is refused.
        let room = "{r:\(trio.room)}:"
        let called = try await cursor(trio)
        let library = try await trio.redis("FUNCTION", "LIST", "LIBRARYNAME", "rooms*")
        let advance = try #require(
            library.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .first { $0.hasPrefix("advance_") }
        )
        let refused = try await trio.redis(
            "FCALL",
            advance,
            "6",
            room + "meta",
            room + "calls",
            room + "presence",
            room + "leader",
            room + "moves",
            room + "extended",
            before.owner,
            "\(before.fence)",
            "60",
            "60",
            "open"
        )
        #expect(refused == "0")
        #expect(try await cursor(trio) < called + 30)
        try await trio.expectOrderIsProved()
    }
}
