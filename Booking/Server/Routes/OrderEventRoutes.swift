import Hummingbird
import NIOCore
import Ordering
import ServiceLifecycle
import Signing
import UsherAPI

/// `GET /v1/orders/{id}/events`: the whole order, now and after each change, as server-sent events.
struct OrderEventRoutes {
    let orders: any OrderStore
    let replies: OrderReplies
    let watch: OrderWatch
    let check: AccountCheck
    let clock: Clock

    func add(to routes: RouterGroup<BookingContext>) {
        routes.get("orders/:id/events") { request, context in
            let caller = try check.caller(of: request)
            let id: OrderID = try context.parameters.identifier()
            guard try await owned(id, by: caller.account) != nil else { throw Refusal(.notFound) }
            guard let subscription = watch.watch(id) else {
                throw Refusal(.overloaded, "too many streams are open; poll the order", retryAfter: 5)
            }
            // What is known already is not told again; anything else gets the order as it is.
            let last = request.headers[.lastEventID]
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: .init { writer in
                    defer { watch.leave(subscription) }
                    try await send(subscription, of: id, to: caller.account, after: last, &writer)
                    try await writer.finish(nil)
                }
            )
        }
    }

    private func send(
        _ subscription: OrderWatch.Subscription,
        of id: OrderID,
        to account: AccountID,
        after last: String?,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var last = last
        for await stamp in subscription.stamps.cancelOnGracefulShutdown() {
            let name = Hex.encode(SHA256.digest(Array(stamp.utf8)).prefix(8))
            guard name != last, let order = try await owned(id, by: account) else {
                try await writer.write(ByteBuffer(string: ": quiet\n\n"))
                continue
            }
            last = name
            let body = String(decoding: Reply.encode(try replies.reply(for: order, at: clock.now())), as: UTF8.self)
            try await writer.write(ByteBuffer(string: "id: \(name)\nevent: order\ndata: \(body)\n\n"))
        }
    }

    private func owned(_ id: OrderID, by account: AccountID) async throws -> Order? {
        let found = try await answered { () async throws(StoreFailure) in try await orders.order(id) }
        guard let found, found.account == account else { return nil }
        return found
    }
}
