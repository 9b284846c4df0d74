// Tells a listener what happened to payments: signed, at least once, in no promised order.

import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Operations
import PaymentLedger
import ServiceLifecycle
import Signing

/// Where events go and what they are signed with.
struct WebhookTarget: Sendable {
    var url: String
    var secret: String
}

/// How often and how fast an event is tried again.
struct WebhookPatience: Sendable {
    var attemptsMax = 15
    var firstPause = Duration.milliseconds(250)
    var longestPause = Duration.seconds(10)
    var answerTimeout = Duration.seconds(5)

    /// The pause after `failures` failures: doubling, up to the longest.
    func pause(after failures: Int) -> Duration {
        min(firstPause * (1 << min(failures - 1, 16)), longestPause)
    }
}

/// Events on their way to the senders.
struct WebhookQueue: Sendable {
    static let eventsMax = 100_000

    let events: AsyncStream<PaymentEvent>
    private let input: AsyncStream<PaymentEvent>.Continuation

    init() {
        (events, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.eventsMax))
    }

    /// An event that finds the queue full stays open in the ledger and goes out after the next start.
    func add(_ event: PaymentEvent) { input.yield(event) }
}

struct WebhookSender: Service {
    /// Deliveries under way at once.
    static let deliveriesMax = 32

    let target: WebhookTarget
    let patience: WebhookPatience
    let disorder: Disorder
    let queue: WebhookQueue
    let desk: PaymentDesk
    let client: HTTPClient
    let metrics: PaymentMetrics
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                var events = queue.events.makeAsyncIterator()
                var underWay = 0
                while let event = await events.next() {
                    if underWay == Self.deliveriesMax { await group.next() } else { underWay += 1 }
                    group.addTask { await deliver(event) }
                }
            }
        }
    }

    private func deliver(_ event: PaymentEvent) async {
        let disorder = disorder.webhooks
        let pause = disorder.pause(chance: .random(in: 0...1))
        if pause > .zero { do { try await Task.sleep(for: pause) } catch { return } }
        for number in 1...patience.attemptsMax {
            if await isTaken(event) {
                metrics.webhooksDelivered.increment()
                for _ in 1..<max(disorder.copies, 1) { _ = await isTaken(event) }
                return desk.settle([event.id])
            }
            metrics.webhookAttemptsFailed.increment()
            do { try await Task.sleep(for: patience.pause(after: number)) } catch { return }
        }
        metrics.webhooksAbandoned.increment()
        logger.error("event given up", metadata: ["event.id": "\(event.id)", "event.type": "\(event.kind.rawValue)"])
        desk.settle([event.id])
    }

    /// - Returns: whether the listener took the event.
    private func isTaken(_ event: PaymentEvent) async -> Bool {
        do {
            let body = try StripeJSON.bytes(of: EventBody(event))
            var request = HTTPClientRequest(url: target.url)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json; charset=utf-8")
            request.headers.add(
                name: "Stripe-Signature",
                value: Self.signature(of: body, secret: target.secret, at: Int64(Date().timeIntervalSince1970))
            )
            request.body = .bytes(ByteBuffer(bytes: body))
            let response = try await client.execute(
                request,
                deadline: .now() + .nanoseconds(Int64(patience.answerTimeout / .nanoseconds(1)))
            )
            // The answer's body is of no interest, but the connection is only free again after it.
            _ = try await response.body.collect(upTo: 64 * 1024)
            return (200...299).contains(response.status.code)
        } catch {
            logger.debug("event not taken", metadata: ["event.id": "\(event.id)", "error": "\(error)"])
            return false
        }
    }

    /// `t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">`
    static func signature(of body: [UInt8], secret: String, at seconds: Int64) -> String {
        let code = HMACSHA256.code(for: Array("\(seconds).".utf8) + body, key: Array(secret.utf8))
        return "t=\(seconds),v1=\(Hex.encode(code))"
    }
}
