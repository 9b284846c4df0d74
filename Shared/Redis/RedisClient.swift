package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization

/// A Redis client that pipelines by default: calls made at the same time share the connection and its system calls.
///
/// Calls work while `run()` runs. Until the first attempt to connect has ended a call waits for it (at most its
/// deadline); for `lossGrace` after a loss a call waits for the next connection; after that it fails at once with
/// `notSent`. The loss of a connection fails all its written calls at once with `unknownOutcome`; none is repeated.
/// Cancelling the task of a call does not withdraw the command: the wait ends at the deadline at the latest.
/// Blocking commands (`XREAD BLOCK`, `BLPOP`) stop every other call of the connection: give them their own client.
package final class RedisClient: Service {
    package let configuration: RedisConfiguration
    private let lines: [RedisLine]
    private let readyCount = ReadyCount()
    private let turn = Atomic<Int>(0)

    package init(configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger) {
        self.configuration = configuration
        var loops = eventLoopGroup.makeIterator()
        var lines: [RedisLine] = []
        for _ in 0..<max(1, configuration.connectionCount) {
            if let loop = loops.next() {
                lines.append(
                    RedisLine(configuration: configuration, loop: loop, readyCount: readyCount, logger: logger)
                )
            } else {
                loops = eventLoopGroup.makeIterator()
                lines.append(
                    RedisLine(
                        configuration: configuration,
                        loop: eventLoopGroup.next(),
                        readyCount: readyCount,
                        logger: logger
                    )
                )
            }
        }
        self.lines = lines
    }

    /// Whether at least one connection is logged in.
    package var isReady: Bool { readyCount.value > 0 }

    /// Stays connected until graceful shutdown or cancellation, then answers what is in flight and closes.
    package func run() async throws {
        let ends = lines.map { $0.start() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            for end in ends { try await end.get() }
        } onCancelOrGracefulShutdown: {
            for line in self.lines { line.stop() }
        }
    }

    // MARK: async

    /// Sends one command and waits for its reply.
    /// - Throws: an error reply as `refused`.
    package func call(
        _ arguments: [RedisArgument],
        deadline: Duration? = nil
    ) async throws(RedisFailure) -> RedisValue {
        let result = await withCheckedContinuation { continuation in
            anyLine.submit(
                RedisCall(arguments, deadline: due(deadline)) { continuation.resume(returning: $0) }
            )
        }
        return try result.get()
    }

    /// Sends commands together, in order; others' commands may not come between them on the wire.
    /// - Returns: one value per command; an error reply is a value (`.error`).
    package func pipeline(
        _ commands: [[RedisArgument]],
        deadline: Duration? = nil
    ) async throws(RedisFailure) -> [RedisValue] {
        guard !commands.isEmpty else { return [] }
        let result = await withCheckedContinuation { continuation in
            anyLine.submit(
                RedisCall(pipeline: commands, deadline: due(deadline)) { continuation.resume(returning: $0) }
            )
        }
        return try result.get().asArray ?? []
    }

    // MARK: EventLoopFuture

    /// As `call`, for code on an event loop: the result arrives on `loop`, through the connection that lives there
    /// when there is one. The future fails with `RedisFailure` only.
    package func callFuture(
        _ arguments: [RedisArgument],
        deadline: Duration? = nil,
        on loop: any EventLoop
    ) -> EventLoopFuture<RedisValue> {
        let promise = loop.makePromise(of: RedisValue.self)
        line(on: loop).submit(
            RedisCall(arguments, deadline: due(deadline)) { result in
                promise.completeWith(result.mapError { $0 as any Error })
            }
        )
        return promise.futureResult
    }

    /// As `pipeline`, for code on an event loop.
    package func pipelineFuture(
        _ commands: [[RedisArgument]],
        deadline: Duration? = nil,
        on loop: any EventLoop
    ) -> EventLoopFuture<[RedisValue]> {
        guard !commands.isEmpty else { return loop.makeSucceededFuture([]) }
        let promise = loop.makePromise(of: [RedisValue].self)
        line(on: loop).submit(
            RedisCall(pipeline: commands, deadline: due(deadline)) { result in
                promise.completeWith(result.map { $0.asArray ?? [] }.mapError { $0 as any Error })
            }
        )
        return promise.futureResult
    }

    // MARK: Which connection

    private var anyLine: RedisLine {
        guard lines.count > 1 else { return lines[0] }
        let number = turn.wrappingAdd(1, ordering: .relaxed).newValue
        return lines[Int(UInt(bitPattern: number) % UInt(lines.count))]
    }

    private func line(on loop: any EventLoop) -> RedisLine {
        lines.first { $0.loop === loop } ?? anyLine
    }

    private func due(_ deadline: Duration?) -> NIODeadline {
        .now() + TimeAmount(deadline ?? configuration.callDeadline)
    }
}

/// How many connections are usable now.
final class ReadyCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }
    func add(_ change: Int) { count.wrappingAdd(change, ordering: .relaxed) }
}
