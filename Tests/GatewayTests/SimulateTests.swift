import EdgeHTTP
import NIOCore
import Simulating
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct SimulateTests {
    @Test func `an admin sees how a sale would go, as JSON and as a picture`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                let body = #"{"policy":{"admission":{"per_minute":1200}},"arrivals":"spike,visitors=2000","seats":500}"#
                let reply = await admin.send(.post, "simulate", body)
                #expect(reply.status == 200)
                let report = try SimulationReport(json: Array(reply.body.readableBytesView))
                #expect(report.visitors == 2000 && report.perMinute == 1200 && report.seatsSold == 500)
                #expect(report.soldOutAtS != nil)
                let picture = await admin.send(.post, "simulate", body, ["Accept": "image/svg+xml"])
                #expect(picture.status == 200)
                #expect(String(buffer: picture.body).hasPrefix("<svg"))
            }
        }
    }

    @Test func `the policy of a room that is there can be tried with recorded arrivals`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                try await node.open(try GatewayNode.policy(perMinute: 77))
                let body = #"{"room":"sale","csv":"arrived_s,claims\n0,yes\n1,no\n2,yes\n"}"#
                let reply = await TestAdmin(node).send(.post, "simulate", body)
                let report = try SimulationReport(json: Array(reply.body.readableBytesView))
                #expect(report.perMinute == 77 && report.visitors == 3 && report.admitted == 2)
            }
        }
    }

    @Test(arguments: [
        ("", 400), ("[]", 400), (#"{"arrivals":"spike"}"#, 400),
        (#"{"policy":{},"arrivals":"flood"}"#, 400),
        (#"{"policy":{},"arrivals":"spike,visitors=200001"}"#, 400),
        (#"{"policy":{},"arrivals":"spike","hours":49}"#, 400),
        (#"{"policy":{},"arrivals":"spike","seats":-1}"#, 400),
        (#"{"policy":{},"arrivals":"spike","strain":"9-3"}"#, 400),
        (#"{"policy":{},"arrivals":"spike","colour":1}"#, 400),
        (#"{"policy":{},"csv":"arrived_s\nx\n"}"#, 400),
        (#"{"policy":{"shoe":1},"arrivals":"spike"}"#, 422),
        (#"{"room":"nowhere","arrivals":"spike"}"#, 404),
    ])
    func `what cannot be simulated is refused`(body: String, status: Int) async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let reply = await TestAdmin(node).send(.post, "simulate", body)
                #expect(reply.status == status)
            }
        }
    }

    @Test func `one simulation runs at a time`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server, tick: nil) { node in
                let admin = TestAdmin(node)
                #expect(admin.api.simulations.take())
                let body = #"{"policy":{},"arrivals":"spike,visitors=10"}"#
                let refused = await admin.send(.post, "simulate", body)
                #expect(refused.status == 429 && refused.headers.first("Retry-After") != nil)
                admin.api.simulations.free()
                #expect(await admin.send(.post, "simulate", body).status == 200)
            }
        }
    }
}
