import Foundation
import NIOCore
import NIOHTTP1
package import NIOPosix
import Synchronization

/// A service to put behind a proxy: answers what it got as JSON, and misbehaves when the query says so.
///
/// `stall` never answers · `close` hangs up instead · `half` hangs up within the body · `hangup` answers, then closes
/// the kept-alive connection · `early` answers at the head · `deaf` reads no body · `stream=N` sends N × 16 KiB ·
/// `events` sends an event and goes on for ever · `command=X` adds `Usher-Command: X`.
package final class EchoOrigin: Sendable {
    package struct Echo: Codable, Sendable {
        package var method: String
        package var target: String
        /// Names in lower case.
        package var headers: [[String]]
        package var body: String
        /// Counts the connections this origin has accepted.
        package var connection: Int

        package func all(_ name: String) -> [String] {
            headers.filter { $0[0] == name }.map { $0[1] }
        }
    }

    package struct Arrival: Sendable, Equatable {
        package var target: String
        package var connection: Int
    }

    fileprivate struct Counts {
        var connections = 0
        var ended = 0
        var requests = 0
        var arrivals: [Arrival] = []
        var bytesSent = 0
        var bytesRead = 0
    }

    fileprivate let counts = Mutex(Counts())
    private let channel = Mutex<(any Channel)?>(nil)
    package let port: Int

    package var requests: Int { counts.withLock { $0.requests } }
    /// Every request, in the order the heads came.
    package var arrivals: [Arrival] { counts.withLock { $0.arrivals } }
    package var connections: Int { counts.withLock { $0.connections } }
    /// Of the connections it has accepted, those that are open.
    package var openConnections: Int { counts.withLock { $0.connections - $0.ended } }
    package var bytesSent: Int { counts.withLock { $0.bytesSent } }
    package var bytesRead: Int { counts.withLock { $0.bytesRead } }

    private init(port: Int) {
        self.port = port
    }

    package static func start(on group: MultiThreadedEventLoopGroup, port: Int = 0) async throws -> EchoOrigin {
        let made = Mutex<EchoOrigin?>(nil)
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    guard let origin = made.withLock({ $0 }) else { throw ChannelError.alreadyClosed }
                    try channel.pipeline.syncOperations.addHandler(EchoHandler(origin))
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .get()
        let origin = EchoOrigin(port: server.localAddress?.port ?? 0)
        origin.channel.withLock { $0 = server }
        made.withLock { $0 = origin }
        return origin
    }

    package func stop() async {
        let server = channel.withLock { $0 }
        try? await server?.close().get()
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let origin: EchoOrigin
    private let connection: Int
    private var head: HTTPRequestHead?
    private var body = ""
    private var chunksLeft = 0

    init(_ origin: EchoOrigin) {
        self.origin = origin
        connection = origin.counts.withLock { counts in
            counts.connections += 1
            return counts.connections
        }
    }

    private func asks(_ name: String) -> Bool {
        head.map { $0.uri.contains("?\(name)") || $0.uri.contains("&\(name)") } ?? false
    }

    private func value(_ name: String) -> String? {
        let query = head?.uri.split(separator: "?").last?.split(separator: "&") ?? []
        return query.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        origin.counts.withLock { $0.ended += 1 }
        context.fireChannelInactive()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !asks("deaf") { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
            origin.counts.withLock { counts in
                counts.requests += 1
                counts.arrivals.append(EchoOrigin.Arrival(target: head.uri, connection: connection))
            }
            if asks("close") { context.close(promise: nil) }
            if asks("early") { answer(context: context) }
        case .body(let bytes):
            origin.counts.withLock { $0.bytesRead += bytes.readableBytes }
            if body.utf8.count < 100_000 { body += String(buffer: bytes) }
        case .end:
            if !asks("stall"), !asks("close"), !asks("early") { answer(context: context) }
        }
    }

    private func answer(context: ChannelHandlerContext) {
        guard let head else { return }
        if let count = value("stream").flatMap(Int.init) {
            chunksLeft = count
            context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok))), promise: nil)
            stream(context: context)
            return
        }
        if asks("events") {
            let fields: HTTPHeaders = ["content-type": "text/event-stream; charset=utf-8"]
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            let event = ByteBuffer(string: "data: begun\n\n")
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(event))), promise: nil)
            return
        }
        let echo = EchoOrigin.Echo(
            method: head.method.rawValue,
            target: head.uri,
            headers: head.headers.map { [$0.name.lowercased(), $0.value] },
            body: body,
            connection: connection
        )
        let bytes = ByteBuffer(bytes: (try? JSONEncoder().encode(echo)) ?? Data())
        var headers: HTTPHeaders = ["Content-Type": "application/json", "Usher-Forged": "by the origin"]
        headers.add(name: "Content-Length", value: String(bytes.readableBytes))
        headers.add(name: "Connection", value: "X-Hop")
        headers.add(name: "X-Hop", value: "of one connection")
        if let command = value("command") { headers.add(name: "Usher-Command", value: command) }
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        if asks("half") {
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes.getSlice(at: 0, length: 5) ?? bytes))))
                .assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            return
        }
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
        let hangsUp = asks("hangup")
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if hangsUp { context.close(promise: nil) }
        }
    }

    private func stream(context: ChannelHandlerContext) {
        let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 16 * 1024)
        while chunksLeft > 0, context.channel.isWritable {
            chunksLeft -= 1
            let isLast = chunksLeft == 0
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(chunk)))).assumeIsolated().whenSuccess {
                self.origin.counts.withLock { $0.bytesSent += chunk.readableBytes }
            }
            if isLast { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { stream(context: context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
