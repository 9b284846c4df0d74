// Appends lines to the ledger file. Lines that come while a write is under way go out together in the next one.

import Dispatch
import Foundation
import PaymentLedger
import Synchronization

/// The ledger could not be written. What is in memory may not be in the file, so the process must end.
struct LedgerWriteFailure: Error, CustomStringConvertible {
    var description: String
}

final class LedgerLog: Sendable {
    private struct Waiter {
        var seq: Int64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var unwritten = Data()
        var lastQueued: Int64
        var durable: Int64
        var isWriting = false
        var waiters: [Waiter] = []
        var failure: LedgerWriteFailure?
    }

    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "usher.payments.ledger")
    private let descriptor: Int32
    /// Gets the failure that ended all writing, if one ever does.
    let failures: AsyncStream<LedgerWriteFailure>
    private let failed: AsyncStream<LedgerWriteFailure>.Continuation

    private init(descriptor: Int32, lastSeq: Int64) {
        self.descriptor = descriptor
        state = Mutex(State(lastQueued: lastSeq, durable: lastSeq))
        (failures, failed) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    deinit { close(descriptor) }

    /// Locks the file, reads it, and cuts a torn last line off.
    static func open(path: String) throws -> (log: LedgerLog, file: LedgerFile) {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartFault.ledgerUnwritable(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StartFault.ledgerInUse(path: path)
        }
        do {
            let file = try LedgerFile.read(path: path)
            if file.tornBytes > 0, ftruncate(descriptor, off_t(file.wholeBytes)) != 0 || fdatasync(descriptor) != 0 {
                throw StartFault.ledgerUnwritable(path: path, reason: String(cString: strerror(errno)))
            }
            return (LedgerLog(descriptor: descriptor, lastSeq: file.ledger.lastSeq), file)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Queues a line. The order of calls is the order in the file: call it where the line was decided.
    func append(_ line: LedgerLine) {
        let bytes = LedgerFile.bytes(of: line)
        let startsWriter = state.withLock { state in
            state.unwritten.append(bytes)
            state.lastQueued = line.seq
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if startsWriter { queue.async { self.writeAll() } }
    }

    /// Returns once the line `seq` and all before it are on disk.
    func waitUntilDurable(_ seq: Int64) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result: Result<Void, any Error>? = state.withLock { state in
                if state.durable >= seq { return .success(()) }
                if let failure = state.failure { return .failure(failure) }
                state.waiters.append(Waiter(seq: seq, continuation: continuation))
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// Writes what is queued and gives the file up, so that another process may take it. Nothing can be appended after.
    func release() {
        queue.sync {
            let failure = LedgerWriteFailure(description: "the ledger was given up")
            let left = state.withLock { state in
                state.failure = state.failure ?? failure
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in left { waiter.continuation.resume(throwing: failure) }
            _ = flock(descriptor, LOCK_UN)
        }
    }

    /// What went wrong for good; `nil` while the file can be written.
    var failure: LedgerWriteFailure? { state.withLock { $0.failure } }

    private func writeAll() {
        while true {
            let batch: (bytes: Data, through: Int64)? = state.withLock { state in
                guard !state.unwritten.isEmpty, state.failure == nil else {
                    state.isWriting = false
                    return nil
                }
                defer { state.unwritten = Data() }
                return (state.unwritten, state.lastQueued)
            }
            guard let batch else { return }
            let failure = write(batch.bytes)
            let released = state.withLock { state in
                if let failure { state.failure = failure } else { state.durable = batch.through }
                let done = state.waiters.filter { failure != nil || $0.seq <= batch.through }
                state.waiters.removeAll { failure != nil || $0.seq <= batch.through }
                return done
            }
            if let failure { failed.yield(failure) }
            for waiter in released {
                if let failure {
                    waiter.continuation.resume(throwing: failure)
                } else {
                    waiter.continuation.resume()
                }
            }
        }
    }

    private func write(_ bytes: Data) -> LedgerWriteFailure? {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return LedgerWriteFailure(description: String(cString: strerror(errno))) }
                rest = rest.dropFirst(count)
            }
            guard fdatasync(descriptor) == 0 else {
                return LedgerWriteFailure(description: String(cString: strerror(errno)))
            }
            return nil
        }
    }
}
