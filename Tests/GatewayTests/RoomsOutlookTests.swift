import EdgeHTTP
import Operations
import Queueing
import TestSupport
import Testing
import UsherAPI

@testable import GatewayServer

struct RoomsOutlookTests {
    @Test func `the tail is told that the seats will hardly last, the front is not, and at sell-out all are`()
        async throws
    {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 0)
            reports.set(seats: 0, held: 4)
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy())
                var places: [String] = []
                for device in 1...60 { places.append(try await node.join(device: device).body.token) }
                let front = try #require(places.first)
                let tail = try #require(places.last)
                // Four seats, a quarter of one a visitor, a quarter of margin, half of them gone by then: 40 ranks.
                try await node.sees { $0.outlook == .unlikely(beyond: 40) }
                #expect(try await node.place(tail).outlook == "unlikely")
                #expect(try await node.place(places[40]).outlook == "unlikely")
                #expect(try await node.place(places[39]).outlook == "open")
                // All seats are held: nobody is called who would find none.
                #expect(try await node.place(front).outlook == "open")
                #expect(try await node.place(front).serving.cursor == 0)
                reports.set(seats: 0)
                try await node.sees { $0.outlook == .gone }
                let told = try await node.place(front)
                #expect(told.outlook == "gone" && told.eta.reason == "sold_out")
                #expect(told.poll.afterS >= 48)
                #expect(try await node.claim(tail).status == 410)
            }
        }
    }

    @Test func `a draining room of a sold-out sale closes though people wait`() async throws {
        try await withTemporaryRedis { server in
            let reports = ScriptedReports(seats: 0)
            try await withGateway(on: server, reports: reports) { node in
                try await node.open(try GatewayNode.policy())
                _ = try await node.join(device: 1)
                try await node.sees { $0.outlook == .gone && $0.lastNumber == 1 }
                let name = try #require(RoomName("sale"))
                #expect(try await node.store.setPhase(name, from: .active, to: .draining) == .done)
                try await node.sees { $0.phase == .closed }
            }
        }
    }

    @Test func `the estimates that came true are on the metrics page`() async throws {
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy(perMinute: 600))
                for device in 1...40 { _ = try await node.join(device: device) }
                try await node.sees { $0.cursor == 40 }
                try await eventually {
                    node.metrics.page().contains(#"usher_gateway_room_eta_p90_coverage{room="sale"}"#)
                }
                #expect(node.metrics.page().contains(#"usher_gateway_room_eta_median_relative_error{room="sale"}"#))
            }
        }
    }
}
