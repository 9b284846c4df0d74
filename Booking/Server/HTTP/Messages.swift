// JSON in, JSON out, and the header names that only Usher has.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Ordering
import PlainJSON
import UsherAPI

extension HTTPField.Name {
    static let usherRequestID = named(HeaderName.requestID)
    static let usherPass = named(HeaderName.pass)
    static let usherCommand = named(HeaderName.command)
    static let idempotencyKey = named(HeaderName.idempotencyKey)
    static let idempotentReplayed = named(HeaderName.idempotentReplayed)
    static let prefer = named("Prefer")
    static let preferenceApplied = named("Preference-Applied")
    static let lastEventID = named("Last-Event-ID")
    static let stripeSignature = named("Stripe-Signature")

    private static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }
}

extension Response {
    static func json(
        _ value: some Encodable,
        status: Int = 200,
        contentType: String = "application/json"
    ) -> Response {
        bytes(Reply.encode(value), status: status, contentType: contentType)
    }

    static func bytes(_ bytes: [UInt8], status: Int = 200, contentType: String = "application/json") -> Response {
        Response(
            status: .init(code: status),
            headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static var noContent: Response { Response(status: .noContent) }
}

enum Reply {
    /// Sorted members, so that the same facts give the same bytes.
    static func encode(_ value: some Encodable) -> [UInt8] {
        guard let bytes = try? PlainJSON.bytes(of: value) else {
            preconditionFailure("\(type(of: value)) cannot be written as JSON")
        }
        return bytes
    }
}

extension Request {
    static let bodyMax = 65_536

    /// The whole body, at most `bodyMax` bytes.
    func bytes() async throws -> [UInt8] {
        let buffer = try await body.collect(upTo: Self.bodyMax)
        return Array(buffer.readableBytesView)
    }

    func decode<Message: Decodable>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
        do {
            return try PlainJSON.decode(type, from: bytes)
        } catch DecodingError.keyNotFound(let key, _) {
            throw Refusal(.validationFailed, "member \"\(key.stringValue)\" is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Refusal(.validationFailed, "member \"\(path)\" has the wrong type")
        } catch {
            throw Refusal(.invalidJSON, "the body is not a JSON object of the expected form")
        }
    }
}

extension Parameters {
    /// An id in the path; anything malformed cannot exist.
    func identifier<Kind: IdentifierKind>(_ name: String = "id") throws -> Identifier<Kind> {
        guard let text = get(name), let id = Identifier<Kind>(text) else { throw Refusal(.notFound) }
        return id
    }
}

extension Money {
    var reply: MoneyReply { MoneyReply(amountMinor: Int(amountMinor), currency: currency) }
}

extension Moment {
    var text: String { Timestamp.text(milliseconds: milliseconds) }
}
