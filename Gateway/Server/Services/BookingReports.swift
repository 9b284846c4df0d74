// Asks booking what can still be had of a session, and for the keys of its account tokens.
import Foundation
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import QueueTokens
import Queueing
import ServiceLifecycle
package import UsherAPI

/// A small GET over a connection of its own: one or two a second, so nothing is kept open.
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

    package func get(host: String, port: Int, path: String) async throws -> [UInt8] {
        let loop = group.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let connected = ClientBootstrap(group: loop)
            .connectTimeout(deadline)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        FetchHandler(path: path, authority: authority, promise: promise)
                    )
                }
            }
            .connect(host: host, port: port)
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
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let path: String
    private let authority: String
    private let promise: EventLoopPromise<[UInt8]>
    private var status = 0
    private var body: [UInt8] = []

    init(path: String, authority: String, promise: EventLoopPromise<[UInt8]>) {
        self.path = path
        self.authority = authority
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = ["Host": authority, "Connection": "close", "Accept": "application/json"]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
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
}

/// What can still be had of all sessions of a room.
package protocol AdmissionReports: Sendable {
    func report(session: String) async throws -> AdmissionReport
}

package struct BookingReports: AdmissionReports {
    private let fetch: PlainFetch
    private let address: ServiceAddress

    package init(fetch: PlainFetch, address: ServiceAddress) {
        self.fetch = fetch
        self.address = address
    }

    package func report(session: String) async throws -> AdmissionReport {
        let bytes = try await fetch.get(host: address.host, port: address.port, path: Path.admission(session))
        return try JSONDecoder().decode(AdmissionReport.self, from: Foundation.Data(bytes))
    }
}

/// Reads booking's keys at start and every five minutes; the last good ones stay.
package struct AccountKeysReader: Service {
    private let fetch: PlainFetch
    private let address: ServiceAddress
    private let rooms: Rooms
    private let interval: Duration
    private let logger: Logger

    static let retry: Duration = .seconds(2)

    package init(fetch: PlainFetch, address: ServiceAddress, rooms: Rooms, interval: Duration, logger: Logger) {
        self.fetch = fetch
        self.address = address
        self.rooms = rooms
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var isAway = false
            while !Task.isCancelled {
                var pause = interval
                do {
                    let bytes = try await fetch.get(host: address.host, port: address.port, path: Path.jwks)
                    let keys = try JWKS.decode(bytes)
                    rooms.update { $0.accountKeys = keys }
                    isAway = false
                } catch {
                    pause = Self.retry
                    if !isAway { logger.warning("account keys cannot be read", metadata: ["error": "\(error)"]) }
                    isAway = true
                }
                try? await Task.sleep(for: pause)
            }
        }
    }
}
