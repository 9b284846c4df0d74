// What is to be done with a request, decided from its head alone.
package import EdgeHTTP
package import NIOCore

package enum Way {
    case reply(EdgeReply)
    case later(EventLoopFuture<EdgeReply>)
    /// As `RoomAnswer.soon`.
    case soon((@escaping (EdgeReply) -> Void) -> Void)
    /// Collect the body, then ask. A longer body is 413.
    case endpoint(bodyBytesMax: Int, answer: (EdgeRequest) -> RoomAnswer)
    case forward(Forwarding)
}

/// Where requests are decided. One per event loop, used on that loop only.
package protocol RequestDesk {
    /// `peer` is the other end of the connection, which may be a proxy; `id` is the request's.
    func way(for head: EdgeRequestHead, from peer: ClientAddress, id: RequestID) -> Way
    /// Who is taken to have sent a request: the peer, or whom a trusted proxy names.
    func clientAddress(of head: EdgeRequestHead, from peer: ClientAddress) -> ClientAddress
}
