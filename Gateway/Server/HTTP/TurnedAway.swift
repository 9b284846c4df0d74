// The answer to a connection that is one too many: some bytes made at the start, one write, and the end.
import Foundation
import Glibc
import NIOCore
import UsherAPI

/// Nothing is set up for such a connection: no pipeline, no timers, no TLS. Its answer goes out before its request is
/// read, which HTTP allows (RFC 9112 §9.5); a client that has sent much by then may see the connection reset instead.
enum TurnedAway {
    private static let waits = 2...9

    private static let tooManyFromAddress = waits.map { seconds in
        bytes(.rateLimited, "this address has as many connections as it may", seconds)
    }
    private static let tooMany = waits.map { bytes(.overloaded, "there are as many connections as there may be", $0) }

    /// Writes what the kernel takes at once, and closes.
    static func answer(_ entry: ConnectionCensus.Entry, _ channel: any Channel, turn: Int) {
        let replies = entry == .tooMany ? tooMany : tooManyFromAddress
        let reply = replies[abs(turn % replies.count)]
        channel.eventLoop.execute {
            send(reply, to: channel)
            channel.close(promise: nil)
        }
    }

    private static func send(_ reply: [UInt8], to channel: any Channel) {
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            socket in
            _ = Glibc.send(socket, reply, reply.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            _ = shutdown(socket, Int32(SHUT_WR))
        }
    }

    private static func bytes(_ code: ProblemCode, _ detail: String, _ seconds: Int) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(Problem(code, detail: detail))).map(Array.init) ?? []
        let head = """
            HTTP/1.1 \(code.status) \(code == .overloaded ? "Service Unavailable" : "Too Many Requests")\r
            Content-Type: \(Problem.contentType)\r
            Content-Length: \(body.count)\r
            Retry-After: \(seconds)\r
            Connection: close\r
            \r

            """
        return Array(head.utf8) + body
    }
}
