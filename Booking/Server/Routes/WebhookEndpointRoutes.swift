import BookingDatabase
import Events
import Hummingbird
import Ordering
import Signing
import UsherAPI

/// Endpoints outside that are told of events: for admins, as who has one learns what is sold.
struct WebhookEndpointRoutes {
    let webhooks: WebhookDatabase
    let check: AccountCheck
    let allowsPrivateTargets: Bool
    let clock: Clock

    private static let descriptionBytesMax = 200
    private static let typeBytesMax = 100
    private static let overlapStandard = 86_400
    private static let overlapMax = 7 * 86_400

    func add(to routes: RouterGroup<BookingContext>) {
        let routes = routes.group("admin/webhook-endpoints")
        routes.get { request, _ in
            try admin(request)
            let found = try await answered { () async throws(StoreFailure) in try await webhooks.endpoints() }
            return Response.json(ListReply(data: found.map { reply(for: $0) }))
        }
        routes.post { request, _ in try await create(request) }
        routes.get(":id") { request, context in
            try admin(request)
            let id: EndpointID = try context.parameters.identifier()
            let found = try await answered { () async throws(StoreFailure) in try await webhooks.endpoint(id) }
            return Response.json(reply(for: try Self.known(found)))
        }
        routes.patch(":id") { request, context in try await change(request, context) }
        routes.delete(":id") { request, context in
            try admin(request)
            let id: EndpointID = try context.parameters.identifier()
            let isThere = try await answered { () async throws(StoreFailure) in try await webhooks.delete(id) }
            guard isThere else { throw Refusal(.notFound) }
            return Response.noContent
        }
        routes.post(":id/rotate-secret") { request, context in try await rotate(request, context) }
        routes.get(":id/deliveries") { request, context in try await deliveries(request, context) }
        routes.post(":id/deliveries/:delivery/retry") { request, context in
            try admin(request)
            let id: EndpointID = try context.parameters.identifier()
            guard let delivery = context.parameters.get("delivery").flatMap({ Int($0) }) else {
                throw Refusal(.notFound)
            }
            let found = try await answered { () async throws(StoreFailure) in
                try await webhooks.sendAgain(delivery, of: id)
            }
            return Response.json(Self.reply(for: try Self.known(found)), status: 202)
        }
    }

    private func admin(_ request: Request) throws {
        guard try check.caller(of: request).role == Account.Role.admin.rawValue else {
            throw Refusal(.forbidden, "this is for admins")
        }
    }

    private func create(_ request: Request) async throws -> Response {
        try admin(request)
        let body = try request.decode(WebhookEndpointRequest.self, from: try await request.bytes())
        try validate(body)
        guard let url = body.url else { throw Refusal(.validationFailed, "member \"url\" is missing") }
        let endpoint = WebhookEndpoint(
            id: clock.makeID(),
            url: url,
            description: body.description ?? "",
            types: body.types ?? [],
            secret: Self.newSecret(),
            createdAt: clock.now()
        )
        let made = try await answered { () async throws(StoreFailure) in try await webhooks.insert(endpoint) }
        guard let made else {
            throw Refusal(.validationFailed, "there are \(WebhookEndpoint.countMax) endpoints already")
        }
        return Response.json(reply(for: made, secret: made.secret), status: 201)
    }

    private func change(_ request: Request, _ context: BookingContext) async throws -> Response {
        try admin(request)
        let id: EndpointID = try context.parameters.identifier()
        let body = try request.decode(WebhookEndpointRequest.self, from: try await request.bytes())
        try validate(body)
        let changed = try await answered { () async throws(StoreFailure) in
            try await webhooks.update(
                id,
                url: body.url,
                description: body.description,
                types: body.types,
                isEnabled: body.enabled
            )
        }
        return Response.json(reply(for: try Self.known(changed)))
    }

