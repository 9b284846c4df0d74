/// The free connections, by number, and the callers that wait for one, in order of arrival.
struct WaitingLine: Sendable {
    typealias Turn = CheckedContinuation<Result<Int, PostgresFailure>, Never>

    private struct Waiter: Sendable {
        let turn: Turn
        let deadline: ContinuousClock.Instant
    }

    private let waitersMax: Int
    private var free: [Int] = []
    private var waiters: [Waiter] = []
    /// Waiters before this index have been served; the array is cut now and then, so that a turn costs O(1).
    private var served = 0
    private(set) var isClosed = false
    /// Why the last attempt to connect failed; told to those whose wait ends without a connection.
    var lastFailure: String?

    init(waitersMax: Int) { self.waitersMax = waitersMax }

    var waitingCount: Int { waiters.count - served }

    mutating func takeFree() -> Int? { free.popLast() }

    /// - Returns: the refusal when the line is full or closed.
    mutating func wait(_ turn: Turn, until deadline: ContinuousClock.Instant) -> PostgresFailure? {
        guard !isClosed else { return .notSent(reason: "the pool is closed") }
        guard waitingCount < waitersMax else { return .tooManyWaiting }
        waiters.append(Waiter(turn: turn, deadline: deadline))
        return nil
    }

    /// - Returns: whose turn it is now; without one the connection is kept.
    mutating func add(_ connection: Int) -> Turn? {
        guard served < waiters.count else {
            if !isClosed { free.append(connection) }
            return nil
        }
        defer { advance() }
        return waiters[served].turn
    }

    /// Takes out those who have waited too long. Deadlines are given in order of arrival.
    mutating func expire(at now: ContinuousClock.Instant) -> [Turn] {
        var late: [Turn] = []
        while served < waiters.count, waiters[served].deadline <= now {
            late.append(waiters[served].turn)
            advance()
        }
        return late
    }

    /// Ends the line: everybody still waiting is told, and nobody can join any more.
    mutating func close() -> [Turn] {
        isClosed = true
        free = []
        defer {
            waiters = []
            served = 0
        }
        return waiters[served...].map(\.turn)
    }

    private mutating func advance() {
        served += 1
        guard served > 256, served * 2 > waiters.count else { return }
        waiters.removeFirst(served)
        served = 0
    }
}
