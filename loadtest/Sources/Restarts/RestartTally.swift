// What became of the requests of a run of restarts.
import Synchronization

final class RestartTally: Sendable {
    struct Counts: Sendable, Encodable, Equatable {
        var restarts = 0
        /// Answered as they should be, at once or after having been sent again.
        var answered = 0
        /// Replies that said that their connection ends: the visitor turned to the other gateway by itself.
        var toldToMove = 0
        /// Connections that could not be made: nothing was sent, the other gateway took the request.
        var refused = 0
        /// Connections that ended with a request under way and not one byte of its reply. A gateway that drains does
        /// this only to requests it has not read, so that they may be sent again; the visitor cannot tell, so these
        /// are breaches.
        var unanswered = 0
        /// Replies that were cut off.
        var cutShort = 0
        /// Replies of 500 and above.
        var failed = 0
        /// Given by neither gateway.
        var lost = 0
        var firstFailure: String?
        /// Gateways that ended otherwise than with status 0.
        var badExits = 0

        var breaches: Int { unanswered + cutShort + failed + lost + badExits }
    }

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }
    func note(_ change: (inout Counts) -> Void) { state.withLock { change(&$0) } }
}
