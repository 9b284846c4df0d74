import Hummingbird
import NIOCore
import Ordering
import ServiceLifecycle
import UsherAPI

/// The live map as server-sent events. It never says who holds a seat.
struct MapStreamRoutes {
    let catalogue: CatalogueCache
    let maps: LiveMaps

    private static let retryAfterSeconds = 5

    func add(to routes: RouterGroup<BookingContext>) {
        routes.get("sessions/:id/seats/stream") { request, context in
            guard let session = catalogue.session(try context.parameters.identifier()) else { throw Refusal(.notFound) }
            return try stream(of: session, for: request, context)
        }
    }

    private func stream(of session: Session, for request: Request, _ context: BookingContext) throws -> Response {
        let seen = request.headers[.lastEventID].flatMap { MapVersion($0) }
        let channel = context.channel
        let maps = maps
        guard maps.hasRoom else {
            throw Refusal(
                .overloaded,
                "as many readers as can be served follow live maps; ask for the seats now and then",
                retryAfter: Self.retryAfterSeconds
            )
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                // Joined here, so that a stream that is never begun is never counted.
                guard let feed = maps.join(session.id, seen: seen, close: { channel.close(promise: nil) }) else {
                    return try await writer.finish(nil)
                }
                defer { maps.leave(session.id, feed) }
                try await withGracefulShutdownHandler {
                    for await event in feed.events { try await writer.write(event) }
                    try await writer.finish(nil)
                } onGracefulShutdown: {
                    feed.end()
                }
            }
        )
    }
}
