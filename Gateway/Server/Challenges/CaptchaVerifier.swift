// Asks a captcha provider whether an answer is good: the `siteverify` call that Turnstile, hCaptcha and reCAPTCHA share.
import Challenges
import EdgeHTTP
import Foundation
package import Logging
package import OutwardCalls
import Queueing
import Signing
import Synchronization

package enum CaptchaVerdict: Sendable, Equatable {
    case passed, refused
    /// The provider has seen this answer before, or it is too old.
    case spent
    /// No verdict: the provider does not answer, or does not know us. Nobody gets in on it.
    case away
}

package protocol CaptchaCheck: Sendable {
    func verdict(on answer: String, from address: String) async -> CaptchaVerdict
}

/// What a provider's script gives to a page.
enum CaptchaAnswer {
    static let bytesMax = 4096
    /// Longer than any provider's answer lives.
    static let keptFor = Duration.seconds(300)

    static func isWellFormed(_ answer: String) -> Bool {
        (1...bytesMax).contains(answer.utf8.count) && answer.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    static func id(_ answer: String, room: String) -> [UInt8] {
        Array(SHA256.digest(Array("usher/captcha/v1 \(room.utf8.count) \(room)\(answer)".utf8)).prefix(16))
    }
}

package final class CaptchaVerifier: CaptchaCheck {
    /// Questions under way; one more is not asked.
    package static let questionsMax = 1024

    private struct Reply: Decodable {
        var success: Bool
        var errorCodes: [String]?

        private enum CodingKeys: String, CodingKey {
            case success
            case errorCodes = "error-codes"
        }
    }

    private let url: String
    private let secret: String
    private let client: OutwardClient
    private let logger: Logger
    private let questions = Atomic<Int>(0)

    package init(url: String, secret: String, client: OutwardClient, logger: Logger) {
        self.url = url
        self.secret = secret
        self.client = client
        self.logger = logger
    }

    package func verdict(on answer: String, from address: String) async -> CaptchaVerdict {
        let count = questions.add(1, ordering: .relaxed).newValue
        defer { questions.subtract(1, ordering: .relaxed) }
        guard count <= Self.questionsMax else { return .away }
        let form = [("secret", secret), ("response", answer), ("remoteip", address)]
            .map { "\($0.0)=\(FormFields.encoded($0.1))" }.joined(separator: "&")
        do {
            let reply = try await client.post(url, form: form)
            guard reply.status == 200 else {
                logger.warning("captcha provider refuses to answer", metadata: ["status": "\(reply.status)"])
                return .away
            }
            return verdict(try JSONDecoder().decode(Reply.self, from: Data(reply.body)))
        } catch {
            logger.warning("captcha provider does not answer", metadata: ["error": "\(error)"])
            return .away
        }
    }

    private func verdict(_ reply: Reply) -> CaptchaVerdict {
        guard !reply.success else { return .passed }
        let codes = reply.errorCodes ?? []
        if codes.contains("timeout-or-duplicate") { return .spent }
        // Not the visitor's fault.
        let ours = ["missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"]
        guard codes.allSatisfy({ !ours.contains($0) }) else {
            logger.error("captcha provider finds fault with us", metadata: ["codes": "\(codes)"])
            return .away
        }
        return .refused
    }
}
