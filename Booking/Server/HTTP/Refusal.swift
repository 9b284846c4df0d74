import Hummingbird
import Logging
import UsherAPI

/// Ends a request with a problem body.
struct Refusal: Error {
    var problem: Problem
    /// Seconds for `Retry-After`.
    var retryAfter: Int?
    /// The database decided it: a repeat of the same call gets the same answer.
    var isDecided = false

    init(_ code: ProblemCode, _ detail: String? = nil, retryAfter: Int? = nil) {
        problem = Problem(code, detail: detail)
        self.retryAfter = retryAfter ?? (problem.status == 503 ? 1 : nil)
    }
}

/// Turns every failure into one problem body and gives each answer its request id.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = BookingContext

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = request.headers[.usherRequestID] ?? context.id
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = answer(error, context)
        }
        response.headers[.usherRequestID] = context.requestID
        return response
    }

    private func answer(_ error: any Error, _ context: Context) -> Response {
        let refusal =
            switch error {
            case let refusal as Refusal: refusal
            case let error as any HTTPResponseError: refusal(ofStatus: error.status.code)
            default: unexpected(error, context)
            }
        var problem = refusal.problem
        problem.requestID = context.requestID
        var response = Response.json(problem, status: problem.status, contentType: Problem.contentType)
        if let seconds = refusal.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        return response
    }

    private func unexpected(_ error: any Error, _ context: Context) -> Refusal {
        context.logger.error(
            "request failed",
            metadata: ["request.id": "\(context.requestID)", "error": "\(error)"]
        )
        return Refusal(.internalError)
    }

    /// What Hummingbird itself refuses.
    private func refusal(ofStatus status: Int) -> Refusal {
        switch status {
        case 404: Refusal(.notFound)
        case 405: Refusal(.methodNotAllowed)
        case 413: Refusal(.contentTooLarge)
        case 415: Refusal(.unsupportedMediaType)
        case 400..<500: Refusal(.badRequest)
        default: Refusal(.internalError)
        }
    }
}

extension Refusal {
    var decided: Refusal {
        var refusal = self
        refusal.isDecided = true
        return refusal
    }
}
