/// A store could not do what was asked. `unknownOutcome` must be looked up, never guessed.
package enum StoreFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case unavailable(String)
    case unknownOutcome(String)
    case overloaded

    package var description: String {
        switch self {
        case .unavailable(let reason): "store unavailable: \(reason)"
        case .unknownOutcome(let reason): "store outcome unknown: \(reason)"
        case .overloaded: "store overloaded"
        }
    }
}
