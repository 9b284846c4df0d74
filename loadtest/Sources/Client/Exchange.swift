// One request and its reply, as a visitor sees them.
import NIOCore
import NIOHTTP1

struct Request: Sendable {
    var method: HTTPMethod
    var path: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?

    static func get(_ path: String) -> Request { Request(method: .GET, path: path) }

    static func post(_ path: String, _ body: [UInt8]? = nil) -> Request {
        Request(method: .POST, path: path, body: body)
    }

    func with(_ name: String, _ value: String?) -> Request {
        guard let value else { return self }
        var copy = self
        copy.headers.append((name, value))
        return copy
    }
}

struct Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    /// Seconds to wait, as the server asks; dates are not understood.
    var retryAfter: Duration? {
        headers.first(name: "Retry-After").flatMap { Double($0) }.flatMap { seconds in
            seconds >= 0 && seconds < 3600 ? .milliseconds(Int64(seconds * 1000)) : nil
        }
    }
}

/// Whether the server saw the request is unknown in each of these; requests are written so that it does not matter.
enum TransportFailure: Error, Equatable {
    case notConnected
    case lost
    /// The reply had begun.
    case cutShort
    case replyTooLong
}

/// A request on its way through the channel, with the promise of its reply.
struct Exchange: Sendable {
    let request: Request
    let host: String
    let promise: EventLoopPromise<Reply>
}
