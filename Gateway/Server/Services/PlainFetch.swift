// A small GET to a service behind the gateway.
import EdgeHTTP
package import NIOCore
import NIOPosix

/// Each over a connection of its own: there are one or two a second, so nothing is kept open.
package struct PlainFetch: Sendable {
    package static let bodyBytesMax = 65_536

    package enum Failure: Error, Equatable {
        case unreachable
        case timedOut
        case tooLong
        case status(Int)
        case closedEarly
    }

    private let group: any EventLoopGroup
    private let deadline: TimeAmount

    package init(group: any EventLoopGroup, deadline: TimeAmount = .seconds(2)) {
        self.group = group
        self.deadline = deadline
    }

    package func get(_ address: ServiceAddress, _ path: String) async throws -> [UInt8] {
        let loop = group.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let head = EdgeRequestHead(
            method: .get,
            target: path,
            host: address.authority,
            headers: ["Connection": "close", "Accept": "application/json"]
        )
        let connected = ClientBootstrap(group: loop)
            .connectTimeout(deadline)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try UpstreamHandlers.add(to: channel)
                    try channel.pipeline.syncOperations.addHandler(FetchHandler(head, promise))
                }
            }
            .connect(host: address.host, port: address.port)
        connected.whenFailure { _ in promise.fail(Failure.unreachable) }
        let timer = loop.scheduleTask(in: deadline) { promise.fail(Failure.timedOut) }
        defer {
            timer.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        return try await promise.futureResult.get()
    }
}

private final class FetchHandler: ChannelInboundHandler {
    typealias InboundIn = EdgeReplyPart
    typealias OutboundOut = EdgeRequestPart

    private let head: EdgeRequestHead
    private let promise: EventLoopPromise<[UInt8]>
    private var status = 0
    private var body: [UInt8] = []

    init(_ head: EdgeRequestHead, _ promise: EventLoopPromise<[UInt8]>) {
        self.head = head
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = head.status
        case .body(let bytes):
            take(bytes, context: context)
        case .whole(let reply):
            status = reply.status
            take(reply.body, context: context)
            finish()
        case .end:
            finish()
        }
    }

    private func take(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        guard body.count + bytes.readableBytes <= PlainFetch.bodyBytesMax else {
            promise.fail(PlainFetch.Failure.tooLong)
            context.close(promise: nil)
            return
        }
        body.append(contentsOf: bytes.readableBytesView)
    }

    private func finish() {
        if status == 200 { promise.succeed(body) } else { promise.fail(PlainFetch.Failure.status(status)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(PlainFetch.Failure.closedEarly)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(PlainFetch.Failure.closedEarly)
        context.close(promise: nil)
    }
}

/// Where a service listens.
package struct ServiceAddress: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
