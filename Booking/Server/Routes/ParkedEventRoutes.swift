import BookingDatabase
import Events
import Hummingbird
import Ordering
import UsherAPI

/// Events that a consumer group could not handle: staff look at them, have them tried again or give them up.
struct ParkedEventRoutes {
    let events: EventDatabase
    let check: AccountCheck

    static let listMax = 200

    func add(to routes: RouterGroup<BookingContext>) {
        let routes = routes.group("admin/parked-events")
        routes.get { request, _ in
            _ = try check.staff(of: request)
            let parked = try await answered { () async throws(StoreFailure) in
                try await events.parked(limit: Self.listMax)
            }
            return Response.json(ListReply(data: parked.map { Self.reply(for: $0) }))
        }
        routes.post(":group/:event/retry") { request, context in
            _ = try check.staff(of: request)
            let (group, event) = try Self.names(context)
            let isThere = try await answered { () async throws(StoreFailure) in
                try await events.retryParked(group: group, event: event)
            }
            guard isThere else { throw Refusal(.notFound) }
            return Response(status: .accepted)
        }
        routes.delete(":group/:event") { request, context in
            _ = try check.staff(of: request)
            let (group, event) = try Self.names(context)
            let isThere = try await answered { () async throws(StoreFailure) in
                try await events.skipParked(group: group, event: event)
            }
            guard isThere else { throw Refusal(.notFound) }
            return Response.noContent
        }
    }

    private static func names(_ context: BookingContext) throws -> (String, String) {
        let event: EventID = try context.parameters.identifier("event")
        guard let group = context.parameters.get("group") else { throw Refusal(.notFound) }
        return (group, "\(event)")
    }

    private static func reply(for parked: ParkedEvent) -> ParkedEventReply {
        ParkedEventReply(
            group: parked.group,
            event: parked.event.id,
            subject: parked.event.subject,
            sequence: parked.event.sequence,
            type: parked.event.type,
            attempts: parked.attempts,
            reason: parked.reason,
            retrying: parked.isToBeRetried || parked.attempts == 0,
            parkedAt: Moment(milliseconds: parked.parkedAt).text
        )
    }
}
