import Synchronization

/// Combines concurrent commands of one kind into one transaction.
///
/// The first command goes at once; those that arrive while it is under way form the next batch, so nothing waits
/// for company when there is none. There is no task behind it: the first caller of a batch carries it out for all,
/// then hands the next batch to the first caller waiting in it.
package final class CommandBatch<Command: Sendable, Outcome: Sendable>: Sendable {
    /// Sends the commands as one transaction: one outcome for each, in the same order.
    package typealias Carry = @Sendable ([Command]) async throws(PostgresFailure) -> [Outcome]

    private enum Turn: Sendable {
        case done(Result<Outcome, PostgresFailure>)
        /// This caller carries out the next batch: itself and everybody waiting.
        case lead
    }

    private struct Waiter: Sendable {
        let command: Command
        let turn: CheckedContinuation<Turn, Never>
    }

    private struct State: Sendable {
        var inFlight = 0
        var waiters: [Waiter] = []
    }

    private let commandsMax: Int
    private let waitersMax: Int
    private let inFlightMax: Int
    private let conflictRetriesMax = 4
    private let carry: Carry
    private let state = Mutex(State())

    /// - Parameters:
    ///   - commandsMax: most commands in one transaction.
    ///   - waitersMax: most commands waiting for the next ones; beyond it a caller is refused at once.
    ///   - inFlightMax: most batches under way at the same time.
    ///   - carry: sends a batch.
    package init(commandsMax: Int = 256, waitersMax: Int = 8192, inFlightMax: Int = 1, carry: @escaping Carry) {
        self.commandsMax = commandsMax
        self.waitersMax = waitersMax
        self.inFlightMax = inFlightMax
        self.carry = carry
    }

    /// Commands waiting for the next batches.
    package var waitingCount: Int { state.withLock { $0.waiters.count } }

    /// Carries out one command, together with others that come at the same time.
    /// - Returns: the command's own outcome.
    /// - Throws: its own failure, or the failure of the whole batch; `unknownOutcome` is told to every caller of it.
    package func submit(_ command: Command) async throws(PostgresFailure) -> Outcome {
        let isFirst = state.withLock { state in
            guard state.inFlight < inFlightMax, state.waiters.isEmpty else { return false }
            state.inFlight += 1
            return true
        }
        guard !isFirst else { return try await lead(command) }
        let turn = await withCheckedContinuation { continuation in
            let answer: Turn? = state.withLock { state in
                if state.inFlight < inFlightMax, state.waiters.isEmpty {
                    state.inFlight += 1
                    return .lead
                }
                guard state.waiters.count < waitersMax else { return .done(.failure(.tooManyWaiting)) }
                state.waiters.append(Waiter(command: command, turn: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        switch turn {
        case .done(let result): return try result.get()
        case .lead: return try await lead(command)
        }
    }

    private func lead(_ command: Command) async throws(PostgresFailure) -> Outcome {
        let others = state.withLock { state in
            let count = min(state.waiters.count, commandsMax - 1)
            defer { state.waiters.removeFirst(count) }
            return Array(state.waiters.prefix(count))
        }
        var results = await outcomes(of: [command] + others.map(\.command))
        passOn()
        let own = results.removeFirst()
        for (waiter, result) in zip(others, results) { waiter.turn.resume(returning: .done(result)) }
        return try own.get()
    }

    /// Makes the first waiting caller the leader of the next batch, or lets the line rest.
    private func passOn() {
        let next = state.withLock { state -> CheckedContinuation<Turn, Never>? in
            guard !state.waiters.isEmpty else {
                state.inFlight -= 1
                return nil
            }
            return state.waiters.removeFirst().turn
        }
        next?.resume(returning: .lead)
    }

    /// One result for each command. A transaction that the server rolled back only because of others is sent again;
    /// one that it refused for its content is halved until the command at fault stands alone.
    private func outcomes(of commands: [Command]) async -> [Result<Outcome, PostgresFailure>] {
        var failure = PostgresFailure.notSent(reason: "never tried")
        for _ in 0...conflictRetriesMax {
            do {
                let outcomes = try await carry(commands)
                guard outcomes.count == commands.count else {
                    failure = .unknownOutcome(reason: "\(outcomes.count) outcomes for \(commands.count) commands")
                    break
                }
                return outcomes.map { .success($0) }
            } catch {
                failure = error
                guard error.isConflictWithOthers else { break }
            }
        }
        if case .refused(let state, _, _) = failure, ["22", "23"].contains(state.classCode), commands.count > 1 {
            let middle = commands.count / 2
            let front = await outcomes(of: Array(commands[..<middle]))
            return front + (await outcomes(of: Array(commands[middle...])))
        }
        return commands.map { _ in .failure(failure) }
    }
}
