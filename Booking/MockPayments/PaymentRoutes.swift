// Which request goes where, who may send it, and how its answer is written.

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Operations
import PaymentLedger
import Signing

struct PaymentRoutes: HTTPResponder {
    typealias Context = BasicRequestContext

    let desk: PaymentDesk
    let secretKey: String
    let pages: OperationsPages
    let metrics: PaymentMetrics
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path
        if request.method == .get, let page = await pages.answer(path: path) { return Self.response(page) }
        let requestID = "req_" + Hex.encode(SecureRandom.bytes(8))
        let started = ContinuousClock.now
        var response: Response
        do {
            response = try await answer(request, path: path)
        } catch let failure as StripeFailure {
            response = try Self.response(failure.status, StripeErrorEnvelope(error: failure.body))
        } catch {
            logger.error("request failed", metadata: ["request.id": "\(requestID)", "error": "\(error)"])
            let failure = StripeFailure.internalFault
            response = try Self.response(failure.status, StripeErrorEnvelope(error: failure.body))
        }
        response.headers[.requestID] = requestID
        response.headers[.stripeVersion] = StripeJSON.apiVersion
        if let key = request.headers[.idempotencyKey] { response.headers[.idempotencyKey] = key }
        metrics.count(status: response.status.code, took: .now - started)
        return response
    }

    private func answer(_ request: Request, path: String) async throws -> Response {
        try authenticate(request)
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard segments.count >= 2, segments[0] == "v1", segments[1] == "payment_intents" else {
            throw StripeFailure.unknownRoute(method: request.method.rawValue, path: path)
        }
        switch request.method {
        case .get where segments.count == 3: return try await retrieve(segments[2], request)
        case .post: return try await change(request, path: path, segments)
        default: throw StripeFailure.unknownRoute(method: request.method.rawValue, path: path)
        }
    }

    private static func command(_ segments: [String], path: String, _ form: FormBody) throws(StripeFailure)
        -> LedgerCommand
    {
        switch (segments.count, segments.count == 4 ? segments[3] : "") {
        case (2, _): try StripeParameters.create(form)
        case (4, "confirm"): try StripeParameters.confirm(segments[2], form)
        case (4, "capture"): try StripeParameters.capture(segments[2], form)
        case (4, "cancel"): try StripeParameters.cancel(segments[2], form)
        default: throw .unknownRoute(method: "POST", path: path)
        }
    }

    private func authenticate(_ request: Request) throws(StripeFailure) {
        guard let header = request.headers[.authorization] else { throw .noKey }
        guard header.hasPrefix("Bearer ") else { throw .noKey }
        let key = String(header.dropFirst("Bearer ".count))
        guard ConstantTime.areEqual(Array(key.utf8), Array(secretKey.utf8)) else { throw .wrongKey(key) }
    }

    private func retrieve(_ id: String, _ request: Request) async throws -> Response {
        if let query = request.uri.query, !query.isEmpty { throw StripeFailure.unknownParameter(query) }
        guard let payment = try await desk.payment(id) else {
            let refusal = LedgerRefusal.noSuchIntent(id)
            return try Self.response(refusal.status, StripeErrorEnvelope(error: refusal.body(showing: nil)))
        }
        return try Self.response(200, PaymentIntentBody(payment))
    }

    private func change(_ request: Request, path: String, _ segments: [String]) async throws -> Response {
        if let query = request.uri.query, !query.isEmpty { throw StripeFailure.unknownParameter(query) }
        let form = try await Self.form(of: request)
        let command = try Self.command(segments, path: path, form)
        let keyed = try Self.keyed(request, path: path, form: form)
        let answer = try await desk.perform(command, keyed: keyed)
        var response = try Self.response(to: answer.reply)
        if answer.isReplay { response.headers[.idempotentReplayed] = "true" }
        return response
    }

    private static func form(of request: Request) async throws -> FormBody {
        if let type = request.headers[.contentType], !type.lowercased().hasPrefix("application/x-www-form-urlencoded") {
            throw StripeFailure.malformedBody
        }
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: FormBody.bytesMax)
        } catch is NIOTooManyBytesError {
            throw StripeFailure.bodyTooLarge
        }
        do throws(FormBody.Flaw) {
            return try FormBody(Array(bytes.readableBytesView))
        } catch {
            switch error {
            case .repeated(let name): throw StripeFailure.repeatedParameter(name)
            case .malformed, .tooMany: throw StripeFailure.malformedBody
            }
        }
    }

    private static func keyed(
        _ request: Request,
        path: String,
        form: FormBody
    ) throws(StripeFailure) -> KeyedRequest? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .malformedKey
        }
        var text = "\(request.method.rawValue) \(path)\n"
        for (name, value) in form.parameters.sorted(by: { $0.key < $1.key }) {
            text += "\(name.utf8.count):\(name)=\(value.utf8.count):\(value)\n"
        }
        return KeyedRequest(key: key, fingerprint: Hex.encode(SHA256.digest(Array(text.utf8))))
    }

    private static func response(to reply: LedgerReply) throws -> Response {
        switch reply {
        case .payment(let payment): return try response(200, PaymentIntentBody(payment))
        case .declined(let payment, let code):
            var error = StripeErrorBody.decline(code, charge: payment.charge)
            error.paymentIntent = PaymentIntentBody(payment)
            return try response(402, StripeErrorEnvelope(error: error))
        case .refused(let refusal, let payment):
            return try response(refusal.status, StripeErrorEnvelope(error: refusal.body(showing: payment)))
        }
    }

    private static func response(_ status: Int, _ body: some Encodable) throws -> Response {
        Response(
            status: .init(code: status),
            headers: [.contentType: "application/json", .cacheControl: "no-cache, no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try StripeJSON.bytes(of: body)))
        )
    }

    private static func response(_ page: OperationsReply) -> Response {
        Response(
            status: .init(code: page.status),
            headers: [.contentType: page.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: page.body))
        )
    }
}

extension HTTPField.Name {
    fileprivate static func make(_ name: String) -> HTTPField.Name {
        guard let made = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return made
    }

    static let idempotencyKey = make("Idempotency-Key")
    static let idempotentReplayed = make("Idempotent-Replayed")
    static let requestID = make("Request-Id")
    static let stripeVersion = make("Stripe-Version")
}
