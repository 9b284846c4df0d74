// Which request goes where, who may send it, and what goes wrong on request.

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
    let faults: FaultPlan
    let disorder: Disorder
    let secretKey: String
    let pages: OperationsPages
    let metrics: PaymentMetrics
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path
        if request.method == .get, let page = await pages.answer(path: path) { return StripeAnswer.page(page) }
        let requestID = "req_" + Hex.encode(SecureRandom.bytes(8))
        let started = ContinuousClock.now
        var response: Response
        do {
            response = try await answer(request, path: path)
        } catch let failure as StripeFailure {
            response = try StripeAnswer.failure(failure)
        } catch {
            logger.error("request failed", metadata: ["request.id": "\(requestID)", "error": "\(error)"])
            response = try StripeAnswer.failure(.internalFault)
        }
        response.headers[.requestID] = requestID
        response.headers[.stripeVersion] = StripeJSON.apiVersion
        if let key = request.headers[.idempotencyKey] { response.headers[.idempotencyKey] = key }
        metrics.count(status: response.status.code, took: .now - started)
        return response
    }

    private func answer(_ request: Request, path: String) async throws -> Response {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        if segments.count == 2, segments[0] == ActionPage.prefix {
            return try await ActionPage(desk: desk).answer(request, secret: segments[1])
        }
        try authenticate(request)
        if segments.count >= 2, segments[0] == ControlRoutes.prefix {
            let control = ControlRoutes(desk: desk, faults: faults, disorder: disorder)
            return try await control.answer(request, Array(segments.dropFirst()), path: path)
        }
        let call = try StripeCall(request.method, segments, path: path)
        guard let fault = faults.take(call.kind) else { return try await carry(call, request, path: path) }
        return try await carry(call, request, path: path, with: fault)
    }

    /// The fault decides whether the call is carried out, and what its caller hears of it.
    private func carry(
        _ call: StripeCall,
        _ request: Request,
        path: String,
        with fault: Fault
    ) async throws -> Response {
        if fault.kind == .slow { try await ContinuousClock().sleep(for: fault.delay) }
        let response = fault.hasEffect ? try await carry(call, request, path: path, but: fault) : nil
        switch fault.kind {
        case .tooMany: throw StripeFailure.tooManyRequests
        case .errorBefore, .errorAfter: throw StripeFailure.internalFault
        case .timeoutBefore, .timeoutAfter:
            try await ContinuousClock().sleep(for: fault.delay)
            throw StripeFailure.internalFault
        case .slow, .wrongState, .wrongAmount: return try response ?? StripeAnswer.failure(.internalFault)
        }
    }

    private func carry(
        _ call: StripeCall,
        _ request: Request,
        path: String,
        but fault: Fault? = nil
    ) async throws -> Response {
        guard request.method == .post else {
            return try await StripeReading(desk: desk).answer(call, request, but: fault)
        }
        if let query = request.uri.query, !query.isEmpty { throw StripeFailure.unknownParameter(query) }
        let form = try await Self.form(of: request)
        let command = try await command(call, form)
        let keyed = try Self.keyed(request, path: path, form: form)
        let answer = try await desk.perform(command, keyed: keyed)
        var response = try StripeAnswer.response(to: answer.reply, but: fault)
        if answer.isReplay { response.headers[.idempotentReplayed] = "true" }
        return response
    }

    private func command(_ call: StripeCall, _ form: FormBody) async throws -> LedgerCommand {
        switch call {
        case .create: try StripeParameters.create(form)
        case .confirm(let id): try StripeParameters.confirm(id, form)
        case .capture(let id): try StripeParameters.capture(id, form)
        case .cancel(let id): try StripeParameters.cancel(id, form)
        case .refund: try StripeParameters.refund(form, charges: desk)
        case .dispute(let id): try StripeParameters.evidence(id, form)
        case .closeDispute(let id): try StripeParameters.close(id, form)
        case .retrieve, .retrieveRefund, .retrieveDispute, .listRefunds, .listDisputes:
            throw StripeFailure.internalFault
        }
    }

    private func authenticate(_ request: Request) throws(StripeFailure) {
        guard let header = request.headers[.authorization] else { throw .noKey }
        guard header.hasPrefix("Bearer ") else { throw .noKey }
        let key = String(header.dropFirst("Bearer ".count))
        guard ConstantTime.areEqual(Array(key.utf8), Array(secretKey.utf8)) else { throw .wrongKey(key) }
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
