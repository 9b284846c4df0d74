// Booking dies and comes back behind a whole gateway.
import Foundation
import NIOCore
import QueueTokens
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsShopAwayTests {
    /// Answers as booking does: the admission report on the internal path, the shop on all others.
    private static let shop: RawOrigin.Script = { _, received in
        let report = #"""
            {"state":"on_sale","free":1000,"held":0,"pending":0,"hold_p99_ms":1,"saga_backlog":0,\#
            "payment_error_rate":0,"as_of":"2026-01-01T00:00:00.000Z"}
            """#
        let body = received.hasPrefix("GET /internal/") ? report : "seats"
        let isReport = received.contains("Connection: close")
        return RawOrigin.Answer(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            isReport ? .closes : .keeps
        )
    }

    private struct Place: Sendable {
        var visitor: RawClient
        var token: String

        func state() async throws -> PlaceReply {
            let reply = try await visitor.ask("GET", "/v1/rooms/sale/place", ["Usher-Place: \(token)"])
            #expect(reply.status == 200)
            return try JSONDecoder().decode(PlaceReply.self, from: Data(reply.body.utf8))
        }

        func claim() async throws -> RawClient.Reply {
            try await visitor.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(token)"])
        }
    }

    private func join(_ visitor: RawClient, _ number: Int) async throws -> Place {
        let device = "Usher-Device: \(GatewayNode.device(number))"
        let joined = try await visitor.ask("POST", "/v1/rooms/sale/join", [device])
        #expect(joined.status == 201)
        return Place(
            visitor: visitor,
            token: try JSONDecoder().decode(JoinReply.self, from: Data(joined.body.utf8)).token
        )
    }

    @Test func `with booking away the line keeps its places, nobody is admitted, and then it goes on`() async throws {
        try await withTemporaryRedis { server in
            let booking = try await RawOrigin.start(Self.shop)
            let address = "http://127.0.0.1:\(booking.port)"
            let arguments = ["--booking", address, "--booking-operations", address]
            try await withRunningGateway(server, arguments: arguments) { ports, _ in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let policy = #"{"admission":{"ramp_seconds":0},"protects":[{"session":"\#(GatewayNode.session)"}]}"#
                let fields = ["Authorization: Bearer \(ports.token)", "If-None-Match: *"]
                #expect(try await admin.ask("PUT", "/admin/v1/rooms/sale", fields, body: policy).status == 201)
                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let seats = "/v1/sessions/\(GatewayNode.session)/seats"
                try await eventually { try await visitor.ask("GET", seats).status == 403 }

                let first = try await join(visitor, 1)
                try await eventually { try await first.claim().status == 200 }
                let pass = try JSONDecoder().decode(ClaimReply.self, from: Data(try await first.claim().body.utf8)).pass
                let called = try await join(visitor, 2)
                try await eventually { try await called.state().place.state == .called }

                await booking.stop()
                try await eventually { try await called.state().outlook == "away" }
                // Whoever is inside is told so; nobody else gets in; new ones still find a place.
                let inside = try await visitor.ask("GET", seats, ["Usher-Pass: \(pass.token)"])
                #expect(inside.status == 502)
                let waiting = try await join(visitor, 3)
                #expect(try await called.claim().status == 202)
                #expect(try await waiting.claim().status == 202)
                let told = try await waiting.state()
                #expect(told.place.state == .waiting)
                #expect(told.place.number == 3)
                #expect(told.eta.reason == "paused")

                let back = try await RawOrigin.start(port: booking.port, Self.shop)
                try await eventually { try await waiting.state().outlook == "open" }
                #expect(try await waiting.state().place.number == 3)
                try await eventually { try await called.claim().status == 200 }
                try await eventually { try await waiting.claim().status == 200 }
                let again = try await visitor.ask("GET", seats, ["Usher-Pass: \(pass.token)"])
                #expect(again.status == 200)
                await back.stop()
            }
        }
    }
}
