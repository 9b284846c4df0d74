/// Why a statement or a transaction brought no result. The cases say what a caller may do next.
package enum PostgresFailure: Error, Sendable, Equatable {
    /// Nothing took effect: the transaction did not reach the server in full, or the server said farewell before it
    /// had finished. It may be tried again.
    case notSent(reason: String)
    /// The connection was lost after everything had been sent: it took effect or it did not. Look it up by its key.
    case unknownOutcome(reason: String)
    /// The server answered with an error; the whole transaction was rolled back.
    case refused(sqlState: SQLState, message: String, constraint: String?)
    /// The waiting line (of the pool or of a command batch) is full; nothing was sent.
    case tooManyWaiting
    /// A column is missing, null or of another type than the reader expects: a defect of the program.
    case unreadable(String)

    /// Whether the transaction certainly changed nothing.
    package var hasNoEffect: Bool {
        switch self {
        case .notSent, .refused, .tooManyWaiting: true
        case .unknownOutcome, .unreadable: false
        }
    }

    /// Whether the server rolled back only because of other transactions (deadlock, serialization, lock timeout).
    package var isConflictWithOthers: Bool {
        guard case .refused(let state, _, _) = self else { return false }
        return [.deadlockDetected, .serializationFailure, .lockNotAvailable].contains(state)
    }

    /// The violated constraint, when the refusal is about one.
    package var constraint: String? {
        guard case .refused(_, _, let constraint) = self else { return nil }
        return constraint
    }
}

extension PostgresFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notSent(let reason): "not sent to PostgreSQL: \(reason)"
        case .unknownOutcome(let reason): "outcome at PostgreSQL unknown: \(reason)"
        case .refused(let state, let message, let constraint):
            "PostgreSQL refused (\(state)\(constraint.map { ", \($0)" } ?? "")): \(message)"
        case .tooManyWaiting: "too many commands are waiting for PostgreSQL"
        case .unreadable(let what): "unreadable answer of PostgreSQL: \(what)"
        }
    }
}

/// The five characters by which PostgreSQL names an error (PostgreSQL manual, appendix A).
package struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }

    /// The first two characters, which name the kind: `22` bad data, `23` a constraint, `40` rolled back.
    package var classCode: Substring { rawValue.prefix(2) }

    package static let uniqueViolation = SQLState(rawValue: "23505")
    package static let foreignKeyViolation = SQLState(rawValue: "23503")
    package static let checkViolation = SQLState(rawValue: "23514")
    package static let notNullViolation = SQLState(rawValue: "23502")
    package static let serializationFailure = SQLState(rawValue: "40001")
    package static let deadlockDetected = SQLState(rawValue: "40P01")
    package static let lockNotAvailable = SQLState(rawValue: "55P03")
    package static let queryCanceled = SQLState(rawValue: "57014")
}
