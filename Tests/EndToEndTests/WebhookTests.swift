import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import QueueTokens
import Signing
import Synchronization
import Testing

@Suite(.serialized) struct WebhookTests {
    @Test func `T32: an endpoint hears of each purchase, also when booking is killed and the streams are lost`()
        async throws
    {
        try await RunningStack.with(environment: ["USHER_BOOKING_WEBHOOK_PRIVATE_TARGETS": "true"]) { stack in
            let listener = try await Listener.start()
            let admin = Visitor(base: stack.admin).with("Authorization", "Bearer \(try Self.adminToken(stack))")
            let made = try await admin.post("/v1/admin/webhook-endpoints", ["url": listener.url])
            #expect(made.status == 201, "\(made.json)")
            let secret = try #require(made.text("secret"))
            let id = try #require(made.text("id"))
            #expect(try await Visitor(base: stack.admin).get("/v1/admin/webhook-endpoints").status == 401)

            let tour = try await Tour(stack)
            let buyer = try await tour.buyer()
            #expect(try await tour.stranger.get("/v1/admin/webhook-endpoints").status != 200)
            #expect(
                try await Visitor(base: stack.admin, headers: buyer.headers).get("/v1/admin/webhook-endpoints").status
                    == 403
            )
            // A process looks for endpoints about once a second: a purchase of before that may not be told.
            var seat = 0
            try await eventually("a purchase is told", within: .seconds(120)) {
                seat += 1
                let order = try await Self.buy("MAIN-L-\(seat)", tour)
                try? await eventually("it is", within: .seconds(5)) { !listener.types(of: order).isEmpty }
                return !listener.types(of: order).isEmpty
            }
            let order = try await Self.buy("MAIN-L-\(seat + 1)", tour)
            let socket = try stack.fact("redis").replacing("unix://", with: "").split(separator: "?")[0]
            let streams = (0..<10).map { "events:\($0)" }
            #expect(try await stack.shell("redis-cli", ["-s", String(socket), "DEL"] + streams) == 0)
            try await stack.killAndWaitForNext("usher-booking")
            try await eventually("the purchase is told in full", within: .seconds(120)) {
                listener.types(of: order) == ["order.created", "order.confirmed", "order.paid"]
            }
            try await eventually("its tickets and its payment are told", within: .seconds(120)) {
                listener.isTold("ticket.issued", of: order) && listener.isTold("payment.captured", of: order)
            }
            #expect(listener.areAllSigned(with: [secret]))
            try await Self.rotate(id, from: secret, admin: admin, listener: listener) {
                seat += 1
                return try await Self.buy("MAIN-L-\(seat + 1)", tour)
            }
            let log = try await admin.get("/v1/admin/webhook-endpoints/\(id)/deliveries?state=delivered")
            #expect((log.json["data"] as? [Any])?.count ?? 0 >= 3, "\(log.json)")
            #expect(try await admin.get("/v1/admin/parked-events").json["data"] as? [String] == [])
            let refused = try await admin.post("/v1/admin/webhook-endpoints", ["url": "gopher://example.org/"])
            #expect(refused.code == "validation_failed")
            #expect(try await admin.send(.DELETE, "/v1/admin/webhook-endpoints/\(id)").status == 204)
            try await stack.expectCheckIsClean()
            await listener.stop()
        }
    }

    /// While both secrets live there are two signatures; what comes after is signed with the new one alone.
    private static func rotate(
        _ id: String,
        from old: String,
        admin: Visitor,
        listener: Listener,
        buy: () async throws -> String
    ) async throws {
        let path = "/v1/admin/webhook-endpoints/\(id)/rotate-secret"
        let rotated = try await admin.post(path, ["overlap_seconds": 600])
        let new = try #require(rotated.text("secret"), "\(rotated.json)")
        #expect(rotated.text("previous_secret_until") != nil)
        listener.forget()
        let first = try await buy()
        // What was under way when the secret changed may still be signed with the old one alone.
        try await eventually("the purchase is told with both secrets", within: .seconds(120)) {
            listener.isSigned(with: [new, old], of: first)
        }
        let again = try await admin.post(path, ["overlap_seconds": 0])
        let newest = try #require(again.text("secret"), "\(again.json)")
        listener.forget()
        let second = try await buy()
        try await eventually("the next is told with the newest secret alone", within: .seconds(120)) {
            listener.isSigned(with: [newest], of: second)
        }
    }

    private static func buy(_ seat: String, _ tour: Tour) async throws -> String {
        // A buyer of its own: there is a limit of seats.
        let buyer = try await tour.buyer()
        let hold = try await tour.hold([seat], by: buyer)
        let order = try await tour.order(hold: try #require(hold.text("id"), "\(hold.json)"), by: buyer)
        let id = try #require(order.text("id"), "\(order.json)")
        #expect(try await tour.pay(id, by: buyer).status == 200)
        return id
    }

    private static func adminToken(_ stack: RunningStack) throws -> String {
        let keys = try KeyRing.load(from: stack.data + "/keys", name: .account)
        let now = Int64(Date().timeIntervalSince1970)
        let token = AccountToken(
            userID: "usr_" + UUIDv7.make(milliseconds: now * 1000).text,
            role: "admin",
            tokenID: TokenID.random(),
            issuedAt: now,
            expiresAt: now + 600
        )
        return try keys.sign(token)
    }
}

