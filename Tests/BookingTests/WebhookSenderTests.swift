import BookingDatabase
import Events
import Foundation
import NIOHTTP1
import Ordering
import Postgres
import Signing
import TestSupport
import Testing

@testable import BookingServer

@Suite struct WebhookSenderTests {
    private static func endpoint(_ url: String, types: [String] = [], in world: EventWorld) async throws
        -> WebhookEndpoint
    {
        let endpoint = WebhookEndpoint(
            id: Clock.system.makeID(),
            url: url,
            description: "",
            types: types,
            secret: "whsec_first",
            createdAt: Clock.system.now()
        )
        return try #require(try await WebhookDatabase(pool: world.pool).insert(endpoint))
    }

    private static func enqueue(_ count: Int, type: String = "dev.usher.order.paid.v1", in world: EventWorld)
        async throws
    {
        let events = (0..<count).map {
            PublishedEvent(id: "evt_\(type)_\($0)", subject: "ord_1", sequence: $0, type: type, body: #"{"n":\#($0)}"#)
        }
        _ = try await world.pool.transaction(WebhookDatabase.effect(of: events))
    }

    private static func sender(_ world: EventWorld, allowsPrivate: Bool = true) throws -> WebhookSender {
        var configuration = try world.configuration()
        configuration.allowsPrivateTargets = allowsPrivate
        return WebhookSender(
            webhooks: WebhookDatabase(pool: world.pool),
            configuration: configuration,
            clock: .system,
            metrics: EventMetrics(world.metrics),
            logger: EventWorld.logger
        )
    }

    private static func log(_ endpoint: WebhookEndpoint, in world: EventWorld) async throws -> [WebhookDelivery] {
        try await WebhookDatabase(pool: world.pool).deliveries(of: endpoint.id, before: nil, state: nil, limit: 100)
    }

    @Test func `a delivery is signed with every live secret and logged`() async throws {
        try await EventWorld.with { world in
            try await WebhookReceiver.with { receiver in
                let database = WebhookDatabase(pool: world.pool)
                let made = try await Self.endpoint(receiver.url, in: world)
                let rotated = try await database.rotate(made.id, to: "whsec_second", overlap: .seconds(60))
                let endpoint = try #require(rotated)
                try await Self.enqueue(1, in: world)
                try await Self.sender(world).round(for: endpoint)

                let call = try #require(receiver.calls.first)
                #expect(receiver.calls.count == 1)
                #expect(call.headers.first(name: "Content-Type") == "application/cloudevents+json")
                #expect(String(decoding: call.body, as: UTF8.self) == #"{"n":0}"#)
                let parts = call.headers.first(name: "Usher-Signature")?.split(separator: ",").map(String.init) ?? []
                try #require(parts.count == 3)
                let signed = Array("\(parts[0].dropFirst(2)).".utf8) + call.body
                for (part, secret) in zip(parts.dropFirst(), ["whsec_second", "whsec_first"]) {
                    let code = Hex.decode(String(part.dropFirst(3))) ?? []
                    #expect(HMACSHA256.isValid(code, for: signed, key: Array(secret.utf8)))
                }
                let entry = try #require(try await Self.log(endpoint, in: world).first)
                #expect(entry.state == .delivered)
                #expect(entry.lastStatus == 200)
                #expect(entry.attempts == 1)
            }
        }
    }

    @Test func `what is not taken is tried again until it is`() async throws {
        try await EventWorld.with { world in
            try await WebhookReceiver.with(answers: [500, 302]) { receiver in
                let endpoint = try await Self.endpoint(receiver.url, in: world)
                try await Self.enqueue(1, in: world)
                let sender = try Self.sender(world)
                try await eventually {
                    await sender.round(for: endpoint)
                    return try await Self.log(endpoint, in: world).first?.state == .delivered
                }
                #expect(receiver.calls.count >= 3)
                #expect(try await Self.log(endpoint, in: world).first?.attempts ?? 0 >= 3)
                #expect(Set(receiver.calls.map(\.body)).count == 1)
            }
        }
    }

    @Test func `what nobody takes for three days is given up`() async throws {
        try await EventWorld.with { world in
            try await WebhookReceiver.with(answers: [500]) { receiver in
                let endpoint = try await Self.endpoint(receiver.url, in: world)
                try await Self.enqueue(1, in: world)
                try await world.run("UPDATE webhook_delivery SET created_at = now() - interval '3 days'")
                try await Self.sender(world).round(for: endpoint)
                let entry = try #require(try await Self.log(endpoint, in: world).first)
                #expect(entry.state == .failed)
                #expect(entry.lastError == "answered 500")
                let again = try await WebhookDatabase(pool: world.pool).sendAgain(entry.id, of: endpoint.id)
                #expect(again?.state == .pending)
                try await Self.sender(world).round(for: endpoint)
                #expect(try await Self.log(endpoint, in: world).first?.state == .delivered)
            }
        }
    }

    @Test func `410 switches an endpoint off and cancels what waits for it`() async throws {
        try await EventWorld.with { world in
            try await WebhookReceiver.with(answers: [410]) { receiver in
                let endpoint = try await Self.endpoint(receiver.url, in: world)
                try await Self.enqueue(1, in: world)
                try await Self.enqueue(5, type: "dev.usher.order.created.v1", in: world)
                try await world.run(
                    "UPDATE webhook_delivery SET next_at = now() + interval '1 hour' WHERE type LIKE '%created%'"
                )
                try await Self.sender(world).round(for: endpoint)
                let known = try await WebhookDatabase(pool: world.pool).endpoint(endpoint.id)
                #expect(known?.isEnabled == false)
                #expect(known?.disabledReason == "answered 410 Gone")
                let states = try await Self.log(endpoint, in: world).map(\.state)
                #expect(states.count { $0 == .cancelled } == 5)
                #expect(states.count { $0 == .failed } == 1)
                try await Self.enqueue(1, type: "dev.usher.order.expired.v1", in: world)
                #expect(try await Self.log(endpoint, in: world).count == 6)
            }
        }
    }

    @Test func `a slow endpoint holds up nobody else`() async throws {
        try await EventWorld.with { world in
            try await WebhookReceiver.with(isDeaf: true) { slow in
                try await WebhookReceiver.with { quick in
                    _ = try await Self.endpoint(slow.url, in: world)
                    _ = try await Self.endpoint(quick.url, in: world)
                    try await Self.enqueue(100, in: world)
                    let sender = try Self.sender(world)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await sender.run() }
                        try await eventually { Set(quick.calls.map(\.body)).count == 100 && !slow.calls.isEmpty }
                        group.cancelAll()
                    }
                    #expect(slow.calls.count <= WebhookCaller.connectionsMax)
                }
            }
        }
    }

    @Test(arguments: ["https://127.0.0.1:9/hook", "https://[::1]:9/hook", "https://[::ffff:127.0.0.1]:9/"])
    func `an endpoint that leads to a private address is not called`(url: String) async throws {
        try await EventWorld.with { world in
            let endpoint = try await Self.endpoint(url, in: world)
            try await Self.enqueue(1, in: world)
            try await Self.sender(world, allowsPrivate: false).round(for: endpoint)
            let entry = try #require(try await Self.log(endpoint, in: world).first)
            #expect(entry.state == .pending)
            #expect(entry.lastError?.contains("is not a public address") == true, "\(entry.lastError ?? "")")
        }
    }

    @Test func `an endpoint gets the types it wants, each event once`() async throws {
        try await EventWorld.with { world in
            let all = try await Self.endpoint("https://a.example/", in: world)
            let paid = try await Self.endpoint("https://b.example/", types: ["dev.usher.order.paid.v1"], in: world)
            for _ in 0..<2 { try await Self.enqueue(2, in: world) }
            try await Self.enqueue(3, type: "dev.usher.order.created.v1", in: world)
            #expect(try await Self.log(all, in: world).count == 5)
            #expect(try await Self.log(paid, in: world).count == 2)
            let database = WebhookDatabase(pool: world.pool)
            #expect(try await database.wantedTypes() == nil)
            #expect(try await database.delete(all.id))
            #expect(try await database.wantedTypes() == ["dev.usher.order.paid.v1"])
            let changed = try await database.update(
                paid.id,
                url: nil,
                description: "bookkeeping",
                types: ["dev.usher.order.created.v1", "dev.usher.order.paid.v1"],
                isEnabled: false
            )
            #expect(changed?.types.count == 2)
            #expect(changed?.description == "bookkeeping")
            #expect(try await database.wantedTypes() == [])
            #expect(try await Self.log(paid, in: world).allSatisfy { $0.state == .cancelled })
        }
    }
}
