// What the gateway that leads a room publishes of its fairness, against what anybody can reckon from the draw.
import Fairness
import Foundation
import Logging
import Operations
import Queueing
import Signing
import Testing
import TestSupport
import UsherAPI

@testable import GatewayServer

struct FigureKeeperTests {
    private func gauge(_ node: GatewayNode, _ name: String, decile: Int? = nil) -> Double {
        let labels = decile.map { ["room": "sale", "decile": "\($0)"] } ?? ["room": "sale"]
        return node.metrics.gauge("usher_gateway_room_\(name)", "", labels: labels).value
    }

    private func withFigures(_ node: GatewayNode, _ body: @Sendable () async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let wiring = ProofWiring(
            logs: node.logs,
            leases: node.leases,
            beacon: ScriptedBeacon(),
            metrics: node.metrics,
            logger: logger
        )
        let figures = wiring.figures(node.redis, node.rooms, .milliseconds(50))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await figures.run() }
            defer { tasks.cancelAll() }
            try await body()
        }
    }

    @Test func `first come has no pair out of order, and who came first got in`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        try await withTemporaryRedis { server in
            try await withGateway(on: server) { node in
                try await node.open(try GatewayNode.policy())
                try await withProof(node, in: folder) {
                    var tokens: [String] = []
                    for device in 0..<20 { tokens.append(try await node.join(device: device).body.token) }
                    _ = try await node.signed(20)
                    for token in tokens[..<5] { _ = try await node.claimInTheEnd(token) }
                    try await withFigures(node) {
                        try await eventually { gauge(node, "admitted_share", decile: 3) == 0.5 }
                        let shares = (1...10).map { gauge(node, "admitted_share", decile: $0) }
                        #expect(shares == [1, 1, 0.5, 0, 0, 0, 0, 0, 0, 0])
                        #expect(gauge(node, "inversion_rate") == 0)
                        #expect(gauge(node, "displacement_p99") == 0)
                    }
                }
            }
        }
    }

    @Test func `of a lottery the figures are those of the published draw`() async throws {
        let folder = try LogFolder()
        defer { folder.remove() }
        let beacon = ScriptedBeacon()
        try await withTemporaryRedis { server in
            try await withGateway(on: server, beaconChain: beacon.chain) { node in
                let policy = try GatewayNode.policy(order: GatewayNode.commitReveal, opensIn: 2)
                try await node.open(policy, phase: .prequeue)
                try await withProof(node, in: folder, beacon: beacon) {
                    for device in 0..<20 { _ = try await node.join(device: device) }
                    try await node.sees { $0.phase == .active }
                    let draw = try #require(try await node.get(DrawReply.self, "draw").draw)
                    let seed = try #require(Hex.decode(draw.seed).flatMap { Digest($0) })
                    let ranks = RankBlock(first: 1, count: 20, seed: seed).ranks().map { UInt64($0) }
                    let entries = try node.log().entries(0..<20)
                    let arrivals = try (0..<20).map { index in
                        let bytes = Array(entries[(index * ArrivalEntry.length)..<((index + 1) * ArrivalEntry.length)])
                        return try #require(ArrivalEntry(bytes: bytes)).milliseconds
                    }
                    // Whoever arrived in one millisecond has no order to be out of: count the pairs one by one.
                    let pairs = arrivals.indices.flatMap { late in (0..<late).map { early in (early, late) } }
                    let inverted = pairs.count { arrivals[$0] < arrivals[$1] && ranks[$0] > ranks[$1] }
                    let moved = ranks.enumerated().map { abs($0.offset + 1 - Int($0.element)) }.sorted()
                    try await withFigures(node) {
                        let expected = Double(inverted) / Double(pairs.count)
                        try await eventually { gauge(node, "displacement_p99") == Double(moved[19]) }
                        #expect(gauge(node, "displacement_p50") == Double(moved[9]))
                        #expect(abs(gauge(node, "inversion_rate") - expected) < 1e-9)
                    }
                }
            }
        }
    }
}
