// A server in trouble: without memory, busy with somebody's script, or a replica that was promoted too early.

import Holds
import Ordering
import Redis
import TestSupport
import Testing

@Suite struct RedisTroubleTests {
    @Test func `without memory nothing is held and nothing is lost, and with it the sale goes on (T30)`() async throws {
        try await withRedisHolds { world, redis in
            let kept = try await world.place([0])
            let before = try await world.letters()
            try await configure(redis, "maxmemory", "1")
            await expectUnavailable { try await world.place([1]) }
            let told = await world.store.project([world.projection(of: kept, .sold)])
            #expect(told[0].isUnavailable)

            try await configure(redis, "maxmemory", "0")
            #expect(try await world.letters() == before)
            await world.project(world.projection(of: kept, .sold))
            _ = try await world.place([1])
            #expect(try await world.letters() == ["SHFFF|FFFFF|", "FFFFFFFFFF|"])
        }
    }

    @Test func `a server busy with a script refuses holds until the script is killed (T30)`() async throws {
        try await withRedisHolds { world, redis in
            let kept = try await world.place([0])
            try await configure(redis, "busy-reply-threshold", "20")
            try await redis.withClient { rescuer in
                // Nobody new can connect to a busy server.
                _ = try await rescuer.call(["PING"])
                try await redis.withClient { other in
                    async let script = refused(other, ["EVAL", "while true do end", "0"])
                    try await eventually {
                        await refusal { try await world.place([1]) }.isUnavailable
                    }
                    _ = try await rescuer.call(["SCRIPT", "KILL"])
                    let ended = await script
                    #expect(ended?.contains("killed") == true, "\(ended ?? "not refused")")
                }
            }
            try await eventually { (try? await world.letters()) != nil }
            #expect(try await world.store.hold(kept.id, in: world.session) == kept)
            _ = try await world.place([5])
        }
    }

    @Test func `a replica that missed a hold and was promoted serves nothing until it is built anew (T30)`()
        async throws
    {
        try await withRedisHolds { world, first in
            let known = try await world.place([0])
            let port = try await openPort(first)
            try await withTemporaryRedis { second in
                try await second.withClient { replica in
                    _ = try await replica.call(["REPLICAOF", "127.0.0.1", .text("\(port)")])
                    let copy = RedisHoldStore(redis: replica)
                    let hash: [RedisArgument] = ["HEXISTS", .text("{s:\(world.session)}:hold"), .text("\(known.id)")]
                    try await eventually {
                        try await replica.call(hash) == .integer(1)
                    }
                    _ = try await replica.call(["REPLICAOF", "NO", "ONE"])
                    let missed = try await world.place([1])
                    await first.kill()

                    #expect(try await copy.epochs(of: [world.session]) == [nil])
                    let promoted = HoldWorld(store: copy, layout: world.layout, session: world.session) {}
                    await expectUnavailable { try await promoted.place([1]) }
                    await expectUnavailable { try await promoted.letters() }
                    let told = await copy.project([promoted.projection(of: missed, .sold)])
                    #expect(told[0].isUnavailable)

                    try await promoted.load(epoch: 2, claims: [promoted.claim(of: missed, .sold)])
                    #expect(try await promoted.letters() == ["FSFFF|FFFFF|", "FFFFFFFFFF|"])
                    await expectRefusal(.notFound) { try await copy.hold(known.id, in: world.session) }
                    _ = try await promoted.place([0], epoch: 2)
                }
            }
        }
    }

    private struct NoFreePort: Error {}

    private func configure(_ redis: TemporaryRedis, _ name: String, _ value: String) async throws {
        _ = try await redis.withClient { try await $0.call(["CONFIG", "SET", .text(name), .text(value)]) }
    }

    /// What a call is refused with.
    private func refused(_ client: RedisClient, _ words: [RedisArgument]) async -> String? {
        do {
            _ = try await client.call(words)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Makes the server listen on a free port of 127.0.0.1, as replicas need one.
    private func openPort(_ redis: TemporaryRedis) async throws -> Int {
        try await redis.withClient { client in
            for _ in 0..<100 {
                let port = Int.random(in: 20_000..<30_000)
                if await refused(client, ["CONFIG", "SET", "port", .text("\(port)")]) == nil { return port }
            }
            throw NoFreePort()
        }
    }
}

extension HoldWorld {
    fileprivate func claim(of hold: Hold, _ state: SessionInventory.Claim.State) -> SessionInventory.Claim {
        SessionInventory.Claim(
            seat: hold.seats[0],
            state: state,
            order: .fresh(),
            hold: hold.id,
            account: hold.account,
            deadline: hold.deadline
        )
    }
}
