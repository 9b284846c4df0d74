import Foundation
import Hummingbird
import Ordering
import UsherAPI

/// Tickets given back by their buyers.
struct RefundRoutes {
    let refunding: Refunding
    let orders: any OrderStore
    let replies: OrderReplies
    let check: AccountCheck
    let keyed: KeyedCalls

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("orders/:id/refunds") { request, context in
            let caller = try check.caller(of: request)
            let id: OrderID = try context.parameters.identifier()
            return try await keyed.answer(request, by: caller.account) { key, body in
                let wish = try request.decode(RefundRequestBody.self, from: body)
                let tickets = try wish.tickets.map { try $0.map(Self.ticket) }
                let order = try await owned(id, by: caller.account)
                return try await refund(tickets, of: order, reason: wish.reason, by: caller.account, key: key)
            }
        }
        routes.post("tickets/:id/refund") { request, context in
            let caller = try check.caller(of: request)
            let ticket: TicketID = try context.parameters.identifier()
            return try await keyed.answer(request, by: caller.account) { key, body in
                let wish = body.isEmpty ? nil : try request.decode(RefundRequestBody.self, from: body)
                let id = try await answered { () async throws(StoreFailure) in try await orders.order(of: ticket) }
                guard let id else { throw Refusal(.notFound) }
                let order = try await owned(id, by: caller.account)
                return try await refund([ticket], of: order, reason: wish?.reason, by: caller.account, key: key)
            }
        }
        routes.get("refunds/:id") { request, context in
            let caller = try check.caller(of: request)
            let id: RefundID = try context.parameters.identifier()
            guard let found = try await refunding.refund(id), found.account == caller.account || caller.isStaff else {
                throw Refusal(.notFound)
            }
            return Response.json(replies.reply(for: found.refund))
        }
    }

    private func refund(
        _ tickets: [TicketID]?,
        of order: Order,
        reason: String?,
        by account: AccountID,
        key: String
    ) async throws -> KeyedCalls.Answer {
        let refund = try await refunding.request(
            RefundWish(tickets: tickets, reason: reason ?? "given back by the buyer"),
            of: order,
            as: Refunding.id(for: account, order: order.id, key: key),
            kind: .buyer,
            by: account
        )
        return KeyedCalls.Answer(replies.reply(for: refund), status: 201)
    }

    private func owned(_ id: OrderID, by account: AccountID) async throws -> Order {
        let found = try await answered { () async throws(StoreFailure) in try await orders.order(id) }
        guard let found, found.account == account else { throw Refusal(.notFound) }
        return found
    }

    static func ticket(_ text: String) throws -> TicketID {
        guard let id = TicketID(text) else {
            throw Refusal(.validationFailed, "\"tickets\" names tickets by their ids")
        }
        return id
    }
}
