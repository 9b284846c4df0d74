import Redis
import Testing

/// How a call failed, or `nil` when it did not.
func outcome<Value>(_ call: () async throws -> Value) async -> RedisFailure? {
    do {
        _ = try await call()
        return nil
    } catch {
        if let failure = error as? RedisFailure { return failure }
        Issue.record(error)
        return nil
    }
}

extension RedisFailure? {
    var isNotSent: Bool {
        if case .notSent = self { true } else { false }
    }

    var isUnknownOutcome: Bool {
        if case .unknownOutcome = self { true } else { false }
    }

    var reason: String {
        switch self {
        case .notSent(let reason), .unknownOutcome(let reason): reason
        case .refused(let message): message
        case .tooManyInFlight, nil: ""
        }
    }
}
