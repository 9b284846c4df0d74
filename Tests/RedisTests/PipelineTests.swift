import NIOCore
import NIOPosix
import Redis
import Testing
import TestSupport

@Suite struct PipelineTests {
    @Test func `replies arrive in the order of the commands`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                let commands = (0..<2_000).map { [RedisArgument.text("INCRBY"), "n", .integer($0)] }
                let replies = try await client.pipeline(commands)
                var sum = 0
                let expected = (0..<2_000).map { number in
                    sum += number
                    return RedisValue.integer(sum)
                }
                #expect(replies == expected)
            }
        }
    }

    @Test func `concurrent calls each get their own reply`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: { $0.connectionCount = 2 }) { client in
                try await withThrowingTaskGroup(of: (Int, RedisValue).self) { tasks in
                    for number in 0..<1_000 {
                        tasks.addTask { (number, try await client.call(["ECHO", .integer(number)])) }
                    }
                    for try await (number, reply) in tasks { #expect(reply.asInteger == number) }
                }
            }
        }
    }

    @Test func `a future arrives on the caller's loop`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                for loop in redis.eventLoopGroup.makeIterator() {
                    let isOnLoop = try await client.callFuture(["PING"], on: loop).map { value in
                        loop.inEventLoop && value == .status("PONG")
                    }.get()
                    #expect(isOnLoop)
                    let pair = try await client.pipelineFuture([["ECHO", "a"], ["NOSUCH"]], on: loop).get()
                    #expect(pair.first == .bytes(Array("a".utf8)))
                    #expect(pair.last?.asError?.hasPrefix("ERR unknown command") == true)
                }
            }
        }
    }

    @Test func `keys and values may hold any bytes`() async throws {
        let all = (0...255).map { UInt8($0) } + Array("\r\n$5\r\n*2\r\n".utf8)
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                _ = try await client.call(["SET", .bytes(all), .bytes(all.reversed())])
                #expect(try await client.call(["GET", .bytes(all)]) == .bytes(all.reversed()))
                #expect(try await client.call(["EXISTS", .bytes(all)]).asInteger == 1)
                #expect(try await client.call(["SET", "empty", .bytes([])]) == .status("OK"))
                #expect(try await client.call(["GET", "empty"]) == .bytes([]))
            }
        }
    }

    /// Parts above the channel's high watermark and below the socket's buffer make a write turn the channel unwritable
    /// and writable again at once.
    @Test(arguments: [1_000, 70_000, 100_000, 150_000, 1_000_000])
    func `what is written at once is sent once`(size: Int) async throws {
        let part = [UInt8](repeating: 7, count: size)
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                for _ in 0..<3 { _ = try await client.call(["APPEND", "all", .bytes(part)]) }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<17 {
                        tasks.addTask { _ = try await client.call(["APPEND", "all", .bytes(part)]) }
                    }
                    try await tasks.waitForAll()
                }
                #expect(try await client.call(["STRLEN", "all"]) == .integer(20 * size))
            }
        }
    }

    @Test func `a value of many megabytes comes back whole`() async throws {
        let large = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                _ = try await client.call(["SET", "large", .bytes(large)])
                #expect(try await client.call(["GET", "large"]) == .bytes(large))
            }
        }
    }

    @Test func `null, nested and empty arrays keep their shape`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                #expect(try await client.call(["GET", "absent"]) == .null)
                #expect(try await client.call(["LRANGE", "absent", 0, -1]) == .array([]))
                let script = "return {1, {'a', {}, {false, {2}}}, 'b'}"
                #expect(
                    try await client.call(["EVAL", .text(script), 0])
                        == .array([
                            .integer(1),
                            .array([
                                .bytes(Array("a".utf8)), .array([]), .array([.null, .array([.integer(2)])]),
                            ]),
                            .bytes(Array("b".utf8)),
                        ])
                )
                _ = try await client.call(["HSET", "h", "x", "1", "y", "two"])
                let fields = try await client.call(["HGETALL", "h"]).asDictionary
                #expect(fields?["x"]?.asInteger == 1)
                #expect(fields?["y"]?.asText == "two")
            }
        }
    }

    @Test func `an error reply is refused with the server's words`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                _ = try await client.call(["SET", "text", "x"])
                let failure = await outcome { try await client.call(["INCR", "text"]) }
                #expect(failure == .refused(message: "ERR value is not an integer or out of range"))
                let replies = try await client.pipeline([["INCR", "text"], ["GET", "text"]])
                #expect(
                    replies == [
                        .error("ERR value is not an integer or out of range"), .bytes(Array("x".utf8)),
                    ]
                )
                #expect(try await client.pipeline([]).isEmpty)
            }
        }
    }
}
