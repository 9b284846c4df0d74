// What a listener keeps on each event loop, and the door that all loops share.
import EdgeHTTP
import NIOCore
import Synchronization

struct ListenerLoop: Sendable {
    let loop: any EventLoop
    let parts: NIOLoopBound<Parts>

    /// Used on its loop only.
    final class Parts {
        private let desk: any RequestDesk
        private let edge: EdgeLoop
        private var channels: [ObjectIdentifier: any Channel] = [:]
        private var isDraining = false

        init(desk: any RequestDesk, loop: any EventLoop) {
            self.desk = desk
            edge = EdgeLoop(loop: loop, seed: .random(in: .min ... .max))
            edge.begin()
        }

        func add(
            _ channel: any Channel,
            peer: ClientAddress,
            isSecure: Bool,
            limits: SharedLimits,
            counters: EdgeCounters
        ) throws {
            let pipeline = channel.pipeline.syncOperations
            let handler = ConnectionHandler(desk: desk, peer: peer, counters: counters)
            try pipeline.addHandler(EdgeCodec(limits: limits, edge: edge, receiver: handler, isSecure: isSecure))
            let key = ObjectIdentifier(channel)
            channels[key] = channel
            channel.closeFuture.assumeIsolated().whenComplete { _ in self.channels[key] = nil }
            if isDraining { channel.close(promise: nil) }
        }

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

/// Lets connections in by the census, and stops accepting while the house is full.
final class ListenerDoor: Sendable {
    private let census: ConnectionCensus
    private let channel = Mutex<(any Channel)?>(nil)

    init(census: ConnectionCensus) {
        self.census = census
    }

    var server: (any Channel)? {
        get { channel.withLock { $0 } }
        set { channel.withLock { $0 = newValue } }
    }

    func admits(_ address: ClientAddress, _ connection: any Channel) -> Bool {
        guard census.enter(address) == .admitted else { return false }
        connection.closeFuture.whenComplete { [self] _ in
            census.leave(address)
            adjust()
        }
        adjust()
        return true
    }

    private func adjust() {
        guard let isPaused = census.pauseChange(), let server else { return }
        _ = server.setOption(.autoRead, value: !isPaused)
    }
}
