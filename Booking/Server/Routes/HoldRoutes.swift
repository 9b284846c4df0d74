import Hummingbird
import Ordering
import UsherAPI

/// Seats taken for some minutes, and given back.
struct HoldRoutes {
    let purchases: Purchases
    let catalogue: CatalogueCache
    let holds: any HoldStore
    let replies: HoldReplies
    let check: AccountCheck
    let passes: PassCheck

    func add(to routes: RouterGroup<BookingContext>) {
        routes.post("sessions/:id/holds") { request, context in
            let session = try session(context)
            let caller = try check.caller(of: request)
            let pass = try passes.pass(of: request, for: session, by: caller.account)
            let body = try request.decode(SeatsRequest.self, from: try await request.bytes())
            let buyer = Purchases.Buyer(account: caller.account, pass: pass)
            let key = try request.idempotencyKey(isRequired: false)
            let hold = try await purchases.hold(body, in: session, for: buyer, key: key)
            return Response.json(replies.reply(for: hold, requested: body.requested), status: 201)
        }
        routes.get("sessions/:id/holds/:hold") { request, context in
            let session = try session(context)
            let caller = try check.caller(of: request)
            let id: HoldID = try context.parameters.identifier("hold")
            do throws(HoldFailure) {
                let hold = try await holds.hold(id, in: session.id)
                guard hold.account == caller.account else { throw HoldFailure.notFound }
                return Response.json(replies.reply(for: hold))
            } catch {
                throw Refusal(error, layout: nil)
            }
        }
        routes.patch("sessions/:id/holds/:hold") { request, context in
            let session = try session(context)
            let caller = try check.caller(of: request)
            let id: HoldID = try context.parameters.identifier("hold")
            return Response.json(replies.reply(for: try await purchases.extend(id, in: session, by: caller.account)))
        }
        routes.delete("sessions/:id/holds/:hold") { request, context in
            let session = try session(context)
            let caller = try check.caller(of: request)
            let id: HoldID = try context.parameters.identifier("hold")
            do throws(HoldFailure) {
                try await holds.release(id, in: session.id, by: caller.account)
                return Response.noContent
            } catch {
                throw Refusal(error, layout: nil)
            }
        }
    }

    private func session(_ context: BookingContext) throws -> Session {
        guard let session = catalogue.session(try context.parameters.identifier()) else { throw Refusal(.notFound) }
        return session
    }
}

extension SeatsRequest {
    /// How many seats it asks for.
    fileprivate var requested: Int {
        seats?.count ?? best?.quantity ?? areas?.reduce(0) { $0 + $1.quantity } ?? 0
    }
}

extension Request {
    static let idempotencyKeyLengthMax = 255

    /// The key as sent: bare, or as a quoted Structured Field string.
    func idempotencyKey(isRequired: Bool) throws -> String? {
        guard var key = headers[.idempotencyKey] else {
            guard isRequired else { return nil }
            throw Refusal(
                .idempotencyKeyMissing,
                "send an Idempotency-Key of your choice, and the same one on a repeat"
            )
        }
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        let isGood =
            (1...Self.idempotencyKeyLengthMax).contains(key.utf8.count)
            && key.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isGood else {
            throw Refusal(.validationFailed, "an Idempotency-Key has 1 to 255 visible ASCII characters")
        }
        return key
    }
}
