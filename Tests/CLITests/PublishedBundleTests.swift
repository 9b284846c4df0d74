// `usher audit --url`: what it makes of a gateway that answers in pieces, goes on growing, is busy, or lies.
import Fairness
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import UsherCLI

/// A gateway that serves one room's bundle, its log in pieces of `pieceBytesMax`.
private final class BundleServer: Sendable {
    static let pieceBytesMax = 1000

    let header: String
    let sections: [String: [UInt8]]
    /// Answers 503 to this request, counted from 1.
    let busyAt: Int?
    private let asked = Mutex<[String]>([])

    var requests: [String] { asked.withLock { $0 } }

    init(header: String, sections: [String: [UInt8]], busyAt: Int? = nil) {
        (self.header, self.sections, self.busyAt) = (header, sections, busyAt)
    }

    func answer(_ target: String) -> (HTTPResponseStatus, [UInt8]) {
        let count = asked.withLock { asked in
            asked.append(target)
            return asked.count
        }
        if count == busyAt { return (.serviceUnavailable, []) }
        let parts = target.split(separator: "?")
        if parts.first == "/v1/rooms/arena/audit" { return (.ok, Array(header.utf8)) }
        guard parts.count == 2, let name = parts[0].split(separator: "/").last, let bytes = sections[String(name)],
            parts[1].hasPrefix("from="), let from = Int(parts[1].dropFirst(5)), from <= bytes.count
        else { return (.notFound, []) }
        return (.ok, Array(bytes[from...].prefix(Self.pieceBytesMax)))
    }

    /// Runs `body` with the address of this server.
    func serve(_ body: (String) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answering(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body("http://127.0.0.1:\(channel.localAddress?.port ?? 0)/")
        } catch {
            try await channel.close().get()
            throw error
        }
        try await channel.close().get()
    }
}

private final class Answering: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: BundleServer
    private var target = ""

    init(_ server: BundleServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): target = head.uri
        case .body: break
        case .end:
            let (status, bytes) = server.answer(target)
            let fields: HTTPHeaders = ["Content-Length": "\(bytes.count)"]
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

struct PublishedBundleTests {
    private static let log = (0..<100).flatMap { index in [UInt8](repeating: UInt8(index), count: 24) }

    private static func header(logBytes: Int = log.count) -> String {
        """
        {"format": "usher-bundle/1", "room": "arena", "generation": 1, "phase": "active",
         "keys": {"keys": []}, "commitment": "", "order": {"method": "first_come"}, "policies": [], "checkpoints": [],
         "stats": {"unknown": true},
         "sections": [{"name": "log", "bytes": \(logBytes)}, {"name": "left", "bytes": 8}]}
        """
    }

    private static let left: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 7]

    private func fetch(_ server: BundleServer) async throws -> RoomBundle {
        var bundle: RoomBundle?
        try await server.serve { address in
            bundle = try RoomBundle(file: try await PublishedBundle(gateway: address, room: "arena").file { _ in })
        }
        return try #require(bundle)
    }

    @Test func `a bundle is put together from its pieces`() async throws {
        let server = BundleServer(header: Self.header(), sections: ["log": Self.log, "left": Self.left])
        let bundle = try await fetch(server)
        #expect(bundle.sections[.log] == Self.log)
        #expect(bundle.left == [7])
        #expect(
            server.requests == [
                "/v1/rooms/arena/audit", "/v1/rooms/arena/audit/log?from=0", "/v1/rooms/arena/audit/log?from=1000",
                "/v1/rooms/arena/audit/log?from=2000", "/v1/rooms/arena/audit/left?from=0",
            ]
        )
    }

    @Test func `what came after the header is left out`() async throws {
        let grown = BundleServer(header: Self.header(logBytes: 1200), sections: ["log": Self.log, "left": Self.left])
        #expect(try await fetch(grown).sections[.log] == Array(Self.log.prefix(1200)))
    }

    @Test func `a busy gateway is asked again`() async throws {
        let busy = BundleServer(header: Self.header(), sections: ["log": Self.log, "left": Self.left], busyAt: 3)
        #expect(try await fetch(busy).sections[.log] == Self.log)
        #expect(busy.requests.count == 6)
    }

    @Test func `a section that ends too soon is no bundle`() async throws {
        let short = BundleServer(header: Self.header(logBytes: 9999), sections: ["log": Self.log, "left": Self.left])
        await #expect(throws: BundleFlaw.self) { try await fetch(short) }
    }

    @Test(arguments: [
        "", "{}", #"{"format":"usher-bundle/9"}"#, header(logBytes: -1), header(logBytes: 1 << 40),
        header().replacing("\"left\"", with: "\"friends\""),
    ])
    func `a header that promises nonsense is refused before anything is read`(header: String) async throws {
        let server = BundleServer(header: header, sections: ["log": Self.log, "left": Self.left])
        await #expect(throws: BundleFlaw.self) { try await fetch(server) }
        #expect(server.requests.filter { $0.contains("friends") } == [])
    }

    @Test func `a room that is not there is said to be so`() async throws {
        let server = BundleServer(header: Self.header(), sections: [:])
        try await server.serve { address in
            await #expect(throws: BundleFlaw.self) {
                try await PublishedBundle(gateway: address, room: "nowhere").file { _ in }
            }
        }
        #expect(server.requests.count == 1)
    }
}
