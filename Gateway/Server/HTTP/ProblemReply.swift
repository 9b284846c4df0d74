package import EdgeHTTP
import Foundation
import NIOCore
package import UsherAPI

extension EdgeReply {
    /// The one error body, as a reply.
    package init(_ problem: Problem, headers: EdgeHeaders = [:], closes: Bool = false) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(problem)).map { ByteBuffer(bytes: $0) } ?? ByteBuffer()
        var all = headers
        all.add("Content-Type", Problem.contentType)
        all.add("Cache-Control", "no-store")
        self.init(status: problem.status, headers: all, body: body, closes: closes)
    }

    package init(
        _ code: ProblemCode,
        detail: String? = nil,
        requestID: RequestID?,
        headers: EdgeHeaders = [:],
        closes: Bool = false
    ) {
        self.init(Problem(code, detail: detail, requestID: requestID?.description), headers: headers, closes: closes)
    }
}

extension EdgeRefusal {
    /// The guard's refusals as problems.
    var problem: (code: ProblemCode, detail: String?) {
        switch self {
        case .malformed(let flaw): (.badRequest, flaw.rawValue)
        case .timedOut: (.requestTimeout, nil)
        case .bodyTooLarge: (.contentTooLarge, nil)
        case .targetTooLong: (.targetTooLong, nil)
        case .headersTooLarge: (.headersTooLarge, nil)
        case .expectationUnknown: (.expectationFailed, nil)
        case .methodUnknown: (.notImplemented, "this method is not known here")
        case .codingUnknown: (.notImplemented, "this transfer coding is not known here")
        case .versionUnknown: (.versionNotSupported, nil)
        }
    }
}
