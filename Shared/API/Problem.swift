/// The one error body (RFC 9457), sent as `application/problem+json`.
package struct Problem: Codable, Sendable, Equatable {
    package static let contentType = "application/problem+json"

    /// `/problems/<code>`.
    package var type: String
    package var title: String
    package var status: Int
    package var detail: String?
    package var code: ProblemCode
    /// Whether the same request may succeed later without being changed.
    package var retryable: Bool
    package var requestID: String?
    /// Seats of the request that somebody else has, with `seat_taken`.
    package var unavailableSeats: [String]?
    /// Seats the pick would leave alone, with `orphan_seat`.
    package var orphanSeats: [String]?
    /// The limit that was reached and what is left of it, with `purchase_limit_exceeded`; how many of the seats asked
    /// for are free, with `not_enough_seats`.
    package var limit: Int?
    package var remaining: Int?
    /// The provider's reason, with `payment_declined`.
    package var declineCode: String?

    package init(_ code: ProblemCode, detail: String? = nil, requestID: String? = nil) {
        type = "/problems/\(code.rawValue)"
        title = code.title
        status = code.status
        self.detail = detail
        self.code = code
        retryable = code.isRetryable
        self.requestID = requestID
    }

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, code, retryable
        case requestID = "request_id"
        case unavailableSeats = "unavailable_seats"
        case orphanSeats = "orphan_seats"
        case limit, remaining
        case declineCode = "decline_code"
    }
}
