// One exchange at a time on a keep-alive connection.
import NIOCore
import NIOHTTP1

final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Exchange
    typealias OutboundOut = HTTPClientRequestPart

    static let replyBytesMax = 4 * 1024 * 1024

    private var promise: EventLoopPromise<Reply>?
    private var reply: Reply?
    private var isKeptAlive = true

    func write(context: ChannelHandlerContext, data: NIOAny, promise written: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        guard promise == nil else {
            exchange.promise.fail(TransportFailure.lost)
            written?.succeed()
            return
        }
        promise = exchange.promise
        reply = nil
        let request = exchange.request
        var headers = HTTPHeaders([("Host", exchange.host), ("Accept", "application/json")])
        for (name, value) in request.headers { headers.add(name: name, value: value) }
        if let body = request.body {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: String(body.count))
        } else if request.method == .POST {
            headers.add(name: "Content-Length", value: "0")
        }
        let head = HTTPRequestHead(version: .http1_1, method: request.method, uri: request.path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: written)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isKeptAlive = head.isKeepAlive
            reply = Reply(status: Int(head.status.code), headers: head.headers, body: [])
        case .body(let buffer):
            reply?.body.append(contentsOf: buffer.readableBytesView)
            if reply?.body.count ?? 0 > Self.replyBytesMax { end(.failure(.replyTooLong), context) }
        case .end:
            guard let reply else { return }
            end(.success(reply), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(reply == nil ? .lost : .cutShort), context)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(reply == nil ? .lost : .cutShort), context)
        context.fireChannelInactive()
    }

    private func end(_ outcome: Result<Reply, TransportFailure>, _ context: ChannelHandlerContext) {
        let ended = promise
        promise = nil
        reply = nil
        switch outcome {
        case .success(let reply):
            if !isKeptAlive { context.close(promise: nil) }
            ended?.succeed(reply)
        case .failure(let failure):
            if failure == .replyTooLong { context.close(promise: nil) }
            ended?.fail(failure)
        }
    }
}
