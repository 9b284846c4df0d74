// What the gateway says about a waiting room. Times are RFC 3339 UTC with milliseconds.

/// Answer of `POST /v1/rooms/{room}/join` (201 new place, 200 the same place again).
package struct JoinReply: Codable, Sendable {
    package var room: String
    /// The signed place; also set as a cookie.
    package var token: String
    package var place: PlaceReply.Place
    /// The entry of the room's arrival log that this place is.
    package struct Receipt: Codable, Sendable {
        package var index: UInt64
        package var arrivedAtMS: Int64
        /// Base64 of 24 bytes.
        package var entry: String

        private enum CodingKeys: String, CodingKey {
            case index, entry
            case arrivedAtMS = "arrived_at_ms"
        }
    }

    package var poll: PlaceReply.Poll
    package var receipt: Receipt
    package var asOf: String

    private enum CodingKeys: String, CodingKey {
        case room, token, place, poll, receipt
        case asOf = "as_of"
    }
}

/// Answer of `GET /v1/rooms/{room}/challenge`: what a join has to show in `Usher-Challenge`.
package struct ChallengeReply: Codable, Sendable {
    /// Find the number below `limit` with SHA-256(`prefix` ‖ number in 4 bytes, big-endian) = `target`; the answer is
    /// `<token>.<number>`.
    package struct Work: Codable, Sendable {
        package var algorithm: String
        package var prefix: String
        package var target: String
        package var limit: UInt32
        package var token: String
        package var expiresAt: String

        private enum CodingKeys: String, CodingKey {
            case algorithm, prefix, target, limit, token
            case expiresAt = "expires_at"
        }
    }

    /// The way without work: the token is the answer once `seconds` have passed.
    package struct Wait: Codable, Sendable {
        package var seconds: Int
        package var token: String
        package var opensAt: String
        package var expiresAt: String

        private enum CodingKeys: String, CodingKey {
            case seconds, token
            case opensAt = "opens_at"
            case expiresAt = "expires_at"
        }
    }

    /// The provider's own answer is the answer.
    package struct Captcha: Codable, Sendable {
        package var siteKey: String
        package var widget: String

        private enum CodingKeys: String, CodingKey {
            case widget
            case siteKey = "site_key"
        }
    }

    /// An entry ticket of this issuer is the answer.
    package struct Attestation: Codable, Sendable {
        package var issuer: String
        package var type: String
    }

    package var room: String
    /// `off`, `pow`, `captcha` or `attestation`.
    package var kind: String
    package var pow: Work?
    package var wait: Wait?
    package var captcha: Captcha?
    package var attestation: Attestation?
}

/// Answer of `GET /v1/rooms/{room}/place`.
package struct PlaceReply: Codable, Sendable {
    package struct Policy: Codable, Sendable {
        package var method: String
        package var version: Int
        package var hash: String
    }

    package enum State: String, Codable, Sendable {
        /// Its rank is not known yet.
        case assigning
        case waiting, called, parked, forfeited, admitted
    }

    package struct Place: Codable, Sendable {
        package var number: UInt64
        /// Order of calling; null while it is not given (state `assigning`).
        package var rank: UInt64?
        package var state: State
        /// People called before; null without a rank.
        package var ahead: UInt64?
    }

    package struct Estimate: Codable, Sendable {
        package var p50S: Int?
        package var p90S: Int?
        package var reason: String?

        private enum CodingKeys: String, CodingKey {
            case p50S = "p50_s"
            case p90S = "p90_s"
            case reason
        }
    }

    package struct Serving: Codable, Sendable {
        package var cursor: UInt64
        package var perMinute: Int

        private enum CodingKeys: String, CodingKey {
            case cursor
            case perMinute = "per_minute"
        }
    }

    package struct Claim: Codable, Sendable {
        package var deadline: String?
        /// How often the deadline can still be moved, by one window each; nil while there is none.
        package var extensionsLeft: Int?

        private enum CodingKeys: String, CodingKey {
            case deadline
            case extensionsLeft = "extensions_left"
        }
    }

    package struct Poll: Codable, Sendable {
        package var afterS: Double

        private enum CodingKeys: String, CodingKey {
            case afterS = "after_s"
        }
    }

    package var room: String
    package var phase: String
    package var policy: Policy
    package var place: Place
    package var eta: Estimate
    package var serving: Serving
    package var claim: Claim
    /// `open` while seats may be had, `gone` once none can.
    package var outlook: String
    package var poll: Poll
    package var message: String?
    /// Present and true when the numbers come from an old snapshot because the store is away.
    package var degraded: Bool?
    package var asOf: String

    private enum CodingKeys: String, CodingKey {
        case room, phase, policy, place, eta, serving, claim, outlook, poll, message, degraded
        case asOf = "as_of"
    }
}

/// Answer of `POST /v1/rooms/{room}/extend` with 200.
package struct ExtendReply: Codable, Sendable {
    package var room: String
    package var claim: PlaceReply.Claim
}

/// Answer of `POST /v1/rooms/{room}/claim` with 200. 202 carries a `PlaceReply`.
package struct ClaimReply: Codable, Sendable {
    package struct Pass: Codable, Sendable {
        /// The signed pass; also set as a cookie.
        package var token: String
        package var id: String
        package var expiresAt: String
        /// The end that no renewal moves.
        package var endsAt: String

        private enum CodingKeys: String, CodingKey {
            case token, id
            case expiresAt = "expires_at"
            case endsAt = "ends_at"
        }
    }

    package var room: String
    package var pass: Pass
}

/// Booking's answer to the gateway: what can still be had of a session.
package struct AdmissionReport: Codable, Sendable, Equatable {
    package var state: String
    package var free: Int
    package var held: Int
    package var pending: Int
    package var holdP99MS: Double
    package var sagaBacklog: Int
    package var paymentErrorRate: Double
    package var asOf: String

    package init(
        state: String,
        free: Int,
        held: Int,
        pending: Int,
        holdP99MS: Double,
        sagaBacklog: Int,
        paymentErrorRate: Double,
        asOf: String
    ) {
        self.state = state
        self.free = free
        self.held = held
        self.pending = pending
        self.holdP99MS = holdP99MS
        self.sagaBacklog = sagaBacklog
        self.paymentErrorRate = paymentErrorRate
        self.asOf = asOf
    }

    package var isSoldOut: Bool { free + held + pending == 0 }

    private enum CodingKeys: String, CodingKey {
        case state, free, held, pending
        case holdP99MS = "hold_p99_ms"
        case sagaBacklog = "saga_backlog"
        case paymentErrorRate = "payment_error_rate"
        case asOf = "as_of"
    }
}
