// Endpoints that are told of events, what was sent to them, and events that could not be handled.

package struct WebhookEndpointRequest: Codable, Sendable {
    package var url: String?
    package var description: String?
    /// `dev.usher.order.paid.v1` …; none means all.
    package var types: [String]?
    package var enabled: Bool?
}

package struct SecretRotationRequest: Codable, Sendable {
    /// How long the old secret signs too.
    package var overlapSeconds: Int?

    private enum CodingKeys: String, CodingKey { case overlapSeconds = "overlap_seconds" }
}

package struct WebhookEndpointReply: Codable, Sendable {
    package var id: String
    package var url: String
    package var description: String
    package var types: [String]
    package var enabled: Bool
    package var disabledReason: String?
    /// Only in the answer that made it.
    package var secret: String?
    package var previousSecretUntil: String?
    package var createdAt: String

    package init(
        id: String,
        url: String,
        description: String,
        types: [String],
        enabled: Bool,
        disabledReason: String?,
        secret: String?,
        previousSecretUntil: String?,
        createdAt: String
    ) {
        self.id = id
        self.url = url
        self.description = description
        self.types = types
        self.enabled = enabled
        self.disabledReason = disabledReason
        self.secret = secret
        self.previousSecretUntil = previousSecretUntil
        self.createdAt = createdAt
    }

    private enum CodingKeys: String, CodingKey {
        case id, url, description, types, enabled
        case disabledReason = "disabled_reason"
        case secret
        case previousSecretUntil = "previous_secret_until"
        case createdAt = "created_at"
    }
}

package struct WebhookDeliveryReply: Codable, Sendable {
    package var id: String
    package var event: String
    package var type: String
    package var state: String
    package var attempts: Int
    package var createdAt: String
    package var nextAt: String?
    package var lastAt: String?
    package var lastStatus: Int?
    package var lastError: String?
    package var lastMilliseconds: Int?

    package init(
        id: String,
        event: String,
        type: String,
        state: String,
        attempts: Int,
        createdAt: String,
        nextAt: String?,
        lastAt: String?,
        lastStatus: Int?,
        lastError: String?,
        lastMilliseconds: Int?
    ) {
        self.id = id
        self.event = event
        self.type = type
        self.state = state
        self.attempts = attempts
        self.createdAt = createdAt
        self.nextAt = nextAt
        self.lastAt = lastAt
        self.lastStatus = lastStatus
        self.lastError = lastError
        self.lastMilliseconds = lastMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case id, event, type, state, attempts
        case createdAt = "created_at"
        case nextAt = "next_at"
        case lastAt = "last_at"
        case lastStatus = "last_status"
        case lastError = "last_error"
        case lastMilliseconds = "last_ms"
    }
}

package struct ParkedEventReply: Codable, Sendable {
    package var group: String
    package var event: String
    package var subject: String
    package var sequence: Int
    package var type: String
    package var attempts: Int
    package var reason: String
    package var retrying: Bool
    package var parkedAt: String

    package init(
        group: String,
        event: String,
        subject: String,
        sequence: Int,
        type: String,
        attempts: Int,
        reason: String,
        retrying: Bool,
        parkedAt: String
    ) {
        self.group = group
        self.event = event
        self.subject = subject
        self.sequence = sequence
        self.type = type
        self.attempts = attempts
        self.reason = reason
        self.retrying = retrying
        self.parkedAt = parkedAt
    }

    private enum CodingKeys: String, CodingKey {
        case group, event, subject, sequence, type, attempts, reason, retrying
        case parkedAt = "parked_at"
    }
}
