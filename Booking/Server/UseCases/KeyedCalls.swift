import Hummingbird
import Ordering
import Signing
import UsherAPI

/// Idempotency for calls whose effect is not one transaction: the key is taken first, the answer kept at the end. A call
/// that died half done is gone on with by its next repeat, and every effect behind it can be repeated.
struct KeyedCalls: Sendable {
    let answers: any KeptAnswers
    /// How long a call may be under way before a repeat takes it over.
    let lease: Duration

    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]

        init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }

        init(_ value: some Encodable, status: Int = 200) {
            self.init(status: status, body: Reply.encode(value))
        }
    }

    /// `work` gets the key and the body; the same request again gets the same answer again.
    func answer(
        _ request: Request,
        by account: AccountID,
        _ work: (_ key: String, _ body: [UInt8]) async throws -> Answer
    ) async throws -> Response {
        guard let key = try request.idempotencyKey(isRequired: true) else { throw Refusal(.idempotencyKeyMissing) }
        let body = try await request.bytes()
        let scope = "\(account) \(request.method.rawValue) \(request.uri.path)"
        let keyHash = SHA256.digest(Array(key.utf8))
        let fingerprint = Self.fingerprint(request, body)
        CrashPoint.before(.keyTaken)
        let found = try await answered { () async throws(StoreFailure) in
            try await answers.begin(scope: scope, keyHash: keyHash, fingerprint: fingerprint, lease: lease)
        }
        CrashPoint.after(.keyTaken)
        switch found {
        case .replayed(let status, let stored): return Self.response(status, stored, isReplayed: true)
        case .keyReused: throw Refusal(.idempotencyKeyReused, "this Idempotency-Key belongs to another request")
        case .running: throw Refusal(.requestInProgress, "the same request is under way", retryAfter: 1)
        case .begun: break
        }
        do {
            // Another path is another call, also with the same key.
            let answer = try await work("\(request.uri.path) \(key)", body)
            CrashPoint.before(.answerKept)
            try await answered { () async throws(StoreFailure) in
                try await answers.finish(scope: scope, keyHash: keyHash, status: answer.status, body: answer.body)
            }
            CrashPoint.after(.answerKept)
            return Self.response(answer.status, answer.body, isReplayed: false)
        } catch let refusal as Refusal {
            let isKept = Self.isKept(refusal.problem)
            try? await answered { () async throws(StoreFailure) in
                guard isKept else { return try await answers.abandon(scope: scope, keyHash: keyHash) }
                let body = Reply.encode(refusal.problem)
                try await answers.finish(scope: scope, keyHash: keyHash, status: refusal.problem.status, body: body)
            }
            throw refusal
        } catch {
            try? await answers.abandon(scope: scope, keyHash: keyHash)
            throw error
        }
    }

    static func fingerprint(_ request: Request, _ body: [UInt8]) -> [UInt8] {
        SHA256.digest(Array("\(request.method.rawValue) \(request.uri.path)\n".utf8) + body)
    }

    /// Answers about the matter are kept; what a repeat may mend is not.
    static func isKept(_ problem: Problem) -> Bool {
        [402, 404, 409, 410, 422].contains(problem.status) && !problem.retryable
            && problem.code != .refundInProgress
    }

    static func response(_ status: Int, _ body: [UInt8], isReplayed: Bool) -> Response {
        let type = status < 400 ? "application/json" : Problem.contentType
        var response = Response.bytes(body, status: status, contentType: type)
        if isReplayed { response.headers[.idempotentReplayed] = "true" }
        return response
    }
}
