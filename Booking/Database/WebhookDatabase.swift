// Webhook endpoints and what was sent to them.

package import Events
import Foundation
package import Ordering
package import Postgres

package struct WebhookDatabase: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// The effect of events on the group of webhooks: a delivery for every endpoint that wants them.
    package static func effect(of events: [PublishedEvent]) -> [Statement] {
        [SQL.webhookEnqueue(.texts(events.map(\.id)), .texts(events.map(\.type)), .texts(events.map(\.body)))]
    }

    // MARK: Endpoints

    /// - Returns: `nil` when there are as many as there may be.
    package func insert(_ endpoint: WebhookEndpoint) async throws(StoreFailure) -> WebhookEndpoint? {
        try await one(
            SQL.webhookInsert(
                .uuid(endpoint.id.uuid),
                .text(endpoint.url),
                .text(endpoint.description),
                .texts(endpoint.types),
                .text(endpoint.secret),
                .int(WebhookEndpoint.countMax)
            )
        )
    }

    package func endpoints() async throws(StoreFailure) -> [WebhookEndpoint] { try await all(SQL.webhookEndpoints()) }

    package func endpoint(_ id: EndpointID) async throws(StoreFailure) -> WebhookEndpoint? {
        try await one(SQL.webhookEndpoint(.uuid(id.uuid)))
    }

    /// Changes what is given. What waits for an endpoint that is switched off is cancelled.
    package func update(
        _ id: EndpointID,
        url: String?,
        description: String?,
        types: [String]?,
        isEnabled: Bool?
    ) async throws(StoreFailure) -> WebhookEndpoint? {
        let typed: PostgresParameter = .text(types.map { "{" + $0.map { "\"\($0)\"" }.joined(separator: ",") + "}" })
        let update = SQL.webhookUpdate(.uuid(id.uuid), .text(url), .text(description), typed, .bool(isEnabled))
        let cancel = isEnabled == false ? [SQL.webhookCancel(.uuid(id.uuid))] : []
        return try await storing { () throws(PostgresFailure) in
            guard let row = try await pool.transaction([update] + cancel)[0].first else { return nil }
            return try WebhookEndpoint(row)
        }
    }

    /// The old secret stays good for `overlap`.
    package func rotate(
        _ id: EndpointID,
        to secret: String,
        overlap: Duration
    ) async throws(StoreFailure) -> WebhookEndpoint? {
        try await one(SQL.webhookRotate(.uuid(id.uuid), .text(secret), .int(Int(overlap.milliseconds))))
    }

    package func delete(_ id: EndpointID) async throws(StoreFailure) -> Bool {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(SQL.webhookDelete(.uuid(id.uuid))).rowCount == 1
        }
    }

    /// Switches an endpoint off for good reason; what waits for it is cancelled.
    package func disable(_ id: EndpointID, reason: String) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.transaction([
                SQL.webhookDisable(.uuid(id.uuid), .text(reason)), SQL.webhookCancel(.uuid(id.uuid)),
            ])
        }
    }

    /// The types somebody wants to be told of: `nil` means all.
    package func wantedTypes() async throws(StoreFailure) -> Set<String>? {
        try await storing { () throws(PostgresFailure) in
            var wanted: Set<String> = []
            for row in try await pool.execute(SQL.webhookTypes()).rows {
                let types = try row.texts("types")
                if types.isEmpty { return nil }
                wanted.formUnion(types)
            }
            return wanted
        }
    }

    // MARK: Deliveries

    /// Endpoints that something is due for.
    package func dueEndpoints() async throws(StoreFailure) -> [WebhookEndpoint] { try await all(SQL.webhookDue()) }

    /// Begins an attempt of deliveries that are due: nobody else will until `lease` is over.
    package func claim(
        for endpoint: EndpointID,
        limit: Int,
        lease: Duration
    ) async throws(StoreFailure) -> [WebhookDelivery] {
        try await deliveries(SQL.webhookClaim(.uuid(endpoint.uuid), .int(limit), .int(Int(lease.milliseconds))))
    }

    package func record(_ attempts: [WebhookAttempt], of endpoint: EndpointID) async throws(StoreFailure) {
        try await storing { () throws(PostgresFailure) in
            _ = try await pool.execute(
                SQL.webhookRecord(
                    .uuid(endpoint.uuid),
                    .ints(attempts.map(\.delivery)),
                    .ints(attempts.map(\.number)),
                    .texts(attempts.map(\.state.rawValue)),
                    .ints(attempts.map { Int(($0.pause ?? .zero).milliseconds) }),
                    .ints(attempts.map(\.status)),
                    .texts(attempts.map(\.error)),
                    .ints(attempts.map { Int($0.took.milliseconds) })
                )
            )
        }
    }

    /// Newest first.
    package func deliveries(
        of endpoint: EndpointID,
        before: Int?,
        state: WebhookDelivery.State?,
        limit: Int
    ) async throws(StoreFailure) -> [WebhookDelivery] {
        try await deliveries(
            SQL.webhookDeliveries(
                .uuid(endpoint.uuid),
                .int(before ?? .max),
                .text(state?.rawValue),
                .int(limit)
            )
        )
    }

    package func sendAgain(_ delivery: Int, of endpoint: EndpointID) async throws(StoreFailure) -> WebhookDelivery? {
        try await deliveries(SQL.webhookAgain(.uuid(endpoint.uuid), .int(delivery))).first
    }

    // MARK: Reading

    private func one(_ statement: Statement) async throws(StoreFailure) -> WebhookEndpoint? {
        try await all(statement).first
    }

    private func all(_ statement: Statement) async throws(StoreFailure) -> [WebhookEndpoint] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(statement).map { (row) throws(PostgresFailure) in try WebhookEndpoint(row) }
        }
    }

    private func deliveries(_ statement: Statement) async throws(StoreFailure) -> [WebhookDelivery] {
        try await storing { () throws(PostgresFailure) in
            try await pool.execute(statement).map { (row) throws(PostgresFailure) in try WebhookDelivery(row) }
        }
    }
}

extension WebhookEndpoint {
    init(_ row: Row) throws(PostgresFailure) {
        self.init(
            id: try row.id("id"),
            url: try row.text("url"),
            description: try row.text("description"),
            types: try row.texts("types"),
            isEnabled: try row.bool("enabled"),
            disabledReason: try row.optionalText("disabled_reason"),
            secret: try row.text("secret"),
            previousSecret: try row.optionalText("previous_secret"),
            previousUntil: try row.optionalMoment("previous_until"),
            createdAt: try row.moment("created_at")
        )
    }
}

extension WebhookDelivery {
    init(_ row: Row) throws(PostgresFailure) {
        let state: State = try row.state()
        self.init(
            id: try row.int("id"),
            endpoint: try row.id("endpoint_id"),
            event: try row.text("event_id"),
            type: try row.text("type"),
            body: try row.text("body"),
            state: state,
            attempts: try row.int("attempts"),
            createdAt: try row.moment("created_at"),
            nextAt: state == .pending ? try row.moment("next_at") : nil,
            lastAt: try row.optionalMoment("last_at"),
            lastStatus: try row.optionalInt("last_status"),
            lastError: try row.optionalText("last_error"),
            lastMilliseconds: try row.optionalInt("last_ms")
        )
    }
}
