import Foundation
import Logging
package import NIOCore
package import NIOPosix
package import Redis
package import Supervision

/// A throw-away Redis server in a temporary folder, with clients for it.
package struct TemporaryRedis: Sendable {
    package let server: PrivateRedis
    package let eventLoopGroup: MultiThreadedEventLoopGroup

    package var dataFolder: String { server.layout.dataFolder }

    /// `SIGKILL`; what the append-only file has not got yet is lost.
    package func kill() async { await server.kill() }
    /// Starts the server again on the same data.
    package func restart() async throws { try await server.start() }
    /// Makes the server deaf and slow without ending it, until `resume`.
    package func pause() async { await server.signal(SIGSTOP) }
    package func resume() async { await server.signal(SIGCONT) }

    /// The address of one database of this server.
    package func configuration(database: Int = 0) throws -> RedisConfiguration {
        var configuration = try RedisConfiguration(url: server.url)
        configuration.database = database
        return configuration
    }

    /// Runs `body` with a running client, which is stopped afterwards. Its deadline is generous, as tests share the
    /// machine with builds and each other.
    @discardableResult
    package func withClient<Outcome: Sendable>(
        database: Int = 0,
        adjust: (inout RedisConfiguration) -> Void = { _ in },
        _ body: @Sendable (RedisClient) async throws -> Outcome
    ) async throws -> Outcome {
        var configuration = try configuration(database: database)
        configuration.callDeadline = .seconds(20)
        configuration.connectDeadline = .seconds(20)
        adjust(&configuration)
        return try await withRedisClient(configuration, on: eventLoopGroup, body)
    }
}

/// Starts a server, hands it to `body`, stops it and removes its folder whatever happens.
@discardableResult
package func withTemporaryRedis<Outcome: Sendable>(
    extraArguments: [String] = [],
    _ body: @Sendable (TemporaryRedis) async throws -> Outcome
) async throws -> Outcome {
    let folder = "/tmp/usher-redis-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let server = PrivateRedis(
        layout: PrivateRedis.Layout(dataFolder: folder, socketFolder: folder, extraArguments: extraArguments),
        deathSignal: .kill
    )
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    do {
        try await server.start()
        let outcome = try await body(TemporaryRedis(server: server, eventLoopGroup: group))
        await server.kill()
        try await group.shutdownGracefully()
        return outcome
    } catch {
        await server.kill()
        try? await group.shutdownGracefully()
        throw error
    }
}

/// Runs `body` beside a client's `run()`.
@discardableResult
package func withRedisClient<Outcome: Sendable>(
    _ configuration: RedisConfiguration,
    on group: any EventLoopGroup,
    _ body: @Sendable (RedisClient) async throws -> Outcome
) async throws -> Outcome {
    var logger = Logger(label: "test.redis")
    logger.logLevel = .error
    let client = RedisClient(configuration: configuration, eventLoopGroup: group, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await client.run() }
        let outcome: Outcome
        do {
            outcome = try await body(client)
        } catch {
            tasks.cancelAll()
            throw error
        }
        tasks.cancelAll()
        try await tasks.waitForAll()
        return outcome
    }
}
