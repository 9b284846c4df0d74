// Who is let in: as many connections as there is room for, and none while the gateway is overloaded. Whoever finds the
// door shut waits in the kernel's queue.
import EdgeHTTP
import NIOCore
import Synchronization

/// Shared by the listening sockets of one listener.
final class ListenerDoor: Sendable {
    private struct State {
        var pacers: [NIOLoopBound<AcceptPacer>] = []
        var isShut = false
    }

    private let census: ConnectionCensus
    private let state = Mutex(State())

    init(census: ConnectionCensus) {
        self.census = census
    }

    /// With `speaksPlain` a connection too many is told so; behind TLS a plain answer would be none.
    func makePacer(on loop: any EventLoop, speaksPlain: Bool) -> AcceptPacer {
        let pacer = AcceptPacer(door: self, speaksPlain: speaksPlain)
        let bound = NIOLoopBound(pacer, eventLoop: loop)
        state.withLock { $0.pacers.append(bound) }
        return pacer
    }

    /// How many connections may be taken now.
    func roomLeft() -> Int {
        state.withLock { $0.isShut } ? 0 : census.roomLeft()
    }

    /// Keeps the door shut whatever room there is.
    func setShut(_ isShut: Bool) {
        let hasChanged = state.withLock { state in
            defer { state.isShut = isShut }
            return state.isShut != isShut
        }
        if hasChanged, !isShut { wake() }
    }

    func enter(_ connection: any Channel) -> ConnectionCensus.Entry {
        let address = connection.remoteAddress.flatMap { ClientAddress($0) } ?? .unknown
        let entry = census.enter(address)
        guard entry == .admitted else { return entry }
        connection.closeFuture.whenComplete { [self] _ in
            if census.leave(address) { wake() }
        }
        return entry
    }

    private func wake() {
        for pacer in state.withLock({ $0.pacers }) {
            pacer.eventLoop.execute { pacer.value.goOn() }
        }
    }
}

/// Stands at the front of a listening socket.
final class AcceptPacer: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    /// Connections taken in one turn of the loop. With NIO's default of 4 a busy loop, whose turns are long, lets new
    /// visitors wait for many seconds while those already connected are served.
    private static let perTurnMax = 256

    private let door: ListenerDoor
    private let speaksPlain: Bool
    private var turn = 0
    private var context: ChannelHandlerContext?
    private var isWaiting = false

    init(door: ListenerDoor, speaksPlain: Bool) {
        self.door = door
        self.speaksPlain = speaksPlain
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        let room = door.roomLeft()
        isWaiting = room == 0
        guard !isWaiting else { return }
        let count = UInt(min(Self.perTurnMax, room))
        try? context.channel.syncOptions?.setOption(.maxMessagesPerRead, value: count)
        context.read()
    }

    func goOn() {
        if isWaiting, let context { read(context: context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        let entry = door.enter(connection)
        guard entry != .admitted else {
            context.fireChannelRead(data)
            return
        }
        turn &+= 1
        if speaksPlain { TurnedAway.answer(entry, connection, turn: turn) } else { connection.close(promise: nil) }
    }
}
