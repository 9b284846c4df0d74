import Hummingbird
import NIOCore

/// What a route knows of its request beside the request itself.
struct BookingContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Names the request in problems and logs; given by the gateway, else made here.
    var requestID = ""
    /// The connection, for streams that have to be cut off.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
