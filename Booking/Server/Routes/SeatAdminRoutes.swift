import Hummingbird
import Ordering
import UsherAPI

/// What staff does to seats and asks of them.
struct SeatAdminRoutes {
    let keeping: SeatKeeping
    let catalogue: CatalogueCache
    let check: AccountCheck

    func add(to routes: RouterGroup<BookingContext>) {
        routes.patch("admin/sessions/:id/seats") { request, context in
            let caller = try check.staff(of: request)
            let (session, layout) = try found(context)
            let body = try request.decode(SeatActionRequest.self, from: try await request.bytes())
            return Response.json(try await keeping.act(body, on: session, layout, by: caller.account))
        }
        routes.get("admin/sessions/:id/seats/:seat/history") { request, context in
            _ = try check.staff(of: request)
            let (session, layout) = try found(context)
            let seat = context.parameters.get("seat") ?? ""
            return Response.json(ListReply(data: try await keeping.history(of: seat, in: session, layout)))
        }
    }

    private func found(_ context: BookingContext) throws -> (Session, SessionLayout) {
        guard let session = catalogue.session(try context.parameters.identifier()),
            let layout = catalogue.layout(session.id)
        else { throw Refusal(.notFound) }
        return (session, layout)
    }
}
