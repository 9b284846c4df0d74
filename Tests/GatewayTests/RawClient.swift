import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import TestSupport

/// A client that sends exactly the bytes it is given, from any address of 127.0.0.0/8, and reads when told to.
final class RawClient: Sendable {
    struct Reply: Sendable {
        var status: Int
        /// Names in lower case.
        var headers: [(name: String, value: String)]
        var body: String

        func first(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        func all(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    }

    private struct State {
        var received = ByteBuffer()
        var isClosed = false
        var sentBytes = 0
        /// Of the handshake: nil before it, empty when nothing was agreed.
        var applicationProtocol: String?
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let client: RawClient

        init(_ client: RawClient) {
            self.client = client
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            client.state.withLock { _ = $0.received.writeBuffer(&bytes) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let agreed) = event as? TLSUserEvent {
                client.state.withLock { $0.applicationProtocol = agreed ?? "" }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            client.state.withLock { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    static func connect(
        to port: Int,
        from address: String = "127.0.0.1",
        on group: any EventLoopGroup,
        tls: NIOSSLContext? = nil,
        readsAtOnce: Bool = true
    ) async throws -> RawClient {
        let client = RawClient()
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: readsAtOnce)
            .bind(to: try SocketAddress(ipAddress: address, port: 0))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(client))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        client.channel.withLock { $0 = channel }
        return client
    }

    func send(_ text: String) {
        send(ByteBuffer(string: text))
    }

    func send(_ bytes: ByteBuffer) {
        channel.withLock { $0 }?.writeAndFlush(bytes).whenSuccess { [self] in
            state.withLock { $0.sentBytes += bytes.readableBytes }
        }
    }

    func readOn() {
        _ = channel.withLock { $0 }?.setOption(.autoRead, value: true)
    }

    /// Sends nothing more, and goes on reading.
    func endInput() async {
        try? await channel.withLock { $0 }?.close(mode: .output).get()
    }

    func close() async {
        try? await channel.withLock { $0 }?.close().get()
    }

    /// Without the goodbye of TLS.
    func leave() async throws {
        guard let channel = channel.withLock({ $0 }) else { return }
        try await channel.pipeline.context(handlerType: NIOSSLClientHandler.self).flatMap { $0.close() }.get()
    }

    var applicationProtocol: String? { state.withLock { $0.applicationProtocol } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var sentBytes: Int { state.withLock { $0.sentBytes } }
    var receivedBytes: Int { state.withLock { $0.received.readableBytes } }
    var text: String { state.withLock { String(buffer: $0.received) } }

    /// Waits for the next whole reply and takes it out of what was received.
    func reply(toHead: Bool = false) async throws -> Reply {
        var found: Reply?
        try await eventually(within: .seconds(60)) {
            found = state.withLock { state in
                guard let (reply, length) = Self.parse(String(buffer: state.received), toHead: toHead) else {
                    return nil
                }
                state.received.moveReaderIndex(forwardBy: length)
                return reply
            }
            return found != nil
        }
        return try found.orThrow()
    }

    private static func parse(_ text: String, toHead: Bool) -> (Reply, Int)? {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: parts[1].trimmingPrefix(" ").description)
        }
        var reply = Reply(status: status, headers: headers, body: "")
        let headLength = text[..<end.upperBound].utf8.count
        guard !toHead, status >= 200 else { return (reply, headLength) }
        let rest = text[end.upperBound...]
        if reply.first("transfer-encoding") == "chunked" {
            guard let last = rest.firstRange(of: "0\r\n\r\n") else { return nil }
            reply.body = rest[..<last.lowerBound].split(separator: "\r\n").enumerated()
                .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }.joined()
            return (reply, headLength + rest[..<last.upperBound].utf8.count)
        }
        let length = reply.first("content-length").flatMap(Int.init) ?? 0
        guard rest.utf8.count >= length else { return nil }
        reply.body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
        return (reply, headLength + length)
    }
}

struct Missing: Error {}

extension Optional {
    func orThrow() throws -> Wrapped {
        guard let self else { throw Missing() }
        return self
    }
}
