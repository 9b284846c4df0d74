// What a listener keeps on each event loop.
import EdgeHTTP
import NIOCore

/// The way a connection came in.
enum Entrance: Sendable {
    /// `isSecure`: TLS ends in front of us.
    case plain(isSecure: Bool)
    /// A plain port that only says where TLS is.
    case redirect(RedirectDesk)
    case tls(TLSPort)

    var isSecure: Bool {
        switch self {
        case .plain(let isSecure): isSecure
        case .redirect: false
        case .tls: true
        }
    }
}

struct ListenerLoop: Sendable {
    let loop: any EventLoop
    let parts: NIOLoopBound<Parts>

    /// Used on its loop only.
    final class Parts {
        private let desk: any RequestDesk
        private let edge: EdgeLoop
        private var channels: [ObjectIdentifier: any Channel] = [:]
        private var isAnnounced = false
        private var isDraining = false

        init(desk: any RequestDesk, loop: any EventLoop) {
            self.desk = desk
            edge = EdgeLoop(loop: loop, seed: .random(in: .min ... .max))
            edge.begin()
        }

        func add(
            _ channel: any Channel,
            peer: ClientAddress,
            entrance: Entrance,
            limits: SharedLimits,
            counters: EdgeCounters
        ) throws {
            let pipeline = channel.pipeline.syncOperations
            var desk = desk
            var strictTransport: String?
            switch entrance {
            case .plain: break
            case .redirect(let redirect): desk = redirect
            case .tls(let port):
                try port.addHandlers(to: channel, counters: counters)
                strictTransport = port.strictTransportValue
            }
            let handler = ConnectionHandler(
                desk: desk,
                peer: peer,
                strictTransport: strictTransport,
                counters: counters
            )
            let isSecure = entrance.isSecure
            try pipeline.addHandler(EdgeCodec(limits: limits, edge: edge, receiver: handler, isSecure: isSecure))
            let key = ObjectIdentifier(channel)
            channels[key] = channel
            channel.closeFuture.assumeIsolated().whenComplete { _ in self.channels[key] = nil }
            if isAnnounced { channel.pipeline.fireUserInboundEventTriggered(LastRepliesEvent()) }
            if isDraining { channel.close(promise: nil) }
        }

        /// From now on every reply says that it is the connection's last; idle connections stay open.
        func announceEnd() {
            isAnnounced = true
            for channel in channels.values { channel.pipeline.fireUserInboundEventTriggered(LastRepliesEvent()) }
        }

        /// Closes idle connections now, and the others after their reply.
        func quiesce() {
            isDraining = true
            for channel in channels.values {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        }

        func closeAll() {
            edge.stop()
            for channel in channels.values { channel.close(promise: nil) }
        }
    }
}
