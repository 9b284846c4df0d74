import Hummingbird
import NIOCore

/// What a route knows of its request beside the request itself.
struct BookingContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Names the request in problems and logs; given by the gateway, else made here.
    var requestID = ""

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }
}
