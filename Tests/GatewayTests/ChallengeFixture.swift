// Answers to a room's challenge, right and wrong, and a captcha provider to ask.
import Challenges
import EdgeHTTP
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Operations
import OutwardCalls
import Queueing
import Signing
import Synchronization
import UsherAPI

@testable import GatewayServer

extension GatewayNode {
    static let easyWork = #"{"kind":"pow","steps":[{"joins_per_second":0,"hashes":1000}]}"#

    func challenge(device: Int, room: String = "sale", from address: UInt32 = 0x7F00_0001) async throws
        -> ChallengeReply
    {
        let path = Path.room(room, "challenge")
        let reply = try await send(.get, path, ["Usher-Device": Self.device(device)], from: address)
        return try reply.decoded(ChallengeReply.self)
    }

    /// A solved puzzle.
    func answer(device: Int, room: String = "sale") async throws -> String {
        let work = try await challenge(device: device, room: room).pow.orThrow()
        return "\(work.token).\(try Self.number(of: work))"
    }

    static func number(of work: ChallengeReply.Work) throws -> UInt32 {
        let prefix = try Hex.decode(work.prefix).orThrow()
        let target = try Hex.decode(work.target).orThrow()
        var solver = try PuzzleSolver(prefix: prefix, target: target, limit: work.limit).orThrow()
        return try solver.solve().orThrow()
    }

    func tryJoin(
        device: Int,
        answer: String? = nil,
        room: String = "sale",
        from address: UInt32 = 0x7F00_0001
    ) async throws -> EdgeReply {
        var headers: EdgeHeaders = ["Usher-Device": Self.device(device)]
        if let answer { headers.add("Usher-Challenge", answer) }
        return try await send(.post, Path.room(room, "join"), headers, from: address)
    }

    /// What the gateways of the room sealed, as of another time: only a test with the room's key can.
    func ticket(device: Int, secondsAgo: Int, room: String = "sale") async throws -> String {
        let view = try rooms.view.rooms[room].orThrow()
        return WaitTicket(
            for: ChallengeScope(room: room, dedupeTag: try await tag(ofDevice: device)),
            seconds: 15,
            atMS: rooms.view.now().milliseconds - Int64(secondsAgo) * 1000,
            entropy: SecureRandom.bytes(WaitTicket.entropyLength),
            key: view.challengeKey
        ).text
    }

    func oldAnswer(device: Int, secondsAgo: Int, room: String = "sale") async throws -> String {
        let view = try rooms.view.rooms[room].orThrow()
        let puzzle = Puzzle(
            for: ChallengeScope(room: room, dedupeTag: try await tag(ofDevice: device)),
            limit: 1,
            atMS: rooms.view.now().milliseconds - Int64(secondsAgo) * 1000,
            entropy: SecureRandom.bytes(Puzzle.entropyLength),
            key: view.challengeKey
        )
        return "\(puzzle.text).0"
    }

    func metric(_ line: String) -> Double? {
        metrics.page().split(separator: "\n").first { $0.hasPrefix(line + " ") }
            .flatMap { Double($0.dropFirst(line.utf8.count + 1)) }
    }
}

/// Answers `siteverify` by the visitor's answer: `good…` once, then `timeout-or-duplicate`; `always…` every time;
/// `stall…` never; `junk…`, `error…` and `secret…` as a provider in trouble.
final class CaptchaProvider: Sendable {
    private struct State {
        var seen: Set<String> = []
        var forms: [String] = []
    }

    private let state = Mutex(State())
    private let channel: any Channel
    let port: Int

    var forms: [String] { state.withLock { $0.forms } }

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    static func with(_ body: (CaptchaProvider, CaptchaVerifier) async throws -> Void) async throws {
        let made = Mutex<CaptchaProvider?>(nil)
        let channel = try await ServerBootstrap(group: MultiThreadedLoops.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    let provider = try made.withLock { $0 }.orThrow()
                    try channel.pipeline.syncOperations.addHandler(Handler(provider))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let provider = CaptchaProvider(channel: channel)
        made.withLock { $0 = provider }
        let client = OutwardClient(group: MultiThreadedLoops.group, deadline: .milliseconds(700))
        let verifier = CaptchaVerifier(
            url: "http://127.0.0.1:\(provider.port)/siteverify",
            secret: "s&cret",
            client: client,
            logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await body(provider, verifier)
        } catch {
            try await client.shutDown()
            throw error
        }
        try await client.shutDown()
        try? await channel.close().get()
    }

    fileprivate func reply(to form: String) -> (status: HTTPResponseStatus, body: String)? {
        let answer = FormFields.value(of: "response", in: form[...]) ?? ""
        let isNew = state.withLock { state in
            state.forms.append(form)
            return state.seen.insert(answer).inserted
        }
        func refused(_ code: String) -> (HTTPResponseStatus, String) {
            (.ok, #"{"success":false,"error-codes":["\#(code)"]}"#)
        }
        return switch answer.prefix(4) {
        case "good": isNew ? (.ok, #"{"success":true,"hostname":"x"}"#) : refused("timeout-or-duplicate")
        case "alwa": (.ok, #"{"success":true}"#)
        case "stal": nil
        case "junk": (.ok, "success")
        case "erro": (.internalServerError, #"{"success":true}"#)
        case "secr": refused("invalid-input-secret")
        default: refused("invalid-input-response")
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let provider: CaptchaProvider
        private var form = ""

        init(_ provider: CaptchaProvider) { self.provider = provider }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: form = ""
            case .body(let bytes): form += String(buffer: bytes)
            case .end:
                guard let (status, body) = provider.reply(to: form) else { return }
                let head = HTTPResponseHead(
                    version: .http1_1,
                    status: status,
                    headers: ["Content-Length": "\(body.utf8.count)", "Content-Type": "application/json"]
                )
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
