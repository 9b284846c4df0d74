// The payment provider over Stripe's PaymentIntents API, as far as a manual capture needs it.

package import AsyncHTTPClient
import Foundation
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import Ordering

/// Where the provider is and how long it may take to answer.
package struct StripeConfiguration: Sendable {
    /// `https://api.stripe.com`, or where the stand-in listens. Without a slash at the end.
    package var baseURL: String
    /// `sk_…`
    package var secretKey: String
    package var authorizeTimeout: Duration
    /// For capture, void and a look at the state.
    package var callTimeout: Duration
    /// Where buyers come back to after a page of their bank; their session's page below it.
    package var returnURL: String

    package init(
        baseURL: String,
        secretKey: String,
        returnURL: String = "http://127.0.0.1:8080",
        authorizeTimeout: Duration = .seconds(20),
        callTimeout: Duration = .seconds(10)
    ) {
        self.baseURL = baseURL
        self.secretKey = secretKey
        self.returnURL = returnURL
        self.authorizeTimeout = authorizeTimeout
        self.callTimeout = callTimeout
    }
}

package struct StripeProvider: PaymentProvider {
    static let replyBytesMax = 256 * 1024

    private let configuration: StripeConfiguration
    private let client: HTTPClient
    private let logger: Logger

    /// The caller keeps `client` and shuts it down; ``clientConfiguration`` suits it.
    package init(_ configuration: StripeConfiguration, client: HTTPClient, logger: Logger) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
    }

    /// A provider that is down is told at once instead of waited for, and nothing is sent to where it did not come from.
    package static var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return configuration
    }

    package func authorize(_ payment: Payment) async -> ProviderAnswer {
        let kind: [(String, String)] =
            payment.capturesItself
            ? [
                ("capture_method", "automatic"), ("payment_method_types[]", "wechat_pay"),
                ("payment_method_options[wechat_pay][client]", "web"),
            ]
            : [("capture_method", "manual"), ("payment_method_types[]", "card")]
        return await post(
            "/v1/payment_intents",
            [
                ("amount", "\(payment.amount.amountMinor)"),
                ("currency", payment.amount.currency.lowercased()),
                ("confirm", "true"),
                ("payment_method", payment.method),
                ("return_url", "\(configuration.returnURL)/sessions/\(payment.session)"),
                ("metadata[payment]", "\(payment.id)"),
                ("metadata[order]", "\(payment.order)"),
                ("metadata[session]", "\(payment.session)"),
            ] + kind,
            key: payment.authorizeKey,
            timeout: configuration.authorizeTimeout
        )
    }

    package func capture(_ payment: Payment) async -> ProviderAnswer {
        guard let path = Self.path(of: payment) else { return Self.noReference }
        return await post(
            path + "/capture",
            [("amount_to_capture", "\(payment.amount.amountMinor)")],
            key: payment.captureKey,
            timeout: configuration.callTimeout
        )
    }

    package func void(_ payment: Payment) async -> ProviderAnswer {
        guard let path = Self.path(of: payment) else { return Self.noReference }
        return await post(path + "/cancel", [], key: payment.voidKey, timeout: configuration.callTimeout)
    }

    package func state(of payment: Payment) async -> ProviderAnswer {
        guard let path = Self.path(of: payment) else { return Self.noReference }
        return await send(HTTPClientRequest(url: configuration.baseURL + path), timeout: configuration.callTimeout)
    }

    package func refund(_ refund: Refund) async -> RefundAnswer {
        guard let payment = Self.plain(refund.paymentReference) else {
            return .refused(code: "no_reference", message: "the provider's id of the payment is not known")
        }
        return await postRefund(
            [
                ("payment_intent", payment), ("amount", "\(refund.amount.amountMinor)"),
                ("reason", refund.kind == .lateMoney ? "duplicate" : "requested_by_customer"),
                ("metadata[refund]", "\(refund.id)"), ("metadata[order]", "\(refund.order)"),
            ],
            key: refund.key
        )
    }

    package func state(of refund: Refund) async -> RefundAnswer {
        guard let reference = Self.plain(refund.reference) else {
            return .refused(code: "no_reference", message: "the provider's id of the refund is not known")
        }
        let request = HTTPClientRequest(url: configuration.baseURL + "/v1/refunds/" + reference)
        return RefundReply.answer(to: await exchange(request, timeout: configuration.callTimeout))
    }

    private func postRefund(_ parameters: [(String, String)], key: String) async -> RefundAnswer {
        let request = Self.request(configuration.baseURL + "/v1/refunds", parameters, key: key)
        return RefundReply.answer(to: await exchange(request, timeout: configuration.callTimeout))
    }

    /// A reference comes from the provider, but it ends up in a path: it is not trusted to be harmless there.
    private static func plain(_ reference: String?) -> String? {
        guard let reference, (1...100).contains(reference.utf8.count),
            reference.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || isLetterOrDigit($0) })
        else { return nil }
        return reference
    }

    private static func path(of payment: Payment) -> String? {
        plain(payment.reference).map { "/v1/payment_intents/" + $0 }
    }

    private static let noReference = ProviderAnswer.refused(
        code: "no_reference",
        message: "the provider's id of this payment is not known"
    )

    private func post(
        _ path: String,
        _ parameters: [(String, String)],
        key: String,
        timeout: Duration
    ) async -> ProviderAnswer {
        await send(Self.request(configuration.baseURL + path, parameters, key: key), timeout: timeout)
    }

    private static func request(_ url: String, _ parameters: [(String, String)], key: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Idempotency-Key", value: key)
        request.body = .bytes(ByteBuffer(string: form(parameters)))
        return request
    }

    private func send(_ request: HTTPClientRequest, timeout: Duration) async -> ProviderAnswer {
        let answer = StripeReply.answer(to: await exchange(request, timeout: timeout))
        if case .state = answer { return answer }
        if case .declined = answer { return answer }
        logger.notice("provider did not do it", metadata: ["url": "\(request.url)", "answer": "\(answer)"])
        return answer
    }

    private func exchange(_ request: HTTPClientRequest, timeout: Duration) async -> StripeExchange {
        var request = request
        request.headers.add(name: "Authorization", value: "Bearer \(configuration.secretKey)")
        do {
            let deadline = NIODeadline.now() + .milliseconds(timeout.milliseconds)
            let response = try await client.execute(request, deadline: deadline)
            let body = try await response.body.collect(upTo: Self.replyBytesMax)
            return .reply(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After"),
                body: Array(body.readableBytesView)
            )
        } catch {
            return .nothing(Self.answer(to: error))
        }
    }

    /// Only failures from before a connection was there prove that nothing was sent.
    static func answer(to error: any Error) -> ProviderAnswer {
        if error is NIOConnectionError { return .notSent("cannot connect") }
        // Of the errors of a socket only this one cannot come from a connection that was there.
        if let failure = error as? IOError, failure.errnoCode == ECONNREFUSED { return .notSent("cannot connect") }
        guard let failure = error as? HTTPClientError else { return .unknown("\(error)") }
        switch failure {
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .invalidURL, .emptyHost,
            .alreadyShutdown:
            return .notSent("\(failure)")
        default: return .unknown("\(failure)")
        }
    }

    static func form(_ parameters: [(String, String)]) -> String {
        parameters.map { "\(escaped($0))=\(escaped($1))" }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if isLetterOrDigit(byte) || "-._~".utf8.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
