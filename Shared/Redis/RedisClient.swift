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
    private let turn = Atomic<Int>(0)

    package init(configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger) {
        self.configuration = configuration
        let loops = Array(eventLoopGroup.makeIterator())
        lines = (0..<max(1, configuration.connectionCount)).map { number in
            RedisLine(configuration: configuration, loop: loops[number % loops.count], logger: logger)
        }
    }

    /// Whether at least one connection is logged in.
    package var isReady: Bool { lines.contains { $0.isReady } }

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

    /// The next connection in turn, passing over lost ones while another is usable.
    private var anyLine: RedisLine {
        guard lines.count > 1 else { return lines[0] }
        let number = UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).newValue)
        let first = Int(number % UInt(lines.count))
        for step in 0..<lines.count {
            let line = lines[(first + step) % lines.count]
            if line.isReady { return line }
        }
        return lines[first]
    }

    private func line(on loop: any EventLoop) -> RedisLine {
        guard lines.count > 1 else { return lines[0] }
        return lines.first { $0.loop === loop && $0.isReady } ?? anyLine
    }

    private func due(_ deadline: Duration?) -> NIODeadline {
        .now() + TimeAmount(deadline ?? configuration.callDeadline)
    }
}
