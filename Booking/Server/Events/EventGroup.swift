import BookingDatabase
import Events
import Ordering
import Postgres

/// A named group of consumers: what it wants, and the effect of an event as SQL, which is carried out in the transaction
/// that marks the event as received. So the effect happens once, however often the event comes.
struct EventGroup: Sendable {
    let name: String
    /// The types it wants; `nil` for all, none for nothing at the moment.
    let wanted: @Sendable () async throws(StoreFailure) -> Set<String>?
    let effect: @Sendable ([PublishedEvent]) -> [Statement]

    /// Everything that is to be sent to somebody's endpoint.
    static func webhooks(_ database: WebhookDatabase) -> EventGroup {
        EventGroup(
            name: "webhooks",
            wanted: { () async throws(StoreFailure) in try await database.wantedTypes() },
            effect: { WebhookDatabase.effect(of: $0) }
        )
    }
}
