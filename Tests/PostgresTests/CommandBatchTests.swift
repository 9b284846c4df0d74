import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct CommandBatchTests {
    /// Lets a batch wait until the test opens it, and remembers what was carried.
    private final class Carrier: Sendable {
        let batches = Mutex<[[Int]]>([])
        let isOpen = Atomic(true)

        func carry(_ commands: [Int]) async throws(PostgresFailure) -> [Int] {
            batches.withLock { $0.append(commands) }
            while !isOpen.load(ordering: .acquiring), !Task.isCancelled { await Task.yield() }
            return commands.map { $0 * 10 }
        }

        var sizes: [Int] { batches.withLock { $0.map(\.count) } }
    }

    @Test func `a lone command goes at once and alone`() async throws {
        let carrier = Carrier()
        let batch = CommandBatch<Int, Int> { (commands) throws(PostgresFailure) in try await carrier.carry(commands) }
        #expect(try await batch.submit(1) == 10)
        #expect(try await batch.submit(2) == 20)
        #expect(carrier.sizes == [1, 1])
    }

    @Test func `commands that come meanwhile form the next batches, each gets its own outcome`() async throws {
        let carrier = Carrier()
        carrier.isOpen.store(false, ordering: .releasing)
        let batch = CommandBatch<Int, Int>(commandsMax: 4) { (commands) throws(PostgresFailure) in
            try await carrier.carry(commands)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...10 {
                group.addTask {
                    let outcome = try await batch.submit(number)
                    #expect(outcome == number * 10)
                }
                // The first is on its way alone before the others come.
                if number == 1 { try await eventually { carrier.sizes == [1] } }
            }
            try await eventually { batch.waitingCount == 9 }
            carrier.isOpen.store(true, ordering: .releasing)
            try await group.waitForAll()
        }
        #expect(carrier.sizes == [1, 4, 4, 1])
    }

    @Test func `a full line refuses clearly`() async throws {
        let carrier = Carrier()
        carrier.isOpen.store(false, ordering: .releasing)
        let batch = CommandBatch<Int, Int>(waitersMax: 2) { (commands) throws(PostgresFailure) in
            try await carrier.carry(commands)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...3 {
                group.addTask { _ = try await batch.submit(number) }
                if number == 1 { try await eventually { carrier.sizes == [1] } }
            }
            try await eventually { batch.waitingCount == 2 }
            await #expect(throws: PostgresFailure.tooManyWaiting) { try await batch.submit(4) }
            carrier.isOpen.store(true, ordering: .releasing)
            try await group.waitForAll()
        }
    }

    @Test func `an unknown outcome is told to every caller of the batch and of no other`() async throws {
        let carried = Mutex(0)
        let isOpen = Atomic(false)
        let batch = CommandBatch<Int, Int> { (commands) throws(PostgresFailure) in
            let number = carried.withLock {
                $0 += 1
                return $0
            }
            while !isOpen.load(ordering: .acquiring), !Task.isCancelled { await Task.yield() }
            if number == 2 { throw PostgresFailure.unknownOutcome(reason: "cut") }
            return commands
        }
        let unknown = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...6 {
                group.addTask {
                    do throws(PostgresFailure) {
                        _ = try await batch.submit(number)
                        return false
                    } catch {
                        return error == .unknownOutcome(reason: "cut")
                    }
                }
                if number == 1 { try await eventually { carried.withLock { $0 } == 1 } }
            }
            try await eventually { batch.waitingCount == 5 }
            isOpen.store(true, ordering: .releasing)
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(unknown == 5)
        #expect(try await batch.submit(7) == 7)
    }

    @Test func `one command at fault fails alone`() async throws {
        let carried = Mutex(0)
        let isOpen = Atomic(false)
        let batch = CommandBatch<Int, Int> { (commands) throws(PostgresFailure) in
            carried.withLock { $0 += 1 }
            while !isOpen.load(ordering: .acquiring), !Task.isCancelled { await Task.yield() }
            if commands.contains(7) {
                throw PostgresFailure.refused(sqlState: .checkViolation, message: "seven", constraint: "no_seven")
            }
            return commands
        }
        let failed = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 1...20 {
                group.addTask {
                    do throws(PostgresFailure) {
                        return try await batch.submit(number) == number ? nil : -1
                    } catch {
                        return error.constraint == "no_seven" ? number : -1
                    }
                }
                if number == 1 { try await eventually { carried.withLock { $0 } == 1 } }
            }
            try await eventually { batch.waitingCount == 19 }
            isOpen.store(true, ordering: .releasing)
            return try await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
        }
        #expect(failed == [7])
    }

    @Test func `a deadlock is tried again, a bounded number of times`() async throws {
        let carried = Atomic(0)
        let batch = CommandBatch<Int, Int> { (commands) throws(PostgresFailure) in
            let attempt = carried.add(1, ordering: .relaxed).newValue
            if commands == [1], attempt == 3 { return commands }
            throw PostgresFailure.refused(sqlState: .deadlockDetected, message: "deadlock", constraint: nil)
        }
        #expect(try await batch.submit(1) == 1)
        await #expect(throws: PostgresFailure.self) { try await batch.submit(2) }
        #expect(carried.load(ordering: .relaxed) == 3 + 5)
    }
}
