/// Everything that Usher can refuse, with its HTTP status: the whole table, for both services.
package enum ProblemCode: String, Codable, Sendable, CaseIterable {
    // 400: the request cannot be understood.
    case badRequest = "bad_request"
    case invalidJSON = "invalid_json"
    case validationFailed = "validation_failed"
    case idempotencyKeyMissing = "idempotency_key_missing"
    case deviceRequired = "device_required"
    // 401: who are you?
    case unauthenticated
    case tokenInvalid = "token_invalid"
    case tokenExpired = "token_expired"
    case accountRequired = "account_required"
    case wrongCredentials = "wrong_credentials"
    // 402
    case paymentDeclined = "payment_declined"
    // 403: known, and not allowed.
    case denied
    case forbidden
    case passRequired = "pass_required"
    case passExpired = "pass_expired"
    case passBound = "pass_bound"
    case passStepUp = "pass_step_up"
    case passShared = "pass_shared"
    case tlsRequired = "tls_required"
    case challengeRequired = "challenge_required"
    case challengeFailed = "challenge_failed"
    case challengeExpired = "challenge_expired"
    case challengeSpent = "challenge_spent"
    // 404 … 408
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case requestTimeout = "request_timeout"
    // 409: right now the state forbids it.
    case placeNotCalled = "place_not_called"
    case extensionsSpent = "extensions_spent"
    case roomNotOpen = "room_not_open"
    case roomClosed = "room_closed"
    case seatTaken = "seat_taken"
    case notEnoughSeats = "not_enough_seats"
    case notEnoughAdjacent = "not_enough_adjacent"
    case keptForWaiting = "kept_for_waiting"
    case emailTaken = "email_taken"
    case orderStateConflict = "order_state_conflict"
    case versionConflict = "version_conflict"
    case requestInProgress = "request_in_progress"
    case invalidTransition = "invalid_transition"
    case policyFrozen = "policy_frozen"
    case refundInProgress = "refund_in_progress"
    case orderDisputed = "order_disputed"
    // 410: it was there and is gone.
    case soldOut = "sold_out"
    case placeForfeited = "place_forfeited"
    case placeMoved = "place_moved"
    case holdExpired = "hold_expired"
    case holdLost = "hold_lost"
    case orderExpired = "order_expired"
    case offerExpired = "offer_expired"
    case saleEnded = "sale_ended"
    // 412 … 422
    case preconditionFailed = "precondition_failed"
    case preconditionRequired = "precondition_required"
    case contentTooLarge = "content_too_large"
    case targetTooLong = "target_too_long"
    case unsupportedMediaType = "unsupported_media_type"
    case expectationFailed = "expectation_failed"
    case idempotencyKeyReused = "idempotency_key_reused"
    case purchaseLimitExceeded = "purchase_limit_exceeded"
    case orphanSeat = "orphan_seat"
    case accessibleOnly = "accessible_only"
    case policyInvalid = "policy_invalid"
    case amountBelowMinimum = "amount_below_minimum"
    case ticketNotRefundable = "ticket_not_refundable"
    case paymentMethodInvalid = "payment_method_invalid"
    // 425 … 431
    case saleNotOpen = "sale_not_open"
    case challengeEarly = "challenge_early"
    case rateLimited = "rate_limited"
    case addressBanned = "address_banned"
    case holdCoolDown = "hold_cool_down"
    case headersTooLarge = "headers_too_large"
    // 5xx
    case internalError = "internal_error"
    case notImplemented = "not_implemented"
    case upstreamUnavailable = "upstream_unavailable"
    case storeUnavailable = "store_unavailable"
    case inventoryUnavailable = "inventory_unavailable"
    case providerUnavailable = "provider_unavailable"
    case overloaded
    case upstreamTimeout = "upstream_timeout"
    case versionNotSupported = "version_not_supported"

    package var status: Int {
        switch self {
        case .badRequest, .invalidJSON, .validationFailed, .idempotencyKeyMissing, .deviceRequired: 400
        case .unauthenticated, .tokenInvalid, .tokenExpired, .accountRequired, .wrongCredentials: 401
        case .paymentDeclined: 402
        case .denied, .forbidden, .passRequired, .passExpired, .passBound, .passStepUp, .passShared, .tlsRequired,
            .challengeRequired,
            .challengeFailed, .challengeExpired, .challengeSpent:
            403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .placeNotCalled, .extensionsSpent, .roomNotOpen, .roomClosed, .seatTaken, .notEnoughSeats,
            .notEnoughAdjacent, .keptForWaiting, .emailTaken,
            .orderStateConflict, .versionConflict, .requestInProgress, .invalidTransition, .policyFrozen,
            .refundInProgress, .orderDisputed:
            409
        case .soldOut, .placeForfeited, .placeMoved, .holdExpired, .holdLost, .orderExpired, .offerExpired, .saleEnded:
            410
        case .preconditionFailed: 412
        case .contentTooLarge: 413
        case .targetTooLong: 414
        case .unsupportedMediaType: 415
        case .expectationFailed: 417
        case .idempotencyKeyReused, .purchaseLimitExceeded, .orphanSeat, .accessibleOnly, .policyInvalid,
            .amountBelowMinimum, .ticketNotRefundable, .paymentMethodInvalid:
            422
        case .saleNotOpen, .challengeEarly: 425
        case .preconditionRequired: 428
        case .rateLimited, .addressBanned, .holdCoolDown: 429
        case .headersTooLarge: 431
        case .internalError: 500
        case .notImplemented: 501
        case .upstreamUnavailable: 502
        case .storeUnavailable, .inventoryUnavailable, .providerUnavailable, .overloaded: 503
        case .upstreamTimeout: 504
        case .versionNotSupported: 505
        }
    }

    /// Whether the same request may succeed later without being changed.
    package var isRetryable: Bool {
        switch self {
        case .requestTimeout, .roomNotOpen, .requestInProgress, .saleNotOpen, .challengeEarly, .rateLimited,
            .addressBanned, .holdCoolDown, .keptForWaiting, .internalError,
            .upstreamUnavailable, .storeUnavailable, .inventoryUnavailable, .providerUnavailable, .overloaded,
            .upstreamTimeout:
            true
        default: false
        }
    }

    /// The code in words: `seat_taken` → “Seat taken”.
    package var title: String {
        let words = rawValue.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
