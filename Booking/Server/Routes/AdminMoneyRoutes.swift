import Foundation
import Hummingbird
import Ordering
import UsherAPI

/// What staff do about money: refunds of any amount, decisions on refunds, sagas that are stuck, sessions called off.
struct AdminMoneyRoutes {
    let refunding: Refunding
    let refunds: any RefundStore
    let orders: any OrderStore
    let jobs: any CancellationStore
    let shows: any CatalogueStore
    let catalogue: CatalogueCache
    let replies: OrderReplies
    let check: AccountCheck
    let keyed: KeyedCalls

    func add(to routes: RouterGroup<BookingContext>) {
        let admin = routes.group("admin")
        admin.post("orders/:id/refunds") { try await refund($0, $1) }
        admin.get("refunds") { request, _ in try await list(request) }
        admin.post("refunds/:id/:decision") { try await decide($0, $1) }
        admin.post("sagas/:id/retry") { try await retry($0, $1) }
        admin.post("sessions/:id/cancel") { try await callOff($0, $1) }
        admin.get("sessions/:id/cancel") { request, context in
            _ = try check.staff(of: request)
            return Response.json(try await progress(try context.parameters.identifier()))
        }
        admin.put("sessions/:id/refund-terms") { try await setTerms($0, $1) }
    }

    private func refund(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.staff(of: request)
        let id: OrderID = try context.parameters.identifier()
        return try await keyed.answer(request, by: caller.account) { key, body in
            let wish = try request.decode(RefundRequestBody.self, from: body)
            guard let reason = wish.reason, !reason.isEmpty else {
                throw Refusal(.validationFailed, "member \"reason\" is missing")
            }
            let found = try await answered { () async throws(StoreFailure) in try await orders.order(id) }
            guard let order = found else { throw Refusal(.notFound) }
            let refund = try await refunding.request(
                RefundWish(
                    tickets: try wish.tickets.map { try $0.map(RefundRoutes.ticket) },
                    amount: wish.amountMinor.map { Int64($0) },
                    reason: reason,
                    isByStaff: true,
                    isForced: wish.force ?? false
                ),
                of: order,
                as: Refunding.id(for: caller.account, order: id, key: key),
                kind: .staff,
                by: caller.account
            )
            return KeyedCalls.Answer(replies.reply(for: refund), status: 201)
        }
    }

    private func list(_ request: Request) async throws -> Response {
        _ = try check.staff(of: request)
        let page = try Page<RefundKind>(request)
        let found = try await answered { () async throws(StoreFailure) in
            try await refunds.waiting(before: page.before, limit: page.limit)
        }
        let data = found.map { replies.reply(for: $0.refund) }
        return Response.json(ListReply(data: data, nextCursor: data.count == page.limit ? data.last?.id : nil))
    }

    /// approve, reject, retry, settle.
    private func decide(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.staff(of: request)
        let id: RefundID = try context.parameters.identifier()
        let decision = context.parameters.get("decision") ?? ""
        return try await keyed.answer(request, by: caller.account) { _, body in
            let note = body.isEmpty ? "" : try request.decode(NoteBody.self, from: body).note
            guard note.utf8.count <= Refunding.reasonLengthMax else {
                throw Refusal(.validationFailed, "\"note\" has at most \(Refunding.reasonLengthMax) bytes")
            }
            let refund: Refund
            switch decision {
            case "approve": refund = try await refunding.submit(id, from: .requested)
            case "retry": refund = try await refunding.submit(id, from: .failed)
            case "reject":
                refund = try await refunding.decide(id) { () async throws(StoreFailure) in
                    try await refunds.reject(id, note: note)
                }
            case "settle":
                guard !note.isEmpty else {
                    throw Refusal(.validationFailed, "\"note\" says how the money went back")
                }
                refund = try await refunding.decide(id) { () async throws(StoreFailure) in
                    try await refunds.settle(id, note: note)
                }
            default: throw Refusal(.notFound)
            }
            return KeyedCalls.Answer(replies.reply(for: refund))
        }
    }

    /// A saga is named by its payment or refund.
    private func retry(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.staff(of: request)
        let text = context.parameters.get("id") ?? ""
        return try await keyed.answer(request, by: caller.account) { _, _ in
            let isOpen = try await answered { () async throws(StoreFailure) in
                CrashPoint.before(.retried)
                defer { CrashPoint.after(.retried) }
                if let id = PaymentID(text) { return try await orders.retrySaga(id) }
                guard let id = RefundID(text) else { return false }
                return try await refunds.wake(id)
            }
            guard isOpen else { throw Refusal(.notFound, "there is no open saga of that name") }
            return KeyedCalls.Answer(["id": text], status: 202)
        }
    }

    private func callOff(_ request: Request, _ context: BookingContext) async throws -> Response {
        let caller = try check.staff(of: request)
        let id: SessionID = try context.parameters.identifier()
        return try await keyed.answer(request, by: caller.account) { _, body in
            let reason = body.isEmpty ? nil : try request.decode(RefundRequestBody.self, from: body).reason
            CrashPoint.before(.calledOff)
            let isBegun = try await answered { () async throws(StoreFailure) in
                try await jobs.callOff(id, reason: reason ?? "the session was called off", by: caller.account)
            }
            CrashPoint.after(.calledOff)
            guard isBegun else {
                guard catalogue.session(id) != nil else { throw Refusal(.notFound) }
                throw Refusal(.invalidTransition, "a session that has ended cannot be called off")
            }
            return KeyedCalls.Answer(try await progress(id), status: 202)
        }
    }

    private func progress(_ id: SessionID) async throws -> CancellationReply {
        let found = try await answered { () async throws(StoreFailure) in try await jobs.progress(of: id) }
        guard let found else { throw Refusal(.notFound) }
        return CancellationReply(
            sessionID: "\(id)",
            state: found.finishedAt == nil ? "running" : "done",
            reason: found.reason,
            requestedAt: found.requestedAt.text,
            finishedAt: found.finishedAt?.text,
            ordersTotal: found.ordersTotal,
            ordersWaiting: found.ordersWaiting,
            ordersFailed: found.ordersFailed
        )
    }

    private func setTerms(_ request: Request, _ context: BookingContext) async throws -> Response {
        _ = try check.staff(of: request)
        let id: SessionID = try context.parameters.identifier()
        guard catalogue.session(id) != nil else { throw Refusal(.notFound) }
        let body = try request.decode(RefundTermsBody.self, from: try await request.bytes())
        guard let mode = RefundTerms.Mode(rawValue: body.mode), (0...10_000).contains(body.feeBasisPoints ?? 0),
            (0...99_999_999).contains(body.feeFixedMinor ?? 0)
        else {
            throw Refusal(
                .validationFailed,
                "mode is automatic, staff or none; fee_basis_points 0 to 10000; fee_fixed_minor not negative"
            )
        }
        let terms = RefundTerms(
            mode: mode,
            feeFixed: Int64(body.feeFixedMinor ?? 0),
            feeBasisPoints: body.feeBasisPoints ?? 0,
            until: try body.until.map(Self.moment),
            resells: body.resells ?? true
        )
        try await answered { () async throws(StoreFailure) in try await shows.setRefundTerms(terms, of: id) }
        return Response.noContent
    }

    private static func moment(_ text: String) throws -> Moment {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text) else {
            throw Refusal(.validationFailed, "\"until\" is an RFC 3339 time")
        }
        return Moment(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
    }
}
