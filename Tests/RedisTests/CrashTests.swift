// Many calls while the server dies and comes back: what the client says about each call must be true.

import Logging
import NIOCore
import NIOPosix
import Redis
import Synchronization
import TestSupport
import Testing

@Suite struct CrashTests {
    private final class Tally: Sendable {
        struct Counts {
            var done = 0
            var unknown = 0
            var notSent = 0
            var isOver = false
        }

        let counts = Mutex(Counts())

        func count(_ failure: RedisFailure?) {
            counts.withLock { counts in
                switch failure {
                case nil: counts.done += 1
                case .notSent: counts.notSent += 1
                default: counts.unknown += 1
                }
            }
        }

        var now: Counts { counts.withLock { $0 } }
        func end() { counts.withLock { $0.isOver = true } }
    }

    @Test func `no call is lost or done twice when the server is killed again and again`() async throws {
        // With `everysec` Redis answers before it writes while an fsync is running, so a kill could lose an answer.
        try await withTemporaryRedis(extraArguments: ["--appendfsync", "always"]) { redis in
            try await redis.withClient(adjust: {
                $0.connectionCount = 2
                $0.lossGrace = .milliseconds(20)
                $0.backOffMax = .milliseconds(100)
            }) { client in
                let tally = Tally()
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<16 {
                        tasks.addTask {
                            while !tally.now.isOver, !Task.isCancelled {
                                tally.count(await outcome { try await client.call(["INCR", "n"]) })
                                await Task.yield()
                            }
                        }
                    }
                    for _ in 0..<4 {
                        let before = tally.now.done
                        try await eventually { tally.now.done > before + 500 }
                        await redis.kill()
                        try await redis.restart()
                    }
                    try await eventually { client.isReady }
                    tally.end()
                    try await tasks.waitForAll()
                }
                let counted = try #require(try await client.call(["GET", "n"]).asInteger)
                let told = tally.now
                #expect(counted >= told.done, "a call that was answered is lost")
                #expect(counted <= told.done + told.unknown, "a call that was `notSent` has happened")
                #expect(told.unknown > 0)
                #expect(told.notSent > 0)
            }
        }
    }

    @Test func `stopping answers what is in flight first`() async throws {
        try await withTemporaryRedis { redis in
            var configuration = try redis.configuration()
            configuration.callDeadline = .seconds(20)
            let client = RedisClient(
                configuration: configuration,
                eventLoopGroup: redis.eventLoopGroup,
                logger: Logger(label: "test.redis")
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await client.run() }
                _ = try await client.call(["PING"])
                await redis.pause()
                let reply = client.callFuture(["INCR", "n"], on: redis.eventLoopGroup.next())
                tasks.cancelAll()
                let late = client.callFuture(["PING"], on: redis.eventLoopGroup.next())
                await redis.resume()
                let value = try await reply.get()
                #expect(value == .integer(1))
                try await tasks.waitForAll()
                let refused = await outcome { try await late.get() }
                #expect(refused.isNotSent)
            }
        }
    }

    @Test func `a connection that says nothing is given up, and made again`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: {
                $0.stallMax = .milliseconds(50)
                $0.connectDeadline = .milliseconds(200)
            }) { client in
                _ = try await client.call(["PING"])
                await redis.pause()
                let failure = await outcome { try await client.call(["PING"], deadline: .milliseconds(50)) }
                #expect(failure.isUnknownOutcome)
                try await eventually { !client.isReady }
                await redis.resume()
                try await eventually { client.isReady }
                #expect(try await client.call(["PING"]) == .status("PONG"))
            }
        }
    }
}
