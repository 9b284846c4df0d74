// The client side of a connection to a service behind the gateway: requests down, replies up.
package import NIOCore
import NIOHTTP1

package enum UpstreamHandlers {
    private static let headBytesMax = 64 * 1024
    private static let headerCountMax = 128

    /// Makes a channel speak `EdgeRequestPart` down and `EdgeReplyPart` up; the caller adds its own handler behind.
    package static func add(to channel: any Channel) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = headBytesMax
        limits.maxHeaderListSize = headBytesMax
        limits.maxHeaderFieldCount = headerCountMax
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPRequestEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(limitConfiguration: limits)))
        try pipeline.addHandler(UpstreamCodec())
    }
}

private final class UpstreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = EdgeReplyPart
    typealias OutboundIn = EdgeRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private var method = EdgeMethod.get

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            context.fireChannelRead(wrapInboundOut(.head(replyHead(head))))
        case .body(let bytes):
            context.fireChannelRead(wrapInboundOut(.body(bytes)))
        case .end:
            context.fireChannelRead(wrapInboundOut(.end))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            method = head.method
            context.write(wrapOutboundOut(.head(requestHead(head))), promise: promise)
        case .body(let bytes):
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
        case .end:
            context.write(wrapOutboundOut(.end(nil)), promise: promise)
        case .refused:
            promise?.fail(ChannelError.operationUnsupported)
        }
    }

    /// `Host` first, then the one framing field, then the rest.
    private func requestHead(_ head: EdgeRequestHead) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(head.headers.fields.count + 2)
        headers.add(name: "Host", value: head.host)
        switch head.framing {
        case .none where !head.method.forbidsBody: headers.add(name: "Content-Length", value: "0")
        case .none: break
        case .length(let count): headers.add(name: "Content-Length", value: String(count))
        case .chunked: headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        for field in head.headers.fields { headers.add(name: field.name, value: field.value) }
        return HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: head.method.name),
            uri: head.target,
            headers: headers
        )
    }

    private func replyHead(_ head: HTTPResponseHead) -> EdgeReplyHead {
        var headers = EdgeHeaders()
        headers.reserveCapacity(head.headers.count)
        var length: Int?
        var isChunked = false
        for (name, value) in head.headers {
            switch name.lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = true
            default: headers.add(name, value)
            }
        }
        let status = Int(head.status.code)
        let hasBody = method != .head && ReplyWriter.hasBody(status)
        let framing: EdgeReplyHead.Framing =
            if let length, !isChunked {
                .length(length)
            } else {
                hasBody ? .chunked : .none
            }
        // Without either field the body ends with the connection.
        let endsByClose = hasBody && length == nil && !isChunked
        return EdgeReplyHead(
            status: status,
            headers: headers,
            framing: framing,
            closes: !head.isKeepAlive || endsByClose
        )
    }
}
