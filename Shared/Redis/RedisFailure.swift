/// Why a call has no value. The first two differ in what the caller may do next: repeat, or find out.
package enum RedisFailure: Error, Hashable, CustomStringConvertible {
    /// The command was never handed to the socket: nothing happened at the server.
    case notSent(reason: String)
    /// The command was handed to the socket and no reply came: it may or may not have been carried out.
    case unknownOutcome(reason: String)
    /// The server answered with an error; `message` is its text, the error code first.
    case refused(message: String)
    /// `inFlightMax` commands are already waiting; this one was not sent.
    case tooManyInFlight

    package var description: String {
        switch self {
        case .notSent(let reason): "redis: not sent: \(reason)"
        case .unknownOutcome(let reason): "redis: outcome unknown: \(reason)"
        case .refused(let message): "redis: refused: \(message)"
        case .tooManyInFlight: "redis: too many commands in flight"
        }
    }

    /// Whether the server cannot have acted on the command.
    package var isSafeToRepeat: Bool {
        switch self {
        case .notSent, .tooManyInFlight: true
        case .unknownOutcome, .refused: false
        }
    }
}