/// Listens for webhooks.
private final class Listener: Sendable {
    private let bodies = Mutex<[(signature: String, body: [UInt8])]>([])
    private let channel = Mutex<(any Channel)?>(nil)

    var url: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port ?? 0 })/usher" }

    static func start() async throws -> Listener {
        let listener = Listener()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(listener))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.channel.withLock { $0 = server }
        return listener
    }

    func stop() async { try? await channel.withLock { $0 }?.close() }

    /// The short types of an order's events by their sequence, each once.
    func types(of order: String) -> [String] {
        var types: [Int: String] = [:]
        for (_, body) in bodies.withLock({ $0 }) {
            guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
                json["subject"] as? String == order, let type = json["type"] as? String,
                let sequence = (json["sequence"] as? String).flatMap({ Int($0) })
            else { continue }
            types[sequence] = type.replacing("dev.usher.", with: "").replacing(".v1", with: "")
        }
        return types.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Whether an event of this short type, of the payment or of a ticket of the order, has come.
    func isTold(_ type: String, of order: String) -> Bool {
        bodies.withLock { $0 }.contains { _, body in
            guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else { return false }
            return json["type"] as? String == "dev.usher.\(type).v1"
                && (json["data"] as? [String: Any])?["order_id"] as? String == order
        }
    }

    func forget() { bodies.withLock { $0 = [] } }

    func areAllSigned(with secrets: [String]) -> Bool {
        let all = bodies.withLock { $0 }
        return !all.isEmpty && all.allSatisfy { Self.isSigned($0.body, $0.signature, with: secrets) }
    }

    /// Whether the order's payment has been told, signed with just these secrets.
    func isSigned(with secrets: [String], of order: String) -> Bool {
        bodies.withLock { $0 }.contains { signature, body in
            guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else { return false }
            return json["subject"] as? String == order && json["type"] as? String == "dev.usher.order.paid.v1"
                && Self.isSigned(body, signature, with: secrets)
        }
    }

    private static func isSigned(_ body: [UInt8], _ signature: String, with secrets: [String]) -> Bool {
        let parts = signature.split(separator: ",").map(String.init)
        guard parts.count == secrets.count + 1 else { return false }
        let signed = Array("\(parts[0].dropFirst(2)).".utf8) + body
        return zip(parts.dropFirst(), secrets).allSatisfy { part, secret in
            guard let code = Hex.decode(String(part.dropFirst(3))) else { return false }
            return HMACSHA256.isValid(code, for: signed, key: Array(secret.utf8))
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let listener: Listener
        private var signature = ""
        private var body: [UInt8] = []

        init(_ listener: Listener) { self.listener = listener }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (signature, body) = (head.headers.first(name: "Usher-Signature") ?? "", [])
            case .body(let buffer): body += buffer.readableBytesView
            case .end:
                let got = (signature, body)
                listener.bodies.withLock { $0.append(got) }
                let head = HTTPResponseHead(version: .http1_1, status: .noContent)
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