    private func rotate(_ request: Request, _ context: BookingContext) async throws -> Response {
        try admin(request)
        let id: EndpointID = try context.parameters.identifier()
        let bytes = try await request.bytes()
        let body = bytes.isEmpty ? nil : try request.decode(SecretRotationRequest.self, from: bytes)
        let overlap = body?.overlapSeconds ?? Self.overlapStandard
        guard (0...Self.overlapMax).contains(overlap) else {
            throw Refusal(.validationFailed, "\"overlap_seconds\" is a number from 0 to \(Self.overlapMax)")
        }
        let rotated = try await answered { () async throws(StoreFailure) in
            try await webhooks.rotate(id, to: Self.newSecret(), overlap: .seconds(overlap))
        }
        let endpoint = try Self.known(rotated)
        return Response.json(reply(for: endpoint, secret: endpoint.secret))
    }

    private func deliveries(_ request: Request, _ context: BookingContext) async throws -> Response {
        try admin(request)
        let id: EndpointID = try context.parameters.identifier()
        let query = request.uri.queryParameters
        let limit = query["limit"].map { Int($0) ?? 0 } ?? OrderRoutes.pageMax
        guard (1...OrderRoutes.pageMax).contains(limit) else {
            throw Refusal(.validationFailed, "\"limit\" is a number from 1 to \(OrderRoutes.pageMax)")
        }
        let before = query["cursor"].map { Int($0) ?? 0 }
        let state = query["state"].map { WebhookDelivery.State(rawValue: String($0)) }
        if case .some(nil) = state { throw Refusal(.validationFailed, "\"state\" is unknown") }
        let found = try await answered { () async throws(StoreFailure) in
            guard try await webhooks.endpoint(id) != nil else { return [WebhookDelivery]?.none }
            return try await webhooks.deliveries(of: id, before: before, state: state ?? nil, limit: limit)
        }
        let data = try Self.known(found).map { Self.reply(for: $0) }
        return Response.json(ListReply(data: data, nextCursor: data.count == limit ? data.last?.id : nil))
    }

    private func validate(_ body: WebhookEndpointRequest) throws {
        if let url = body.url {
            do throws(WebhookTarget.Flaw) {
                _ = try WebhookTarget(url, allowsPrivate: allowsPrivateTargets)
            } catch {
                throw Refusal(.validationFailed, "\"url\": \(error)")
            }
        }
        guard (body.description?.utf8.count ?? 0) <= Self.descriptionBytesMax else {
            throw Refusal(.validationFailed, "\"description\" has at most \(Self.descriptionBytesMax) bytes")
        }
        let types = body.types ?? []
        let areGood = types.allSatisfy { type in
            (1...Self.typeBytesMax).contains(type.utf8.count)
                && type.utf8.allSatisfy {
                    $0 == 0x2e || $0 == 0x5f || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0)
                }
        }
        guard types.count <= WebhookEndpoint.typesMax, areGood else {
            throw Refusal(
                .validationFailed,
                "\"types\" are at most \(WebhookEndpoint.typesMax) names like dev.usher.order.paid.v1"
            )
        }
    }

    private static func newSecret() -> String {
        WebhookSignature.secret(of: SecureRandom.bytes(WebhookSignature.secretBytes))
    }

    private static func known<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Refusal(.notFound) }
        return value
    }

    private func reply(for endpoint: WebhookEndpoint, secret: String? = nil) -> WebhookEndpointReply {
        let isRotating = endpoint.liveSecrets(at: clock.now()).count > 1
        return WebhookEndpointReply(
            id: "\(endpoint.id)",
            url: endpoint.url,
            description: endpoint.description,
            types: endpoint.types,
            enabled: endpoint.isEnabled,
            disabledReason: endpoint.disabledReason,
            secret: secret,
            previousSecretUntil: isRotating ? endpoint.previousUntil?.text : nil,
            createdAt: endpoint.createdAt.text
        )
    }

    private static func reply(for delivery: WebhookDelivery) -> WebhookDeliveryReply {
        WebhookDeliveryReply(
            id: "\(delivery.id)",
            event: delivery.event,
            type: delivery.type,
            state: delivery.state.rawValue,
            attempts: delivery.attempts,
            createdAt: delivery.createdAt.text,
            nextAt: delivery.nextAt?.text,
            lastAt: delivery.lastAt?.text,
            lastStatus: delivery.lastStatus,
            lastError: delivery.lastError,
            lastMilliseconds: delivery.lastMilliseconds
        )
    }
}
