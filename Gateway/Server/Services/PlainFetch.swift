// A small GET to a service behind the gateway.
package import EdgeHTTP
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
        case broken(UpstreamFlaw)
    }

    private let group: any EventLoopGroup
    private let deadline: TimeAmount

    package init(group: any EventLoopGroup, deadline: TimeAmount = .seconds(2)) {
        self.group = group
        self.deadline = deadline
    }

    package func get(_ address: ServiceAddress, _ path: String) async throws -> [UInt8] {
        try await begin(address, path, on: group.next()).get()
    }

    /// The first answer of services of which each could give it.
    package func get(anyOf addresses: [ServiceAddress], _ path: String) async throws -> [UInt8] {
        var failure: any Error = Failure.unreachable
        for address in addresses {
            do {
                return try await get(address, path)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    func begin(_ address: ServiceAddress, _ path: String, on loop: any EventLoop) -> EventLoopFuture<[UInt8]> {
        let promise = loop.makePromise(of: [UInt8].self)
        let head = EdgeRequestHead(method: .get, target: path)
        let connected = ClientBootstrap(group: loop)
            .connectTimeout(deadline)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FetchHandler(head, address.authority, promise))
                }
            }
            .connect(host: address.host, port: address.port)
        connected.whenFailure { _ in promise.fail(Failure.unreachable) }
        let timer = loop.scheduleTask(in: deadline) { promise.fail(Failure.timedOut) }
        promise.futureResult.whenComplete { _ in
            timer.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        return promise.futureResult
    }
}

private final class FetchHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let head: EdgeRequestHead
    private let host: String
    private let promise: EventLoopPromise<[UInt8]>
    private var parser = UpstreamReplyParser()
    private var pending = ByteBuffer()
    private var status = 0
    private var body: [UInt8] = []

    init(_ head: EdgeRequestHead, _ host: String, _ promise: EventLoopPromise<[UInt8]>) {
        self.head = head
        self.host = host
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        var bytes = ByteBuffer()
        UpstreamRequest.write(head, host: host, to: &bytes) { _ in true }
        UpstreamRequest.write("Accept", "application/json", to: &bytes)
        UpstreamRequest.write("Connection", "close", to: &bytes)
        UpstreamRequest.writeEnd(to: &bytes)
        parser.expectReply(to: head.method)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        pending.writeBuffer(&bytes)
        do throws(UpstreamFlaw) {
            while let piece = try parser.next(from: &pending) { take(piece, context) }
        } catch {
            promise.fail(PlainFetch.Failure.broken(error))
            context.close(promise: nil)
        }
    }

    private func take(_ piece: UpstreamReplyParser.Piece, _ context: ChannelHandlerContext) {
        switch piece {
        case .head(let head): status = head.status
        case .body(let bytes):
            guard body.count + bytes.readableBytes <= PlainFetch.bodyBytesMax else {
                promise.fail(PlainFetch.Failure.tooLong)
                context.close(promise: nil)
                return
            }
            body.append(contentsOf: bytes.readableBytesView)
        case .end:
            if status == 200 { promise.succeed(body) } else { promise.fail(PlainFetch.Failure.status(status)) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .end? = try? parser.ended() {
            take(.end, context)
        } else {
            promise.fail(PlainFetch.Failure.closedEarly)
        }
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

    /// Value of `Host`.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
