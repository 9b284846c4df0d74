// The whole gateway over sockets: wiring, listeners, proxy and rooms together.
import Foundation
import Logging
import NIOCore
import NIOPosix
import Operations
import QueueTokens
import Queueing
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsGatewayTests {
    @Test func `a visitor joins, is called, claims, and reaches the shop; booking ends the pass`() async throws {
        try await withTemporaryRedis { server in
            try await withRunningGateway(server) { ports, origin in
                let admin = try await RawClient.connect(to: ports.admin, on: server.eventLoopGroup)
                let policy = #"{"admission":{"ramp_seconds":0},"protects":[{"session":"\#(GatewayNode.session)"}]}"#
                let made = try await admin.ask(
                    "PUT",
                    "/admin/v1/rooms/sale",
                    ["Authorization: Bearer \(ports.token)", "If-None-Match: *"],
                    body: policy
                )
                #expect(made.status == 201)
                #expect(try await admin.ask("GET", "/readyz").status == 200)

                let visitor = try await RawClient.connect(to: ports.visitors, on: server.eventLoopGroup)
                let shop = "/v1/sessions/\(GatewayNode.session)/seats"
                try await eventually { try await visitor.ask("GET", shop).status == 403 }
                let device = "Usher-Device: \(GatewayNode.device(1))"
                let joined = try await visitor.ask("POST", "/v1/rooms/sale/join", [device])
                #expect(joined.status == 201 && joined.first("cache-control") == "no-store")
                let place = try JSONDecoder().decode(JoinReply.self, from: Data(joined.body.utf8)).token
                var claimed = try await visitor.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(place)"])
                try await eventually {
                    if claimed.status == 202 {
                        claimed = try await visitor.ask("POST", "/v1/rooms/sale/claim", ["Usher-Place: \(place)"])
                    }
                    return claimed.status == 200
                }
                let pass = try JSONDecoder().decode(ClaimReply.self, from: Data(claimed.body.utf8)).pass.token
                let inside = try await visitor.ask("GET", shop, ["Usher-Pass: \(pass)", "Usher-Forged: 1"])
                #expect(inside.status == 200)
                let echo = try JSONDecoder().decode(EchoOrigin.Echo.self, from: Data(inside.body.utf8))
                #expect(echo.all("usher-pass") == [pass])
                #expect(echo.all("usher-forged").isEmpty)
                let bought = try await visitor.ask("POST", "\(shop)?command=complete", ["Usher-Pass: \(pass)"])
                #expect(bought.first("usher-command") == nil)
                try await eventually { try await visitor.ask("GET", shop, ["Usher-Pass: \(pass)"]).status == 403 }
                let keys = try await visitor.ask("GET", "/.well-known/jwks.json")
                #expect(try JWKS.decode(Array(keys.body.utf8)).keys.count == 3)
                let report = try await visitor.ask("GET", "/v1/rooms/sale/snapshot")
                #expect(report.first("usher-signature")?.hasPrefix("kid=place-") ?? false)
            }
        }
    }
}
