package import Logging
import ServiceLifecycle
import Synchronization

/// A bounded number of connections, kept open while `run()` runs, and a bounded line of callers in front of them.
package final class PostgresPool: Service {
    private static let lookInterval: Duration = .milliseconds(50)

    /// A connection and the bell that tells its keeper that it was lost.
    private struct Slot: Sendable {
        let connection: PostgresConnection
        let losses: AsyncStream<Void>
        let lost: AsyncStream<Void>.Continuation
    }

    package let configuration: PostgresConfiguration
    private let logger: Logger
    private let slots: [Slot]
    private let line: Mutex<WaitingLine>

    package init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        slots = (0..<configuration.connectionsMax).map { _ in
            let (losses, lost) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            return Slot(
                connection: PostgresConnection(configuration: configuration),
                losses: losses,
                lost: lost
            )
        }
        line = Mutex(WaitingLine(waitersMax: configuration.waitersMax))
    }

    /// Keeps the connections open until the task is cancelled or the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                for number in self.slots.indices {
                    group.addTask { await self.keepOpen(number) }
                }
                group.addTask { await self.expireWaiters() }
            }
        }
    }

    /// A pool that runs as long as `body`; for programs and tests without a service group.
    package static func withPool<Value: Sendable>(
        _ configuration: PostgresConfiguration,
        logger: Logger,
        _ body: @Sendable (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            defer { group.cancelAll() }
            return try await body(pool)
        }
    }

    /// Runs one statement in a transaction of its own.
    package func execute(_ statement: Statement) async throws(PostgresFailure) -> QueryResult {
        guard let result = try await transaction([statement]).first else { throw .unreadable("no result") }
        return result
    }

    /// Runs the statements as one transaction in one round trip. A connection that turns out to be dead before
    /// anything was sent is replaced by another one; the wait for connections is bounded by `waitLimit`.
    ///
    /// Cancelling the caller's task does not take back what was sent; every wait is short and bounded.
    package func transaction(_ statements: [Statement]) async throws(PostgresFailure) -> [QueryResult] {
        let deadline = ContinuousClock.now + configuration.waitLimit
        var attemptsLeft = slots.count + 1
        while true {
            let number = try await takeTurn(before: deadline)
            let connection = slots[number].connection
            do {
                let results = try await connection.transaction(statements)
                giveBack(number)
                return results
            } catch {
                let isOpen = await connection.isOpen
                if isOpen { giveBack(number) } else { slots[number].lost.yield() }
                attemptsLeft -= 1
                guard case .notSent = error, !isOpen, attemptsLeft > 0 else { throw error }
            }
        }
    }

    // MARK: The line

    private func takeTurn(before deadline: ContinuousClock.Instant) async throws(PostgresFailure) -> Int {
        if let free = line.withLock({ $0.takeFree() }) { return free }
        let outcome = await withCheckedContinuation { (turn: WaitingLine.Turn) in
            let answer: Result<Int, PostgresFailure>? = line.withLock { line in
                if let free = line.takeFree() { return .success(free) }
                return line.wait(turn, until: deadline).map { .failure($0) }
            }
            if let answer { turn.resume(returning: answer) }
        }
        return try outcome.get()
    }

    private func giveBack(_ number: Int) {
        line.withLock { $0.add(number) }?.resume(returning: .success(number))
    }

    private func expireWaiters() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.lookInterval)
            let (late, reason) = line.withLock { ($0.expire(at: .now), $0.lastFailure) }
            for turn in late {
                turn.resume(returning: .failure(.notSent(reason: reason ?? "no connection became free in time")))
            }
        }
        for turn in line.withLock({ $0.close() }) {
            turn.resume(returning: .failure(.notSent(reason: "the pool is closed")))
        }
    }

    // MARK: Keeping connections

    private func keepOpen(_ number: Int) async {
        let slot = slots[number]
        var losses = slot.losses.makeAsyncIterator()
        var pause = configuration.reconnectPause.lowerBound
        while !Task.isCancelled {
            do {
                try await slot.connection.open()
            } catch {
                report(error, number)
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, configuration.reconnectPause.upperBound)
                continue
            }
            pause = configuration.reconnectPause.lowerBound
            line.withLock { $0.lastFailure = nil }
            giveBack(number)
            guard await losses.next() != nil else { break }
            logger.warning("connection to PostgreSQL lost", metadata: ["connection": "\(number)"])
        }
        await slot.connection.close()
    }

    /// Says once, not at every attempt, that the server cannot be reached.
    private func report(_ failure: PostgresFailure, _ number: Int) {
        let isFirst = line.withLock { line in
            defer { line.lastFailure = "\(failure)" }
            return line.lastFailure == nil
        }
        guard isFirst else { return }
        logger.error("PostgreSQL cannot be reached", metadata: ["reason": "\(failure)", "connection": "\(number)"])
    }
}
