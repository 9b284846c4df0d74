// Who is told of events from outside, and how each telling went.

package import Ordering

package enum EndpointKind: IdentifierKind { package static let prefix = "whe" }
package typealias EndpointID = Identifier<EndpointKind>

package struct WebhookEndpoint: Sendable, Equatable {
    package static let countMax = 100
    package static let typesMax = 64

    package var id: EndpointID
    package var url: String
    package var description: String
    /// Full event types; none means all.
    package var types: [String]
    package var isEnabled: Bool
    /// Why it was switched off, when it was not by staff.
    package var disabledReason: String?
    package var secret: String
    /// Still signed with until then, after a rotation.
    package var previousSecret: String?
    package var previousUntil: Moment?
    package var createdAt: Moment

    package init(
        id: EndpointID,
        url: String,
        description: String,
        types: [String],
        isEnabled: Bool = true,
        disabledReason: String? = nil,
        secret: String,
        previousSecret: String? = nil,
        previousUntil: Moment? = nil,
        createdAt: Moment
    ) {
        self.id = id
        self.url = url
        self.description = description
        self.types = types
        self.isEnabled = isEnabled
        self.disabledReason = disabledReason
        self.secret = secret
        self.previousSecret = previousSecret
        self.previousUntil = previousUntil
        self.createdAt = createdAt
    }

    /// The newest first.
    package func liveSecrets(at now: Moment) -> [String] {
        guard let previousSecret, let previousUntil, now < previousUntil else { return [secret] }
        return [secret, previousSecret]
    }
}

package struct WebhookDelivery: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case pending, delivered, failed, cancelled }

    package var id: Int
    package var endpoint: EndpointID
    package var event: String
    package var type: String
    package var body: String
    package var state: State
    package var attempts: Int
    package var createdAt: Moment
    package var nextAt: Moment?
    package var lastAt: Moment?
    package var lastStatus: Int?
    package var lastError: String?
    package var lastMilliseconds: Int?

    package init(
        id: Int,
        endpoint: EndpointID,
        event: String,
        type: String,
        body: String,
        state: State,
        attempts: Int,
        createdAt: Moment,
        nextAt: Moment?,
        lastAt: Moment?,
        lastStatus: Int?,
        lastError: String?,
        lastMilliseconds: Int?
    ) {
        self.id = id
        self.endpoint = endpoint
        self.event = event
        self.type = type
        self.body = body
        self.state = state
        self.attempts = attempts
        self.createdAt = createdAt
        self.nextAt = nextAt
        self.lastAt = lastAt
        self.lastStatus = lastStatus
        self.lastError = lastError
        self.lastMilliseconds = lastMilliseconds
    }
}

/// How one attempt ended and what follows from it.
package struct WebhookAttempt: Sendable {
    package var delivery: Int
    /// Which attempt it was; another process may have begun a later one.
    package var number: Int
    package var state: WebhookDelivery.State
    /// When it is tried again, counted from now.
    package var pause: Duration?
    package var status: Int?
    package var error: String?
    package var took: Duration

    package init(
        delivery: Int,
        number: Int,
        state: WebhookDelivery.State,
        pause: Duration?,
        status: Int?,
        error: String?,
        took: Duration
    ) {
        self.delivery = delivery
        self.number = number
        self.state = state
        self.pause = pause
        self.status = status
        self.error = error
        self.took = took
    }
}
