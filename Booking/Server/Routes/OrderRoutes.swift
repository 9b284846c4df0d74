import Foundation
import Hummingbird
import Ordering
import Signing
import UsherAPI

/// Orders, their payments and their tickets. Paying needs only the owner's account, so it outlives the pass.
struct OrderRoutes {
    let purchases: Purchases
    let paying: Paying
    let cancelling: Cancelling
    let kept: any KeptAnswers
    let keyed: KeyedCalls
    let orders: any OrderStore
    let replies: OrderReplies
    let catalogue: CatalogueCache
    let projector: SeatProjector
    let check: AccountCheck
    let passes: PassCheck
    let clock: Clock

    static let pageMax = 50

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("sessions/:id/orders") { try await create($0, $1) }
        routes.get("orders") { request, _ in try await list(request) }
        routes.get("orders/:id") { request, context in
            let order = try await owned(request, context)
            return Response.json(try replies.reply(for: order, at: clock.now()))
        }
        routes.post("orders/:id/cancel") { try await cancel($0, $1) }
        routes.post("orders/:id/payments") { try await pay($0, $1) }
        routes.get("payments/:id") { request, context in
            let caller = try check.caller(of: request)
            let id: PaymentID = try context.parameters.identifier()
            guard let payment = try await paying.payment(id, of: caller.account) else { throw Refusal(.notFound) }
            return Response.json(replies.reply(for: payment))
        }
        routes.get("tickets") { request, _ in try await tickets(request) }
    }

    private func create(_ request: Request, _ context: BookingContext) async throws -> Response {
        guard let session = catalogue.session(try context.parameters.identifier()) else { throw Refusal(.notFound) }
        let caller = try check.caller(of: request)
        let pass = try passes.pass(of: request, for: session, by: caller.account)
        guard let key = try request.idempotencyKey(isRequired: true) else { throw Refusal(.idempotencyKeyMissing) }
        let bytes = try await request.bytes()
        let call = Purchases.OrderCall(
            request: try request.decode(OrderRequest.self, from: bytes),
            key: key,
            fingerprint: SHA256.digest(Array("POST \(request.uri.path)\n".utf8) + bytes),
            isQueued: request.prefersAsync
        )
        let buyer = Purchases.Buyer(account: caller.account, pass: pass)
        let answer: Purchases.OrderAnswer
        do {
            answer = try await purchases.order(call, in: session, for: buyer)
        } catch let refusal as Refusal {
            try await keep(refusal, of: call, in: session, for: buyer)
            throw refusal
        }
        var response = KeyedCalls.response(answer.status, answer.body, isReplayed: answer.isReplayed)
        if answer.isLimitReached, pass != nil { response.headers[.usherCommand] = "complete" }
        if answer.status == 202 {
            response.headers[.preferenceApplied] = Preference.respondAsync
            response.headers[.location] = "/v1/orders/\(try Self.name(in: answer.body))"
        }
        return response
    }

    /// The id in an answer that was made here, now or before.
    private static func name(in answer: [UInt8]) throws -> String {
        struct Named: Decodable { var id: String }
        return try JSONDecoder().decode(Named.self, from: Data(answer)).id
    }

    /// What the database decided is the answer to a repeat, too; what Redis refused may be mended by one.
    private func keep(
        _ refusal: Refusal,
        of call: Purchases.OrderCall,
        in session: Session,
        for buyer: Purchases.Buyer
    ) async throws {
        guard refusal.isDecided else { return }
        try await answered { () async throws(StoreFailure) in
            try await kept.keep(
                scope: purchases.scope(buyer.account, session.id),
                keyHash: SHA256.digest(Array(call.key.utf8)),
                fingerprint: call.fingerprint,
                status: refusal.problem.status,
                body: Reply.encode(refusal.problem)
            )
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let caller = try check.caller(of: request)
        let page = try Page<OrderKind>(request)
        let found = try await answered { () async throws(StoreFailure) in
            try await orders.orders(of: caller.account, before: page.before, limit: page.limit)
        }
        let now = clock.now()
        let data = try found.map { try replies.reply(for: $0, at: now) }
        return Response.json(ListReply(data: data, nextCursor: data.count == page.limit ? data.last?.id : nil))
    }

    private func tickets(_ request: Request) async throws -> Response {
        let caller = try check.caller(of: request)
        let page = try Page<TicketKind>(request)
        let found = try await answered { () async throws(StoreFailure) in
            try await orders.tickets(of: caller.account, before: page.before, limit: page.limit)
        }
        let data = try found.map { try replies.reply(for: $0) }
        return Response.json(ListReply(data: data, nextCursor: data.count == page.limit ? data.last?.id : nil))
    }

    private func cancel(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.caller(of: request)
        let id: OrderID = try context.parameters.identifier()
        return try await keyed.answer(request, by: caller.account) { key, _ in
            let order = try await cancelling.cancel(id, by: caller.account, key: key)
            let isOver = order.state.isFinal && !order.refunds.contains { $0.state.isUnderWay }
            return KeyedCalls.Answer(try replies.reply(for: order, at: clock.now()), status: isOver ? 200 : 202)
        }
    }

    private func pay(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.caller(of: request)
        let id: OrderID = try context.parameters.identifier()
        guard let key = try request.idempotencyKey(isRequired: true) else { throw Refusal(.idempotencyKeyMissing) }
        let bytes = try await request.bytes()
        let body = bytes.isEmpty ? nil : try request.decode(PaymentRequest.self, from: bytes)
        let call = Paying.Call(
            method: body?.paymentMethod,
            keyHash: SHA256.digest(Array(key.utf8)),
            fingerprint: KeyedCalls.fingerprint(request, bytes)
        )
        let outcome = try await paying.pay(id, by: caller.account, call)
        let order = try await owned(request, context)
        var payment = order.payment
        if let own = outcome.payment, own != payment?.id {
            payment = try await answered { () async throws(StoreFailure) in try await orders.payment(own) }
        }
        var response = try paid(order, payment)
        if outcome.isReplayed { response.headers[.idempotentReplayed] = "true" }
        return response
    }

    /// What the buyer hears of an attempt.
    private func paid(_ order: Order, _ payment: Payment?) throws -> Response {
        if payment?.state == .failed, !order.state.isSold {
            if PaymentSaga.unknownMethodCodes.contains(payment?.declineCode ?? "") {
                throw Refusal(
                    .paymentMethodInvalid,
                    "there is no such payment method here; this attempt does not count"
                )
            }
            var refusal = Refusal(.paymentDeclined, "the payment was declined; try another method")
            refusal.problem.declineCode = payment?.declineCode
            throw refusal
        }
        // Still open: the buyer has to do something, or the provider has not answered yet. The saga goes on by itself.
        let isOpen = payment?.state.isOpen ?? false
        var response = Response.json(try replies.reply(for: order, at: clock.now()), status: isOpen ? 202 : 200)
        if isOpen { response.headers[.retryAfter] = "1" }
        return response
    }

    private func owned(_ request: Request, _ context: BookingContext) async throws -> Order {
        let caller = try check.caller(of: request)
        let id: OrderID = try context.parameters.identifier()
        let found = try await answered { () async throws(StoreFailure) in try await orders.order(id) }
        // Somebody else's order looks like none at all.
        guard let found, found.account == caller.account else { throw Refusal(.notFound) }
        return found
    }
}

/// `?limit=…&cursor=…` of a list.
struct Page<Kind: IdentifierKind> {
    let limit: Int
    let before: Identifier<Kind>?

    init(_ request: Request) throws {
        let query = request.uri.queryParameters
        if let text = query["limit"] {
            guard let number = Int(text), (1...OrderRoutes.pageMax).contains(number) else {
                throw Refusal(.validationFailed, "\"limit\" is a number from 1 to \(OrderRoutes.pageMax)")
            }
            limit = number
        } else {
            limit = OrderRoutes.pageMax
        }
        if let text = query["cursor"] {
            guard let id = Identifier<Kind>(text) else { throw Refusal(.validationFailed, "\"cursor\" is malformed") }
            before = id
        } else {
            before = nil
        }
    }
}
