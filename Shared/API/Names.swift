// Header, cookie and path names: one spelling for servers, load test and tests.

package enum HeaderName {
    package static let authorization = "Authorization"
    package static let idempotencyKey = "Idempotency-Key"
    package static let idempotentReplayed = "Idempotent-Replayed"
    package static let place = "Usher-Place"
    package static let pass = "Usher-Pass"
    package static let device = "Usher-Device"
    /// The answer to a room's challenge, at join.
    package static let challenge = "Usher-Challenge"
    package static let clientAddress = "Usher-Client-Address"
    package static let requestID = "Usher-Request-Id"
    package static let strictTransport = "Strict-Transport-Security"
    /// From booking to the gateway, in a response: `complete`, `revoke` or `extend=SECONDS`.
    package static let command = "Usher-Command"
    /// Every header that starts so belongs to Usher and is never believed from a visitor.
    package static let ownPrefix = "usher-"
}

package enum CookieName {
    package static let device = "usher-device"

    package static func place(room: String, isSecure: Bool = false) -> String {
        (isSecure ? "__Host-" : "") + "usher-place-\(room)"
    }

    package static func pass(room: String, isSecure: Bool = false) -> String {
        (isSecure ? "__Host-" : "") + "usher-pass-\(room)"
    }
}

package enum Path {
    package static let jwks = "/.well-known/jwks.json"
    package static func room(_ room: String, _ action: String) -> String { "/v1/rooms/\(room)/\(action)" }
    package static func session(_ session: String) -> String { "/v1/sessions/\(session)" }
    package static func seats(_ session: String) -> String { "/v1/sessions/\(session)/seats" }
    package static func holds(_ session: String) -> String { "/v1/sessions/\(session)/holds" }
    package static func orders(_ session: String) -> String { "/v1/sessions/\(session)/orders" }
    package static func order(_ order: String) -> String { "/v1/orders/\(order)" }
    package static func payments(_ order: String) -> String { "/v1/orders/\(order)/payments" }
    package static func page(session: String) -> String { "/sessions/\(session)" }
    /// On booking's operations port; polled by the gateway that leads a room.
    package static func admission(_ session: String) -> String { "/internal/v1/sessions/\(session)/admission" }
}
