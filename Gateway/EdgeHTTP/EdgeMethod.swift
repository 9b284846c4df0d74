/// The request methods Usher knows; any other is answered 501. Names are case-sensitive (RFC 9110 §9.1).
package enum EdgeMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"

    package var name: String { rawValue }

    /// Whether sending the request twice has the effect of sending it once (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options: true
        case .post, .patch: false
        }
    }

    /// A body here has no meaning, and two servers may differ on whether it is there.
    var forbidsBody: Bool {
        switch self {
        case .get, .head, .delete: true
        case .post, .put, .patch, .options: false
        }
    }
}
