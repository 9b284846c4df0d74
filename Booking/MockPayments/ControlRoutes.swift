// `/_test/…`: how a test makes this provider misbehave. Nothing of it exists at Stripe.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PaymentLedger
import PlainJSON
import Synchronization

/// How events are disturbed right now.
final class Disorder: Sendable {
    private let current = Mutex(WebhookDisorder())

    var webhooks: WebhookDisorder {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}

/// | call | what it does |
/// |---|---|
/// | `POST /_test/faults` | `{"call", "kind", "count", "skip", "delay_ms", "state", "amount"}`: the next calls go wrong |
/// | `GET`, `DELETE /_test/faults` | the faults still to come |
/// | `POST /_test/webhooks` | `{"copies", "delay_ms", "shuffle"}`: how events are disturbed from now on |
/// | `POST /_test/disputes` | `{"payment_intent"}`: the buyer's bank disputes a charge |
/// | `POST /_test/disputes/{id}` | `{"status": "won" or "lost"}` |
/// | `POST /_test/refunds/{id}` | `{"status": "succeeded" or "failed"}`: the bank's last word |
struct ControlRoutes: Sendable {
    static let prefix = "_test"

    let desk: PaymentDesk
    let faults: FaultPlan
    let disorder: Disorder

    /// `segments` are those behind the prefix.
    func answer(_ request: Request, _ segments: [String], path: String) async throws -> Response {
        let body = try await request.body.collect(upTo: FormBody.bytesMax)
        let data = Data(body.readableBytesView)
        switch (request.method, segments.first, segments.count) {
        case (.post, "faults", 1):
            guard faults.add(try Self.read(Fault.self, data)) else { throw StripeFailure.tooManyRequests }
            return try Self.json(faults.faults)
        case (.get, "faults", 1): return try Self.json(faults.faults)
        case (.delete, "faults", 1):
            faults.clear()
            return try Self.json(faults.faults)
        case (.post, "webhooks", 1):
            disorder.webhooks = try Self.read(WebhookDisorder.self, data)
            return try Self.json(disorder.webhooks)
        case (.post, "disputes", 1):
            let wish = try Self.read(DisputeWish.self, data)
            return try await carry(.openDispute(intent: wish.payment_intent))
        case (.post, "disputes", 2):
            let wish = try Self.read(StatusWish.self, data)
            guard let state = ChargeDispute.State(rawValue: wish.status) else { throw StripeFailure.malformedBody }
            return try await carry(.closeDispute(dispute: segments[1], state: state))
        case (.post, "refunds", 2):
            let wish = try Self.read(StatusWish.self, data)
            guard let state = RefundStatus(rawValue: wish.status) else { throw StripeFailure.malformedBody }
            return try await carry(.settleRefund(refund: segments[1], state: state))
        default: throw StripeFailure.unknownRoute(method: request.method.rawValue, path: path)
        }
    }

    private struct DisputeWish: Decodable { let payment_intent: String }
    private struct StatusWish: Decodable { let status: String }

    private func carry(_ command: LedgerCommand) async throws -> Response {
        try StripeAnswer.response(to: try await desk.perform(command, keyed: nil).reply)
    }

    private static func read<Wish: Decodable>(_ type: Wish.Type, _ data: Data) throws(StripeFailure) -> Wish {
        guard let wish = try? JSONDecoder().decode(type, from: data) else { throw .malformedBody }
        return wish
    }

    private static func json(_ value: some Encodable) throws -> Response {
        StripeAnswer.bytes(200, try PlainJSON.bytes(of: value))
    }
}
