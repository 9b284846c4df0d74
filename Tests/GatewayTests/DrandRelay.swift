// A drand relay on this machine: serves the published rounds of quicknet, and makes others up.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Queueing
import Signing
import Synchronization

@testable import GatewayServer

final class DrandRelay: Sendable {
    enum Manner: Sendable, Equatable {
        case honest
        /// Has no round.
        case late
        /// Other signatures than the honest ones, with randomness that fits.
        case forging
        /// Randomness that does not fit the signature.
        case lying
        /// Answers with the round before.
        case behind
        /// Says that rounds come at other times.
        case otherChain
        case silent
        case junk
    }

    /// Published by the League of Entropy.
    static let published: [UInt64: (signature: String, randomness: String)] = [
        1000: (
            "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
            "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
        ),
        657_413: (
            "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
            "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587"
        ),
    ]

    static let publicKey =
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc2"
        + "2b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    static let groupHash = "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"

    private struct State {
        var manner: Manner
        /// Rounds nobody can have, in any manner.
        var missing: Set<UInt64> = []
        var asked: [UInt64] = []
    }

    private let state: Mutex<State>
    private let channel = Mutex<(any Channel)?>(nil)

    var url: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)" }
    var asked: [UInt64] { state.withLock { $0.asked } }

    private init(_ manner: Manner) { state = Mutex(State(manner: manner)) }

    func behave(_ manner: Manner) { state.withLock { $0.manner = manner } }
    func lose(_ round: UInt64) { state.withLock { _ = $0.missing.insert(round) } }

    static func start(_ manner: Manner = .honest) async throws -> DrandRelay {
        let relay = DrandRelay(manner)
        let channel = try await ServerBootstrap(group: MultiThreadedLoops.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(relay))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        relay.channel.withLock { $0 = channel }
        return relay
    }

    func stop() async throws { try await channel.withLock { $0 }?.close().get() }

    /// What every honest relay gives for a round.
    static func signature(of round: UInt64) -> [UInt8] {
        if let known = published[round] { return Hex.decode(known.signature) ?? [] }
        let digest = SHA256.digest(Array("round \(round)".utf8))
        return digest + digest.prefix(16)
    }

    private func answer(_ path: String) -> (HTTPResponseStatus, String)? {
        let parts = path.split(separator: "/")
        guard parts.count >= 2, parts[0] == BeaconChain.quicknet.hexHash else { return (.notFound, "{}") }
        let manner = state.withLock { $0.manner }
        if manner == .silent { return nil }
        if parts[1] == "info" { return (.ok, Self.info(genesis: manner == .otherChain ? 1 : 1_692_803_367)) }
        guard parts.count == 3, parts[1] == "public", let round = UInt64(parts[2]) else { return (.notFound, "{}") }
        let isMissing = state.withLock { state in
            state.asked.append(round)
            return state.missing.contains(round)
        }
        if isMissing || manner == .late || BeaconChain.quicknet.moment(of: round) > WallClock.now() {
            return (.notFound, #"{"error":"round not available"}"#)
        }
        if manner == .junk { return (.ok, "<html>") }
        var signature = Self.signature(of: round)
        if manner == .forging { signature[3] ^= 1 }
        var randomness = SHA256.digest(signature)
        if manner == .lying { randomness[0] ^= 1 }
        let said = manner == .behind ? round - 1 : round
        return (
            .ok,
            #"{"round":\#(said),"randomness":"\#(Hex.encode(randomness))","signature":"\#(Hex.encode(signature))"}"#
        )
    }

    private static func info(genesis: Int) -> String {
        #"{"public_key":"\#(publicKey)","period":3,"genesis_time":\#(genesis),"#
            + #""hash":"\#(BeaconChain.quicknet.hexHash)","groupHash":"\#(groupHash)","#
            + #""schemeID":"bls-unchained-g1-rfc9380","metadata":{"beaconID":"quicknet"}}"#
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let relay: DrandRelay
        private var path = ""

        init(_ relay: DrandRelay) { self.relay = relay }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): path = head.uri
            case .body: break
            case .end:
                guard let (status, body) = relay.answer(path) else { return }
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

/// Rounds of a chain of a test's own, without sockets: as fast as the test likes.
final class ScriptedBeacon: BeaconSource {
    let chain: BeaconChain
    private let missing = Mutex<Set<UInt64>>([])
    private let isAway = Mutex(false)
    private let asked = Mutex<[UInt64]>([])

    /// A round every second, the first a minute ago.
    init() {
        chain = BeaconChain(
            hash: SHA256.digest(Array("test".utf8)),
            genesisSeconds: WallClock.now().seconds - 60,
            periodSeconds: 1
        )
    }

    func lose(_ round: UInt64) { missing.withLock { _ = $0.insert(round) } }
    func setAway(_ isAway: Bool) { self.isAway.withLock { $0 = isAway } }
    var rounds: [UInt64] { asked.withLock { $0 } }

    func round(_ round: UInt64) async throws -> BeaconRound {
        asked.withLock { $0.append(round) }
        guard !isAway.withLock({ $0 }), !missing.withLock({ $0.contains(round) }),
            let value = BeaconRound(round: round, signature: DrandRelay.signature(of: round))
        else { throw BeaconFailure.tooFew(good: 0, needed: 1) }
        return value
    }
}
