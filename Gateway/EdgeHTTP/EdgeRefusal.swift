/// Why the guard did not accept what came. The connection ends after the reply, always.
package enum EdgeRefusal: Error, Sendable, Equatable {
    case malformed(RequestFlaw)
    case timedOut
    case bodyTooLarge
    case targetTooLong
    case headersTooLarge
    case expectationUnknown
    case methodUnknown
    case codingUnknown
    case versionUnknown

    package var status: Int {
        switch self {
        case .malformed: 400
        case .timedOut: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .expectationUnknown: 417
        case .headersTooLarge: 431
        case .methodUnknown, .codingUnknown: 501
        case .versionUnknown: 505
        }
    }
}

/// The rule of the guard that a request broke.
package enum RequestFlaw: String, Sendable, Equatable, CaseIterable {
    case bareLineFeed = "a line must end in CR LF"
    case requestLine = "the request line is not: method, space, target, space, version"
    case target = "the target is not a plain path, or has bytes that need escaping"
    case dotSegment = "the path has an empty or dot segment, or hides a plain byte behind an escape"
    case authority = "Host differs from the authority of the target"
    case fieldName = "a header name is empty, has a space or underscore, or is not a token"
    case fieldValue = "a header value has a control byte or is not UTF-8"
    case folded = "a header line is folded"
    case host = "Host must be there exactly once and name a host"
    case duplicate = "a header that may come once came twice"
    case contentLength = "Content-Length is not a plain number"
    case framingTwice = "Content-Length and Transfer-Encoding came together"
    case codingInOldVersion = "Transfer-Encoding needs HTTP/1.1"
    case bodyNotAllowed = "this method has no body"
    case chunk = "the chunked body is malformed"
    case trailer = "a field behind the body belongs into the head"
}
