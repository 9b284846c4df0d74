// Checks that an event really comes from the provider, and reads what it says.

import Foundation
package import Ordering
import PlainJSON
import Signing

/// What the provider tells us unasked.
package struct ProviderEvent: Sendable, Equatable {
    /// The provider sends an event more than once; this id is the same then.
    package var id: String
    /// `payment_intent.succeeded` …
    package var type: String
    /// The payment at the time of the event; `nil` for an event about something else.
    package var state: ProviderState?
    package var refund: ProviderRefund?
    package var dispute: ProviderDispute?

    /// Reads an event that was believed before; `nil` when it is none.
    package init?(_ body: [UInt8]) {
        guard let document = try? PlainJSON.decode(EventDocument.self, from: body) else { return nil }
        id = document.id
        type = document.type
        state = document.data.object?.state
        refund = document.data.refund?.state
        dispute = document.data.dispute?.state
    }
}

/// Why an event is not believed.
package enum WebhookFlaw: Error, Equatable, Sendable {
    case malformedSignature
    case tooOld
    case fromTheFuture
    case wrongSignature
    case malformedBody
}

package struct WebhookVerifier: Sendable {
    /// How far the time of a signature may be from ours, either way.
    package static let tolerance = Duration.seconds(300)
    package static let bodyBytesMax = 256 * 1024
    /// Signatures of one event that are looked at: while secrets rotate there are two.
    package static let signaturesMax = 5

    private let secrets: [[UInt8]]

    /// While a secret is replaced, both the old and the new one count.
    package init(secrets: [String]) {
        self.secrets = secrets.map { Array($0.utf8) }
    }

    /// Reads the bytes as they came (a body that was parsed and written again has another signature), if `header`
    /// (`Stripe-Signature: t=…,v1=…`) proves them.
    package func event(
        in body: [UInt8],
        signature header: String,
        at now: Moment
    ) throws(WebhookFlaw) -> ProviderEvent {
        let (seconds, signatures) = try Self.read(header)
        let signed = Array("\(seconds).".utf8) + body
        var isGenuine = false
        for secret in secrets {
            let code = HMACSHA256.code(for: signed, key: secret)
            for signature in signatures where ConstantTime.areEqual(signature, code) { isGenuine = true }
        }
        guard isGenuine else { throw .wrongSignature }
        let age = now - Moment(milliseconds: seconds * 1000)
        guard age <= Self.tolerance else { throw .tooOld }
        guard age >= .zero - Self.tolerance else { throw .fromTheFuture }
        guard let event = ProviderEvent(body) else { throw .malformedBody }
        return event
    }

    private static func read(_ header: String) throws(WebhookFlaw) -> (seconds: Int64, signatures: [[UInt8]]) {
        var seconds: Int64?
        var signatures: [[UInt8]] = []
        for item in header.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw .malformedSignature }
            switch parts[0].trimmingPrefix(" ") {
            case "t":
                guard seconds == nil, let number = Int64(parts[1]), (0...99_999_999_999).contains(number) else {
                    throw .malformedSignature
                }
                seconds = number
            case "v1":
                guard signatures.count < signaturesMax, let code = Hex.decode(String(parts[1])) else {
                    throw .malformedSignature
                }
                signatures.append(code)
            default: continue
            }
        }
        guard let seconds, !signatures.isEmpty else { throw .malformedSignature }
        return (seconds, signatures)
    }
}

private struct EventDocument: Decodable {
    struct Content: Decodable {
        let object: IntentDocument?
        let refund: RefundDocument?
        let dispute: DisputeDocument?

        private struct Named: Decodable {
            let object: String
        }

        private enum CodingKeys: String, CodingKey { case object }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let kind = try? container.decode(Named.self, forKey: .object).object
            object = kind == "payment_intent" ? try? container.decode(IntentDocument.self, forKey: .object) : nil
            refund = kind == "refund" ? try? container.decode(RefundDocument.self, forKey: .object) : nil
            dispute = kind == "dispute" ? try? container.decode(DisputeDocument.self, forKey: .object) : nil
        }
    }

    let id: String
    let type: String
    let data: Content
}
