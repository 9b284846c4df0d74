import Foundation
import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@Suite struct FailureTests {
    @Test func `a call without reply ends at its deadline with unknown outcome`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                _ = try await client.call(["PING"])
                await redis.pause()
                let begin = ContinuousClock.now
                let failure = await outcome {
                    try await client.call(["INCR", "n"], deadline: .milliseconds(150))
                }
                let waited = ContinuousClock.now - begin
                await redis.resume()
                #expect(failure.isUnknownOutcome, "\(String(describing: failure))")
                #expect(waited >= .milliseconds(150))
                #expect(waited < .seconds(2))
                // The late reply is swallowed: the next calls get their own.
                #expect(try await client.call(["ECHO", "mine"], deadline: .seconds(5)).asText == "mine")
                #expect(try await client.call(["GET", "n"]).asInteger == 1)
            }
        }
    }

    @Test func `a killed server fails what is in flight at once, and the client comes back`() async throws {
        try await withTemporaryRedis(extraArguments: ["--busy-reply-threshold", "1"]) { redis in
            try await redis.withClient(adjust: { $0.lossGrace = .zero }) { client in
                try await redis.withClient { observer in
                    let begin = ContinuousClock.now
                    async let busy = outcome {
                        try await client.call(["EVAL", "while true do end", 0], deadline: .seconds(30))
                    }
                    async let behind = outcome {
                        try await client.pipeline([["INCR", "a"], ["INCR", "a"]], deadline: .seconds(30))
                    }
                    try await eventually { await outcome { try await observer.call(["DBSIZE"]) } != nil }
                    await redis.kill()
                    for failure in await [busy, behind] {
                        #expect(failure.isUnknownOutcome, "\(String(describing: failure))")
                    }
                    #expect(ContinuousClock.now - begin < .seconds(20))
                }
                try await eventually { !client.isReady }

                let refused = await outcome { try await client.call(["PING"], deadline: .seconds(30)) }
                #expect(refused.isNotSent, "\(String(describing: refused))")

                try await redis.restart()
                try await eventually { client.isReady }
                #expect(try await client.call(["ECHO", "back"]).asText == "back")
            }
        }
    }

    @Test func `calls made just after a loss wait for the next connection`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: { $0.lossGrace = .seconds(20) }) { client in
                _ = try await client.call(["PING"])
                await redis.kill()
                try await eventually { !client.isReady }
                async let waiting = client.call(["ECHO", "patient"], deadline: .seconds(20))
                try await redis.restart()
                #expect(try await waiting.asText == "patient")
            }
        }
    }

    @Test func `calls beyond the bound are refused and not sent`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: { $0.inFlightMax = 10 }) { client in
                _ = try await client.call(["PING"])
                await redis.pause()
                let failures = await withTaskGroup(of: RedisFailure?.self) { tasks in
                    for _ in 0..<15 {
                        tasks.addTask {
                            await outcome { try await client.call(["INCR", "n"], deadline: .milliseconds(500)) }
                        }
                    }
                    return await tasks.reduce(into: []) { $0.append($1) }
                }
                await redis.resume()
                let refusedCount = failures.count { $0 == .tooManyInFlight }
                #expect(refusedCount == 5)
                try await eventually { (try? await client.call(["GET", "n"]).asInteger) == 10 }
                let tooLong = [[RedisArgument]](repeating: ["PING"], count: 11)
                let refused = await outcome { try await client.pipeline(tooLong) }
                #expect(refused == .tooManyInFlight)
            }
        }
    }

    @Test(arguments: [nil, "wrong"])
    func `a login the server refuses is told to callers`(password: String?) async throws {
        try await withTemporaryRedis(extraArguments: ["--requirepass", "right"]) { redis in
            try await redis.withClient(adjust: { $0.password = password }) { client in
                let failure = await outcome { try await client.call(["PING"]) }
                #expect(failure.isNotSent, "\(String(describing: failure))")
                #expect(failure.reason.hasPrefix(password == nil ? "NOAUTH" : "WRONGPASS"))
            }
            try await redis.withClient(adjust: { $0.password = "right" }) { client in
                let reply = try await client.call(["PING"])
                #expect(reply == .status("PONG"))
            }
            try await redis.withClient(adjust: { ($0.user, $0.password) = ("default", "right") }) { client in
                let reply = try await client.call(["PING"])
                #expect(reply == .status("PONG"))
            }
        }
    }

    @Test func `each client stays in its database, also after a reconnect`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(database: 3, adjust: { $0.lossGrace = .seconds(20) }) { client in
                _ = try await client.call(["SET", "where", "three"])
                _ = await outcome { try await client.call(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"]) }
                // A call that meets the dying connection ends with unknown outcome.
                try await eventually {
                    (try? await client.call(["GET", "where"], deadline: .seconds(20)).asText) == "three"
                }
            }
            try await redis.withClient { client in
                let reply = try await client.call(["GET", "where"])
                #expect(reply == .null)
            }
        }
    }

    @Test func `nobody listening is told as not sent`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let absent = RedisConfiguration(address: .unixSocket(path: "/tmp/usher-no-such-socket"))
        try await withRedisClient(absent, on: group) { client in
            let failure = await outcome { try await client.call(["PING"], deadline: .seconds(30)) }
            #expect(failure.isNotSent, "\(String(describing: failure))")
            #expect(!client.isReady)
        }
    }

    @Test func `a client that has stopped refuses calls`() async throws {
        try await withTemporaryRedis { redis in
            let client = try await redis.withClient { client in
                _ = try await client.call(["PING"])
                return client
            }
            let refused = await outcome { try await client.call(["PING"]) }
            #expect(refused == .notSent(reason: "the client has stopped"))
        }
    }

    @Test(arguments: ["?what\r\n", "+one\r\n+two\r\n", "$-5\r\n", "*1\r\n$x\r\n", ":12a\r\n"])
    func `a reply out of protocol closes the connection`(garbage: String) async throws {
        try await withStubServer(answering: garbage) { configuration, group in
            var slow = configuration
            slow.backOffFirst = .seconds(60)
            slow.backOffMax = .seconds(60)
            try await withRedisClient(slow, on: group) { client in
                let failure = await outcome { try await client.call(["GET", "x"], deadline: .seconds(20)) }
                try await eventually { !client.isReady }
                if garbage.hasPrefix("+one") {
                    // The first reply is a reply; the second is one nobody asked for.
                    #expect(failure == nil)
                } else {
                    #expect(failure.isUnknownOutcome, "\(String(describing: failure))")
                    #expect(failure.reason.hasPrefix("reply out of protocol"))
                }
            }
        }
    }

    @Test func `a reply over the size bound closes the connection`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: { $0.replyBytesMax = 100_000 }) { client in
                _ = try await client.call(["SET", "large", .bytes([UInt8](repeating: 1, count: 200_000))])
                let failure = await outcome { try await client.call(["GET", "large"], deadline: .seconds(20)) }
                #expect(failure == .unknownOutcome(reason: "reply out of protocol: longer than 100000 bytes"))
            }
        }
    }
}
