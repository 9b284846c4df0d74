import Dispatch
import Signing
import Synchronization
import UsherAPI

/// Runs Argon2id, 15 ms of CPU and 19 MiB each, at most two at once and never on the threads that serve requests.
final class PasswordThreads: Sendable {
    /// Asked for and not yet done; the next one is refused.
    static let waitingMax = 256
    private let queues = [DispatchQueue(label: "usher.password.0"), DispatchQueue(label: "usher.password.1")]
    private let waiting = Atomic<Int>(0)

    func hash(_ password: String) async throws -> String {
        try await run { try Argon2id.hash(password) }
    }

    func verify(_ password: String, against hash: String) async throws -> Bool {
        try await run { Argon2id.verify(password, against: hash) }
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let number = waiting.wrappingAdd(1, ordering: .relaxed).newValue
        defer { waiting.wrappingSubtract(1, ordering: .relaxed) }
        guard number <= Self.waitingMax else { throw Refusal(.overloaded, "too many log-ins at once") }
        return try await withCheckedThrowingContinuation { continuation in
            queues[number % queues.count].async {
                continuation.resume(with: Result { try work() })
            }
        }
    }
}
