import Hummingbird
import Ordering
import UsherAPI

/// The waiting list for seats that come back.
struct WaitlistRoutes {
    let waitlist: Waitlist
    let holdReplies: HoldReplies
    let catalogue: CatalogueCache
    let check: AccountCheck

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("sessions/:id/waitlist") { request, context in
            guard let session = catalogue.session(try context.parameters.identifier()) else { throw Refusal(.notFound) }
            let caller = try check.caller(of: request)
            let body = try request.decode(WaitlistRequest.self, from: try await request.bytes())
            let (reply, isNew) = try await waitlist.join(body, session, by: caller.account)
            return Response.json(reply, status: isNew ? 201 : 200)
        }
        routes.get("waitlist/:id") { request, context in
            let caller = try check.caller(of: request)
            let entry = try await waitlist.entry(try context.parameters.identifier(), of: caller.account)
            return Response.json(try await waitlist.reply(for: entry))
        }
        routes.delete("waitlist/:id") { request, context in
            let caller = try check.caller(of: request)
            try await waitlist.cancel(try context.parameters.identifier(), by: caller.account)
            return Response.noContent
        }
        routes.post("waitlist/:id/accept") { request, context in
            let caller = try check.caller(of: request)
            let hold = try await waitlist.accept(try context.parameters.identifier(), by: caller.account)
            return Response.json(holdReplies.reply(for: hold))
        }
        routes.post("waitlist/:id/decline") { request, context in
            let caller = try check.caller(of: request)
            try await waitlist.decline(try context.parameters.identifier(), by: caller.account)
            return Response.noContent
        }
    }
}
