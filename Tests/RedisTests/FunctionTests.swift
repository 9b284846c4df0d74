import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@Suite struct FunctionTests {
    private static let source = """
        #!lua name=counting_@HASH@
        local function add(keys, args) return redis.call('INCRBY', keys[1], args[1]) end
        local function fail(keys, args) return redis.error_reply('BUSY try later') end
        redis.register_function('add_@HASH@', add)
        redis.register_function('fail_@HASH@', fail)
        """
    private let library = RedisFunctionLibrary(name: "counting", source: source)

    @Test func `a library is loaded by its first call`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                let add = library.function("add")
                let first = try await client.call(add, keys: ["n"], arguments: [5])
                let second = try await client.call(add, keys: ["n"], arguments: [2])
                #expect([first, second] == [.integer(5), .integer(7)])
            }
        }
    }

    @Test func `a lost library is loaded again and the call happens once`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                let add = library.function("add")
                let loop = redis.eventLoopGroup.next()
                _ = try await client.call(add, keys: ["n"], arguments: [1])
                _ = try await client.call(["FUNCTION", "FLUSH"])
                #expect(try await client.call(add, keys: ["n"], arguments: [1]) == .integer(2))
                _ = try await client.call(["FUNCTION", "FLUSH"])
                #expect(try await client.callFuture(add, keys: ["n"], arguments: [1], on: loop).get() == .integer(3))
            }
        }
    }

    @Test func `callers who miss the library together all get their answer`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient(adjust: { $0.connectionCount = 2 }) { client in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<100 {
                        tasks.addTask {
                            _ = try await client.call(library.function("add"), keys: ["n"], arguments: [1])
                        }
                    }
                    try await tasks.waitForAll()
                }
                #expect(try await client.call(["GET", "n"]).asInteger == 100)
                try await client.load(library)
            }
        }
    }

    @Test func `a function's own error is not taken for a lost library`() async throws {
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                let failure = await outcome { try await client.call(library.function("fail"), keys: []) }
                #expect(failure == .refused(message: "BUSY try later"))
                let absent = await outcome { try await client.call(library.function("absent"), keys: []) }
                #expect(absent == .refused(message: "ERR Function not found"))
            }
        }
    }

    @Test func `a library that does not compile is refused with the reason`() async throws {
        let broken = RedisFunctionLibrary(name: "broken", source: "#!lua name=broken_@HASH@\nthis is not lua")
        try await withTemporaryRedis { redis in
            try await redis.withClient { client in
                let failure = await outcome { try await client.call(broken.function("x"), keys: []) }
                #expect(failure.reason.contains("compil"))
            }
        }
    }

    @Test func `another text has another name`() {
        let changed = RedisFunctionLibrary(name: "counting", source: Self.source + "\n")
        #expect(changed.name != library.name)
        #expect(changed.function("add").name != library.function("add").name)
        #expect(library.function("add").name == "add_\(library.hash)")
        #expect(library.text.contains("name=counting_\(library.hash)\n"))
        #expect(!library.text.contains("@HASH@"))
    }
}
